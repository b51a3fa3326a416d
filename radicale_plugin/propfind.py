"""PROPFIND (RFC 4918 9.1), answered from the store: the polls and listings that clients make all day.

Answers what is asked for by name, of everything that is the user's; ``allprop``, ``propname`` and other
people's addresses are left to Radicale.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection

from bridge.errors import NotFound
from bridge.store import calendars, contents, shown
from bridge.store.calendars import CalendarRow
from radicale_plugin import multistatus, xmlbody
from radicale_plugin.answers import Answer
from radicale_plugin.lines import Lines, names
from radicale_plugin.properties import (
    NAME,
    PRINCIPAL,
    ROOT,
    TEXT,
    WHOLE,
    Asking,
    Of,
    of_calendar,
)
from radicale_plugin.xmlbody import DAV

#: All objects of a calendar, with as much of each as the answer needs.
_READ: Mapping[int, Callable[[Connection, int], Iterable[Any]]] = {
    NAME: shown.names,
    TEXT: shown.everything,
    WHOLE: contents.all_objects,
}

#: Polls are short and always the same; longer bodies are read anew each time.
_SHORT = 2000


def answer(asking: Asking, tx: Connection) -> Answer | None:
    """None: this is Radicale's to answer."""
    body = asking.request.body
    wanted = _remembered(body) if len(body) <= _SHORT else _wanted(body)
    if wanted is None:
        return None
    match asking.request.segments:
        case [""]:
            return multistatus.answer(_root(asking, wanted))
        case [owner] if owner == asking.request.user:
            return multistatus.answer(_home(asking, tx, wanted))
        case [owner, name] if owner == asking.request.user:
            row = _calendar(tx, owner, name)
            return multistatus.answer(_of_calendar(asking, tx, row, wanted))
        case [owner, name, href] if owner == asking.request.user:
            row = _calendar(tx, owner, name)
            stored = contents.get(tx, row.id, href)
            if stored is None:
                raise NotFound("There is nothing at this address.")
            return multistatus.answer(Lines(asking, row, wanted).of([stored]))
    return None


def _wanted(body: bytes) -> tuple[str, ...] | None:
    """The names asked for; None for all, or only names. Raises Invalid."""
    root = xmlbody.read(body)
    if root is None or root.tag != DAV + "propfind" or root[0].tag != DAV + "prop":
        return None
    return names(root[0])


_remembered = lru_cache(maxsize=500)(_wanted)


def _calendar(tx: Connection, owner: str, name: str) -> CalendarRow:
    found = calendars.of_email(tx, owner, name)
    if not found:
        raise NotFound("There is nothing at this address.")
    return found[0]


def _root(asking: Asking, wanted: tuple[str, ...]) -> Iterator[str]:
    yield folder(asking, asking.request.address(), ROOT, wanted)
    if asking.request.deep:
        yield folder(asking, asking.home, PRINCIPAL, wanted)


def _home(asking: Asking, tx: Connection, wanted: tuple[str, ...]) -> Iterator[str]:
    yield folder(asking, asking.home, PRINCIPAL, wanted)
    if asking.request.deep:
        for row in calendars.of_email(tx, asking.request.user):
            yield _line(asking, row, wanted)


def folder(asking: Asking, address: str, known: Mapping[str, Of], wanted: tuple[str, ...]) -> str:
    """The line of the root or a principal."""
    found = missing = ""
    for name in wanted:
        content = known[name](asking) if name in known else None
        if content is not None:
            found += multistatus.element(name, content)
        elif not asking.request.minimal:
            missing += multistatus.element(name)
    return multistatus.response(address, found, missing)


def _line(asking: Asking, row: CalendarRow, wanted: tuple[str, ...]) -> str:
    found = missing = ""
    for name in wanted:
        written = of_calendar(asking, row, name)
        if written is not None:
            found += written
        elif not asking.request.minimal:
            missing += multistatus.element(name)
    return multistatus.response(asking.calendar(row), found, missing)


def _of_calendar(asking: Asking, tx: Connection, row: CalendarRow, wanted: tuple[str, ...]) -> Iterator[str]:
    yield _line(asking, row, wanted)
    if asking.request.deep:
        lines = Lines(asking, row, wanted)
        yield from lines.of(_READ[lines.needs](tx, row.id))
