"""``/hooks/<provider>``: where providers tell that something changed. No sign-in, no form, no page.

What speaks for itself is a secret that only the provider was told (``bridge.service.push``). Whoever does not
know it learns nothing, and soon may not ask any more.
"""

from __future__ import annotations

from flask import Blueprint, Response, g, request
from flask.typing import ResponseReturnValue

from bridge.service import push
from bridge.web.security import csrf, limiter, the_bridge

pages = Blueprint("hooks", __name__)
csrf.exempt(pages)

#: Of one request of Graph's; more were never seen.
MOST_NOTICES = 1000
#: Graph's own are far shorter.
LONGEST_TOKEN = 2048

#: Strangers get so many tries; the providers' notices do not count, as thousands come from few addresses.
_few = limiter.limit("60 per minute", deduct_when=lambda _: bool(g.get("stranger")))


@pages.post("/hooks/google")
@_few
def google() -> ResponseReturnValue:
    """Google's notices are headers alone. To one that is not for us 404 says: do not repeat it."""
    told = request.headers
    known = push.google_told(
        the_bridge(),
        told.get("X-Goog-Channel-ID", ""),
        told.get("X-Goog-Channel-Token", ""),
        told.get("X-Goog-Resource-State", ""),
    )
    g.stranger = not known
    return _plain("", 204) if known else _plain("Not known here.\n", 404)


@pages.post("/hooks/microsoft")
@_few
def microsoft() -> ResponseReturnValue:
    """Graph asks for its token back before it sends anything; notices it wants accepted within seconds, also
    those that are thrown away because their secret is wrong (Graph, "Receive change notifications")."""
    token = request.args.get("validationToken")
    if token is not None:
        g.stranger = True
        if len(token) > LONGEST_TOKEN:
            return _plain("That is too long.\n", 400)
        return _plain(token, 200)
    said = request.get_json(silent=True)
    notices = said.get("value") if isinstance(said, dict) else None
    if not isinstance(notices, list):
        g.stranger = True
        return _plain("Notices are JSON, with a list called value.\n", 400)
    known = [
        isinstance(notice, dict) and push.microsoft_told(the_bridge(), notice)
        for notice in notices[:MOST_NOTICES]
    ]
    g.stranger = not any(known)
    return _plain("", 202)


def _plain(text: str, status: int) -> Response:
    """Text that no browser takes for a page."""
    return Response(text, status, content_type="text/plain; charset=utf-8")
