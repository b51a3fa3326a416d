"""Which of our own answers a request gets: the table from methods and reports to the modules that answer.

Whoever is signed in reads and changes their own calendars here, in one transaction and without Radicale's
parser. What is asked that none of these answers is Radicale's: odd PROPFINDs, rare reports, and all that is
about somebody else's calendars, which it refuses by ``rights``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus

from sqlalchemy import Connection

from bridge.store import calendars
from radicale_plugin import (
    answers,
    freebusy,
    making,
    principals,
    propfind,
    proppatch,
    query,
    reading,
    sync,
    writes,
    xmlbody,
)
from radicale_plugin.answers import Answer
from radicale_plugin.properties import Asking
from radicale_plugin.xmlbody import CALDAV, DAV

_OF_A_CALENDAR = {
    DAV + "sync-collection": sync.answer,
    CALDAV + "calendar-multiget": query.multiget,
    CALDAV + "calendar-query": query.query,
    CALDAV + "free-busy-query": freebusy.answer,
}


_Read = Callable[[Asking, Connection], Answer | None]


def answer(asking: Asking) -> Answer | None:
    """None: it is Radicale's to answer. Raises BridgeError kinds."""
    handle = _METHODS.get(asking.request.environ["REQUEST_METHOD"])
    given = None if handle is None else handle(asking)
    if given is not None and given[0] == HTTPStatus.MULTI_STATUS and asking.request.minimal:
        given[1]["Preference-Applied"] = "return=minimal"
    return given


def options(_asking: Asking | None = None) -> Answer:
    """What can be done here at all; some clients ask before they sign in."""
    return 200, {"Allow": answers.ALLOW, "DAV": answers.CLASSES}, None, None


def _reading(read: _Read) -> Callable[[Asking], Answer | None]:
    """Answered in one reading transaction: tokens, tags and texts are of one moment."""

    def handle(asking: Asking) -> Answer | None:
        with asking.runtime.transaction("r") as tx:
            return read(asking, tx)

    return handle


def _delete(asking: Asking) -> Answer:
    match asking.request.segments:
        case [owner, name] if owner == asking.request.user:
            with asking.runtime.transaction("w") as tx:
                return making.delete(asking, tx, owner, name)
    return writes.delete(asking)


def _report(asking: Asking, tx: Connection) -> Answer | None:
    root = xmlbody.read(asking.request.body)
    if root is None:
        return None
    match asking.request.segments:
        case [owner, name] if owner == asking.request.user and root.tag in _OF_A_CALENDAR:
            found = calendars.of_email(tx, owner, name)
            return _OF_A_CALENDAR[root.tag](asking, tx, found[0], root) if found else None
        case [owner, *_] if owner == asking.request.user and root.tag == CALDAV + "free-busy-query":
            return answers.refused(
                HTTPStatus.FORBIDDEN, "Free-busy times are asked of a calendar.", "supported-report"
            )
        case [""] | [_] if root.tag == DAV + "principal-property-search":
            return principals.search(asking, root)
        case [""] | [_] if root.tag == DAV + "principal-search-property-set":
            return principals.searched()
    return None


_METHODS: Mapping[str, Callable[[Asking], Answer | None]] = {
    "OPTIONS": options,
    "GET": _reading(reading.answer),
    "HEAD": _reading(reading.answer),
    "PROPFIND": _reading(propfind.answer),
    "REPORT": _reading(_report),
    "PROPPATCH": proppatch.answer,
    "PUT": writes.put,
    "DELETE": _delete,
    "MOVE": writes.move,
    "MKCOL": making.make,
    "MKCALENDAR": making.make,
}
