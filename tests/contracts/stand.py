"""What the provider contract needs of a test bed: a provider, its calendars, and somebody at the far side.

A new provider gives one ``Stand`` and runs the whole contract. ``Calendar`` is the far side seen without the
code under test; names are what the far side calls an object (a file name, an id).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Protocol

from bridge.ports import Provider
from tests.servers.fault import FaultProxy


class Calendar(Protocol):
    """One calendar at the far side, in somebody else's hands."""

    def put(self, name: str, text: str) -> object: ...
    def get(self, name: str) -> str | None: ...
    def delete(self, name: str) -> None: ...
    def list(self) -> dict[str, str]: ...
    def drop(self) -> None: ...


class Stand(ABC):
    """A provider's test bed. Everything the provider sends passes ``faults``. ``reads`` are the HTTP methods
    that ``changes`` uses, ``creates`` the one that makes an object; ``surveys`` says whether one request
    tells the state of all calendars; ``many`` is how many objects this server makes and lists in a few
    seconds."""

    faults: FaultProxy
    reads: tuple[str, ...] = ("PROPFIND", "REPORT")
    creates: str = "PUT"
    surveys: bool = True
    many: int = 5000
    title: str = "Familie & Freunde"

    @abstractmethod
    def provider(self) -> Provider:
        """A new connection of a signed-in account, with what earlier ones learnt about the server."""

    @abstractmethod
    def make_calendar(self, name: str, *, title: str, color: str) -> tuple[str, Calendar]:
        """A new calendar for events: its id, and the calendar in somebody else's hands."""

    @abstractmethod
    def read_only_calendar(self) -> str | None:
        """The id of a calendar that may be read only; None if this provider's test bed has no such thing."""

    @abstractmethod
    def seed(self, calendar: str, texts: Mapping[str, str]) -> None:
        """Many objects at once, by name."""

    @abstractmethod
    def lost_cursor(self, cursor: str) -> str:
        """A cursor like this one that the far side does not know."""

    def settle(self) -> None:  # noqa: B027 - most have nothing to wait for
        """Wait until what happened so far is told apart from what happens next."""
