"""A mailbox's calendars: how they are listed, and found again when Graph changes their ids.

Ids of calendars have been seen to change (sync-engines.md 2.5), so a calendar that is not there is looked for
by name and owner before it is declared gone. What is needed for that is handed to ``learnt``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bridge.errors import CalendarGone
from bridge.ports import RemoteCalendar
from bridge.providers.microsoft.client import LABEL, Graph, Json

#: ``hexColor`` is empty where a colour of the palette was chosen.
_PALETTE = {
    "lightBlue": "#a6d1f5",
    "lightGreen": "#87d28e",
    "lightOrange": "#fcab73",
    "lightGray": "#c0c0c0",
    "lightYellow": "#f5f27d",
    "lightTeal": "#4adacc",
    "lightPink": "#f08cc0",
    "lightBrown": "#cba287",
    "lightRed": "#f88c9b",
}

#: In a profile: names and owners by id.
NAMES = "calendars"


class Calendars:
    """``profile`` is what is kept between connections; ``learnt`` gets it whenever there is more to keep."""

    def __init__(self, graph: Graph, profile: Mapping[str, Any], learnt: Callable[[Mapping[str, Any]], None]):
        self._graph = graph
        self._profile = dict(profile)
        self._learnt = learnt
        self._become: dict[str, str] = {}  # id -> the one it has become

    def all(self) -> list[RemoteCalendar]:
        return [_calendar(found) for found in self._listed()]

    def make(self, name: str) -> RemoteCalendar:
        """A new one of the user's own."""
        made = self._graph.write("POST", self._graph.url("calendars"), {"name": name})
        self._listed()  # its name and owner are kept, should its id change
        return _calendar(made)

    def place(self, calendar: str) -> str:
        """The id to call a calendar by."""
        return self._become.get(calendar, calendar)

    def found_again(self, calendar: str) -> str:
        """The id under which a calendar that is not there lives on. Raises ``CalendarGone``."""
        wanted = list(self._names.get(calendar) or ())
        same = [str(found["id"]) for found in self._listed() if _name(found) == wanted]
        if len(same) != 1 or same[0] == self.place(calendar):
            raise CalendarGone(
                f"This calendar no longer exists in {LABEL}. Choose another, or disconnect it."
            )
        self._become[calendar] = same[0]
        return same[0]

    @property
    def _names(self) -> dict[str, list[str]]:
        return dict(self._profile.get(NAMES) or {})

    def _listed(self) -> list[Json]:
        fields = "name,color,hexColor,canEdit,owner,isDefaultCalendar"
        pages = self._graph.pages(self._graph.url("calendars", select=fields, top="100"))
        listed = [found for page in pages for found in page.get("value") or ()]
        names = self._names | {str(found["id"]): _name(found) for found in listed}
        if names != self._names:
            self._profile[NAMES] = names  # ids that are no more stay: a link may still go by them
            self._learnt(dict(self._profile))
        return listed


def _calendar(found: Mapping[str, Any]) -> RemoteCalendar:
    return RemoteCalendar(
        str(found["id"]),
        str(found.get("name") or LABEL),
        found.get("hexColor") or _PALETTE.get(found.get("color") or ""),
        bool(found.get("canEdit")),
    )


def _name(found: Mapping[str, Any]) -> list[str]:
    owner = found.get("owner") or {}
    return [str(found.get("name") or ""), str(owner.get("address") or "")]
