"""What a client's details must look like, and how they are noted on the booking."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bridge.errors import Invalid
from bridge.ical.zones import zone_named
from bridge.store.booking_events import EventRow
from bridge.store.people import UserRow

#: Characters.
_MOST = {"name": 200, "e-mail address": 254, "phone number": 50}
_EMAIL = re.compile(r"[^@\s<>,;:\"()\[\]\\]+@[^@\s<>,;:\"()\[\]\\]+")
_PHONE = re.compile(r"[-+()./0-9 x#*]{3,50}", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Client:
    """Who books, as typed; ``time_zone`` is an IANA name, or empty for the studio's."""

    name: str
    email: str
    phone: str
    time_zone: str = ""


def checked(client: Client, user: UserRow, *, name_only: bool = False) -> Client:
    """What was typed, trimmed; ``name_only``: the rest may be missing. Raises Invalid."""
    found = {"name": client.name, "e-mail address": client.email, "phone number": client.phone}
    for what, text in found.items():
        found[what] = text = " ".join(_CONTROL.sub(" ", text).split())
        if not text and not (name_only and what != "name"):
            raise Invalid(f"Please fill in {'the' if name_only else 'your'} {what}.")
        if len(text) > _MOST[what]:
            raise Invalid(f"The {what} must stay under {_MOST[what]} characters.")
    email, phone = found["e-mail address"], found["phone number"]
    if email and not _EMAIL.fullmatch(email):
        raise Invalid("Please check the e-mail address: it should look like name@example.com.")
    if phone and not _PHONE.fullmatch(phone):
        raise Invalid("Please check the phone number: it should look like +49 170 1234567.")
    zone = zone_named(client.time_zone).key if client.time_zone else user.time_zone
    return Client(found["name"], email, phone, zone)


def notes(client: Client, event: EventRow) -> str:
    """The booking's notes: who comes, and what the page promised."""
    told = [("Client", client.name), ("E-mail", client.email), ("Phone", client.phone)]
    lines = [f"{what}: {text}" for what, text in told if text]
    return "\n".join([*lines, "", event.description]).strip()
