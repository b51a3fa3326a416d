"""``/.well-known/security.txt`` (RFC 9116): whom to tell of a weakness, if the administrator says so."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, Response

from bridge.errors import NotFound
from bridge.web.security import the_bridge
from bridge.web.session import now

pages = Blueprint("contact", __name__, url_prefix="/.well-known")

#: RFC 9116 2.5.5: less than a year.
GOOD_FOR = timedelta(days=90)


@pages.get("/security.txt")
def show() -> Response:
    """The contact of the settings."""
    bridge = the_bridge()
    if not bridge.settings.security_contact:
        raise NotFound("Nobody is named.")
    until = (now() + GOOD_FOR).replace(hour=0, minute=0, second=0, microsecond=0)
    lines = [
        f"Contact: {bridge.settings.security_contact}",
        f"Expires: {until:%Y-%m-%dT%H:%M:%SZ}",
        f"Canonical: {bridge.public_url}/.well-known/security.txt",
    ]
    return Response("\n".join([*lines, ""]), mimetype="text/plain")
