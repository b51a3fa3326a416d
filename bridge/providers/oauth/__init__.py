"""OAuth 2 for every provider that signs in that way (RFC 6749, 7636, 7009, 8414).

authlib speaks the protocol; each of its requests leaves through the guarded session of ``http``. A kind says
what it asks for (``Terms``), the administrator's settings say who we are there (``App``). A sign-in begins
with ``begin``, ends with ``finish``, which gives the account's secret; from then on a ``Session`` signs
requests with it, and hands over the secret whenever the provider changed it. Keeping things is left to the
service.
"""

from bridge.providers.oauth.session import Session, session_http
from bridge.providers.oauth.sign_in import begin, denied, endpoints, finish
from bridge.providers.oauth.terms import App, Begun, Endpoints, Identity, Terms

__all__ = [
    "App",
    "Begun",
    "Endpoints",
    "Identity",
    "Session",
    "Terms",
    "begin",
    "denied",
    "endpoints",
    "finish",
    "session_http",
]
