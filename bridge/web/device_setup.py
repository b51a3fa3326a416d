"""Setting a device up without typing: a QR code leads the phone to a short-lived page that hands it over.

The address in the code is sealed under the master key and good for a quarter of an hour; it opens without
signing in, for the phone is not signed in. What it hands over is a configuration profile for Apple's devices
(Configuration Profile Reference, CalDAV payload), and the three things to type for all others.
"""

from __future__ import annotations

import plistlib
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import segno
from flask import Blueprint, Response, render_template, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from bridge.errors import NotFound, StoreError
from bridge.service import people
from bridge.web import refusals
from bridge.web.security import limiter, the_bridge
from bridge.web.session import now

pages = Blueprint("device_setup", __name__, url_prefix="/devices/setup")

TOO_LATE = (
    "This code is of no use any more",
    "A code to set up a device is good for a quarter of an hour, and only while the device is in the list. "
    "Open Devices on your computer, remove the device, and add it once more.",
)
GOOD_FOR = timedelta(minutes=15)
_BIND = "web: device setup"


@dataclass(frozen=True, slots=True)
class Setup:
    """What a device has to be told."""

    device_id: int
    username: str
    password: str
    url: str


def token(device: people.NewDevice) -> str:
    """The sealed part of the address."""
    until = int((now() + GOOD_FOR).timestamp())
    text = f"{until} {device.username} {device.password}"
    return the_bridge().vault.seal(text, _BIND).decode("ascii")


def code(address: str) -> Markup:
    """The address as a QR code: an SVG without styles of its own."""
    drawn = segno.make(address, error="l").svg_inline(scale=4, border=3, light="#fff")
    return Markup(drawn)  # noqa: S704 (segno's own markup, of an address of ours)


@pages.get("/<token>")
@limiter.limit("30 per minute")
def show(token: str) -> ResponseReturnValue:
    """The page the phone opens."""
    try:
        device = _opened(token)
    except NotFound:
        return refusals.page(404, *TOO_LATE)
    return render_template("device_setup.html", device=device, token=token)


@pages.get("/<token>/calendars.mobileconfig")
@limiter.limit("30 per minute")
def profile(token: str) -> ResponseReturnValue:
    """The account, filled in, for iPhone, iPad and Mac."""
    body = plistlib.dumps(_profile(_opened(token)))
    response = Response(body, mimetype="application/x-apple-aspen-config")
    response.headers["Content-Disposition"] = 'attachment; filename="calendars.mobileconfig"'
    return response


def profile_address(token_: str) -> str:
    """Where the profile is, for the page that made the device."""
    return url_for("device_setup.profile", token=token_)


def _opened(token: str) -> Setup:
    """Raises NotFound: forged, too old, or the device was removed meanwhile."""
    bridge = the_bridge()
    try:
        until, username, password = bridge.vault.unseal(token.encode("ascii", "replace"), _BIND).split(" ")
    except (StoreError, ValueError):
        raise NotFound("This link is not valid.") from None
    with bridge.db.reading() as tx:
        device = people.verify_device(tx, bridge.vault, username, password)
    if device is None or datetime.fromtimestamp(int(until), now().tzinfo) < now():
        raise NotFound("This link is no longer valid.")
    return Setup(device.device_id, username, password, people.home_url(bridge, username))


def _profile(device: Setup) -> dict[str, object]:
    """One CalDAV account. The identifiers are derived, so that installing it again replaces it."""
    bridge = the_bridge()
    parts = urlsplit(bridge.public_url)
    https = parts.scheme == "https"
    name = f"picsello-bridge.{bridge.installation}.{device.device_id}"
    account = {
        "PayloadType": "com.apple.caldav.account",
        "PayloadVersion": 1,
        "PayloadIdentifier": f"{name}.caldav",
        "PayloadUUID": str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{name}.caldav")),
        "PayloadDisplayName": "Bookings",
        "CalDAVAccountDescription": "Picsello Bridge",
        "CalDAVHostName": parts.hostname or "",
        "CalDAVPort": parts.port or (443 if https else 80),
        "CalDAVUseSSL": https,
        "CalDAVPrincipalURL": urlsplit(device.url).path,
        "CalDAVUsername": device.username,
        "CalDAVPassword": device.password,
    }
    return {
        "PayloadType": "Configuration",
        "PayloadVersion": 1,
        "PayloadIdentifier": name,
        "PayloadUUID": str(uuid.uuid5(uuid.NAMESPACE_DNS, name)),
        "PayloadDisplayName": "Picsello Bridge calendars",
        "PayloadDescription": "Adds your bookings and mirrored calendars to the Calendar app.",
        "PayloadRemovalDisallowed": False,
        "PayloadContent": [account],
    }
