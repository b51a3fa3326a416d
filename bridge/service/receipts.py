"""The links that a client is given to see, move or cancel a session: signed, and good for a while only.

A link names the booking and the moment it ends, under a key derived from the master key: nobody can guess
one, make one, or make one last longer.
"""

from __future__ import annotations

from datetime import timedelta

from itsdangerous import BadSignature, URLSafeSerializer

from bridge.errors import NotFound
from bridge.service import Bridge
from bridge.service.client_sessions import Session

#: After the session a link goes on to show what was, for this long.
AFTERWARDS = timedelta(days=14)


def token(bridge: Bridge, session: Session) -> str:
    """The link's last part, good until some days after the session."""
    now = int(bridge.clock.now().timestamp())
    ends = max(session.ends or now, now) + int(AFTERWARDS.total_seconds())
    return _serializer(bridge).dumps([session.row.id, ends])


def read(bridge: Bridge, token: str) -> int:
    """The booking's number. Raises NotFound for a link that is forged, damaged or over."""
    try:
        number, ends = _serializer(bridge).loads(token)
        # base64 has more spellings than one: only ours counts
        ours = _serializer(bridge).dumps([number, ends]) == token
        if ours and bridge.clock.now().timestamp() < ends:
            return int(number)
    except (BadSignature, ValueError, TypeError):
        pass
    raise NotFound("This link is not valid (any more). Look for the newest mail about your session.")


def _serializer(bridge: Bridge) -> URLSafeSerializer:
    return URLSafeSerializer(bridge.vault.mac("bridge.service: key that signs the links of clients"))
