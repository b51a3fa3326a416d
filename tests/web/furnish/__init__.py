"""What is in each studio of the scenes, and what is done before somebody comes to it."""

from __future__ import annotations

from collections.abc import Callable

from bridge.store.people import UserRow
from bridge.wiring import Bridge
from tests.web.furnish import bookings, everyday

#: What scenes may mention comes back, by name.
FURNISH = {
    "empty": everyday.empty,
    "full": everyday.full,
    "shop": bookings.shop,
    "running": everyday.running,
    "google": everyday.at_google,
    "stopped": everyday.stopped,
    "linked": bookings.linked,
    "picsello": bookings.picsello,
    "locked": everyday.nothing,
    "unlocked": everyday.nothing,
    "shown": everyday.shown,
}
READY: dict[str, Callable[[Bridge, UserRow, dict[str, str]], None]] = {
    "locked": everyday.lock,
    "unlocked": lambda bridge, anna, _names: everyday.unlock(bridge, anna),
}
