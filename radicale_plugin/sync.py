"""The sync-collection report (RFC 6578 3): everything, what has changed since a token, or a portion of it."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection

from bridge.errors import Invalid
from bridge.store import changes, contents, shown
from bridge.store.calendars import CalendarRow
from bridge.store.changes import Position
from bridge.store.shown import Step
from radicale_plugin import multistatus
from radicale_plugin.answers import Answer
from radicale_plugin.lines import Lines, names
from radicale_plugin.properties import NAME, TEXT, Asking
from radicale_plugin.xmlbody import DAV

#: Told of the calendar itself when there is more to come (RFC 6578 3.6).
_MORE = "<number-of-matches-within-limits/>"


def answer(asking: Asking, tx: Connection, row: CalendarRow, root: ET.Element) -> Answer:
    """Raises Invalid (``valid-sync-token``) for a token that is none, or too old."""
    if (root.findtext(DAV + "sync-level") or "1").strip() not in ("1", "infinite"):
        raise Invalid("The sync-level of a sync-collection report is 1 or infinite.")
    token = (root.findtext(DAV + "sync-token") or "").strip()
    lines = Lines(asking, row, names(root.find(DAV + "prop")), lambda stored: stored.text)
    most = _most(root)
    if not token and most is None and lines.needs == NAME:
        return _answer(lines.of(shown.names(tx, row.id)), changes.token(row))
    position = changes.position(token, row) if token else Position(0, row.seq)
    asked = None if most is None else most + 1
    if position.seq == row.seq:
        return _answer((), changes.token(row))
    steps = shown.steps(tx, row.id, position.seq, position.began, asked)
    if most is None or len(steps) <= most:
        return _answer(_told(tx, row, lines, steps), changes.token(row))
    told = Position(steps[most - 1].seq, position.began)
    more = multistatus.status(lines.base, 507, _MORE)
    return _answer([*_told(tx, row, lines, steps[:most]), more], changes.token_at(row, told))


def _most(root: ET.Element) -> int | None:
    """The client's limit (RFC 5323 5.17); None: none. Raises Invalid."""
    said = root.findtext(f"{DAV}limit/{DAV}nresults")
    if said is None:
        return None
    if not (said.strip().isascii() and said.strip().isdigit()) or not int(said.strip()[:12]) > 0:
        raise Invalid("The limit of a report is a number, at least 1.")
    return int(said.strip()[:12])


def _told(tx: Connection, row: CalendarRow, lines: Lines, steps: Sequence[Step]) -> Iterator[str]:
    there = [step for step in steps if step.etag is not None]
    rows: Sequence[Any] = there
    if lines.needs == TEXT:
        rows = list(shown.of_hrefs(tx, row.id, (step.href for step in there)).values())
    elif lines.needs > TEXT:
        rows = list(contents.get_many(tx, row.id, (step.href for step in there)).values())
    yield from lines.of(rows)
    for step in steps:
        if step.etag is None:
            yield multistatus.status(lines.address(step.href), 404)


def _answer(responses: Iterable[str], token: str) -> Answer:
    return multistatus.answer(responses, f"<sync-token>{token}</sync-token>")
