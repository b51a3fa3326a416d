"""The address book of places, as the photographer keeps it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from bridge.errors import AlreadyThere, Invalid
from bridge.service.booking_plans import coordinates, within
from bridge.service.bookings import LONGEST, MOST_CHARACTERS
from bridge.store import places
from bridge.store.people import UserRow
from bridge.store.places import PlaceRow

#: More are a map, not an address book.
MOST = 500


def save(
    tx: Connection,
    user: UserRow,
    place_id: int | None,
    name: str,
    *,
    address: str = "",
    latitude: str = "",
    longitude: str = "",
    before: int = 0,
    after: int = 0,
    light: bool = False,
) -> PlaceRow:
    """A new place, or another form of one that is there; minutes, degrees. Booking pages that use it keep its
    name, address and coordinates as they took them over; the time kept free follows at once.

    Raises Invalid, AlreadyThere for a second place of that name, NotFound."""
    name, where = " ".join(name.split()), coordinates(latitude, longitude)
    if not name:
        raise Invalid("Please give the place a name, such as “Lake shore”.")
    if max(len(name), len(address)) > MOST_CHARACTERS["place"]:
        raise Invalid(f"Name and address must stay under {MOST_CHARACTERS['place']:,} characters each.")
    if light and where is None:
        raise Invalid("For its golden hours the place needs its latitude and longitude.")
    known = places.of_user(tx, user.id)
    if any(other.name == name and other.id != place_id for other in known):
        raise AlreadyThere(f"Your address book has a place called “{name}” already. Choose another name.")
    values: dict[str, Any] = {
        "name": name,
        "address": " ".join(address.split()),
        "latitude": where and where[0],
        "longitude": where and where[1],
        "before": 60 * within("The time kept free before is", before, 0, LONGEST, "minutes"),
        "after": 60 * within("The time kept free after is", after, 0, LONGEST, "minutes"),
        "light": light,
    }
    if place_id is None:
        if len(known) >= MOST:
            raise Invalid(f"An address book holds {MOST} places. Remove one first.")
        place_id = places.create(tx, user.id, **values)
    else:
        places.set_(tx, places.mine(tx, user.id, place_id).id, **values)
    return places.mine(tx, user.id, place_id)


def remove(tx: Connection, user: UserRow, place_id: int) -> PlaceRow:
    """Take it out; booking pages keep what they took over. Raises NotFound."""
    found = places.mine(tx, user.id, place_id)
    places.remove(tx, found.id)
    return found
