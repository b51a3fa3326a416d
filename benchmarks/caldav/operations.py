"""What is measured: each operation makes one request that counts, and says whether the answer was right."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from benchmarks.caldav.client import Client, Reply
from benchmarks.caldav.events import MONTH, event, name, uid

_NS = 'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:CS="http://calendarserver.org/ns/"'
_TYPE = {"Content_Type": "text/xml; charset=utf-8"}
_ICS = {"Content_Type": "text/calendar; charset=utf-8"}
_RESPONSE = re.compile(rb"<(?:[\w.-]+:)?response[\s>]")
_DATA = re.compile(rb"<(?:[\w.-]+:)?calendar-data[\s>]")
_SYNC = re.compile(rb"<(?:[\w.-]+:)?sync-token[^>]*>([^<]+)<")
_HREF = re.compile(rb"<(?:[\w.-]+:)?href[^>]*>([^<]+\.ics)<")

CTAG = f"<D:propfind {_NS}><D:prop><CS:getctag/></D:prop></D:propfind>"
POLL = f"<D:propfind {_NS}><D:prop><CS:getctag/><D:sync-token/><D:resourcetype/></D:prop></D:propfind>"
ETAGS = f"<D:propfind {_NS}><D:prop><D:getetag/></D:prop></D:propfind>"
FREE_BUSY = f"<C:free-busy-query {_NS}><C:time-range {MONTH}/></C:free-busy-query>"


def _query(rules: str, data: str) -> str:
    inner = f'<C:comp-filter name="VEVENT">{rules}</C:comp-filter>'
    outer = f'<C:filter><C:comp-filter name="VCALENDAR">{inner}</C:comp-filter></C:filter>'
    return f"<C:calendar-query {_NS}><D:prop><D:getetag/>{data}</D:prop>{outer}</C:calendar-query>"


def _by_uid(wanted: str) -> str:
    match = f'<C:text-match collation="i;octet">{wanted}</C:text-match>'
    return _query(f'<C:prop-filter name="UID">{match}</C:prop-filter>', "<C:calendar-data/>")


def _month(data: str) -> str:
    return _query(f"<C:time-range {MONTH}/>", data)


def _changes(token: str) -> str:
    return (
        f"<D:sync-collection {_NS}><D:sync-token>{token}</D:sync-token><D:sync-level>1</D:sync-level>"
        "<D:prop><D:getetag/></D:prop></D:sync-collection>"
    )


def _multiget(hrefs: list[str]) -> str:
    named = "".join(f"<D:href>{href}</D:href>" for href in hrefs)
    prop = "<D:prop><D:getetag/><C:calendar-data/></D:prop>"
    return f"<C:calendar-multiget {_NS}>{prop}{named}</C:calendar-multiget>"


@dataclass
class Calendar:
    """A filled calendar at one server, and what a client remembers of it."""

    client: Client
    path: str
    count: int
    dice: random.Random = field(default_factory=lambda: random.Random(1))  # noqa: S311
    numbers: dict[str, int] = field(default_factory=dict)
    hrefs: list[str] = field(default_factory=list)
    made: list[str] = field(default_factory=list)
    revision: int = 0
    token: str = ""

    def learn(self) -> None:
        """Hrefs as the server spells them, which need not be ours."""
        reply = self.client("PROPFIND", self.path, ETAGS, Depth="1", **_TYPE)
        for found in _HREF.findall(reply.body):
            href = urlsplit(found.decode()).path
            number = re.search(r"booking-(\d{7})-", unquote(href))
            if number:
                self.numbers[href] = int(number[1])
        self.hrefs = list(self.numbers)
        if len(self.numbers) != self.count:
            raise SystemExit(
                f"{self.client.url}{self.path} holds {len(self.numbers)} of {self.count} events."
            )

    def some(self) -> str:
        return self.dice.choice(self.hrefs)

    def now(self) -> str:
        """The current token."""
        found = _SYNC.search(self.client("PROPFIND", self.path, POLL, Depth="0", **_TYPE).body)
        return found[1].decode() if found else ""

    def report(self, body: str, depth: str = "1") -> Reply:
        return self.client("REPORT", self.path, body, Depth=depth, **_TYPE)

    def update(self) -> Reply:
        href = self.some()
        self.revision += 1
        return self.client("PUT", href, event(self.numbers[href], self.revision), **_ICS)

    def create(self) -> Reply:
        number = 1_000_000 + self.dice.randrange(8_000_000)
        self.made.append(self.path + name(number))
        return self.client("PUT", self.made[-1], event(number), If_None_Match="*", **_ICS)

    def delete(self) -> Reply:
        if not self.made:
            self.create()
        return self.client("DELETE", self.made.pop())

    def delta_of_ten(self) -> Reply:
        token = self.now()
        for _ in range(10):
            self.update()
        return self.report(_changes(token), "0")

    def delta_of_none(self) -> Reply:
        self.token = self.token or self.now()
        return self.report(_changes(self.token), "0")

    def multiget(self) -> Reply:
        return self.report(_multiget(self.dice.sample(self.hrefs, min(50, len(self.hrefs)))))

    def by_uid(self) -> Reply:
        return self.report(_by_uid(uid(self.numbers[self.some()])))


def _responses(least: Callable[[Calendar], int]) -> Callable[[Calendar, Reply], bool]:
    return lambda calendar, reply: (
        reply.status == 207 and len(_RESPONSE.findall(reply.body)) >= least(calendar)
    )


def _data(least: int) -> Callable[[Calendar, Reply], bool]:
    return lambda _, reply: reply.status == 207 and len(_DATA.findall(reply.body)) >= least


def _status(*wanted: int) -> Callable[[Calendar, Reply], bool]:
    return lambda _, reply: reply.status in wanted


@dataclass(frozen=True)
class Operation:
    """``times``: how often in one run. ``share``: the most of Cyrus' time that ours may take (issue 4)."""

    name: str
    times: int
    share: float
    request: Callable[[Calendar], Reply]
    right: Callable[[Calendar, Reply], bool]


OPERATIONS = (
    Operation(
        "poll: ctag", 200, 0.8, lambda c: c.client("PROPFIND", c.path, CTAG, Depth="0", **_TYPE), _status(207)
    ),
    Operation(
        "poll: ctag, token",
        200,
        0.8,
        lambda c: c.client("PROPFIND", c.path, POLL, Depth="0", **_TYPE),
        _status(207),
    ),
    Operation("GET", 200, 0.8, lambda c: c.client("GET", c.some()), _status(200)),
    Operation("PUT update", 60, 0.8, Calendar.update, _status(200, 201, 204)),
    Operation("PUT new", 60, 0.8, Calendar.create, _status(201, 204)),
    Operation("DELETE", 60, 0.8, Calendar.delete, _status(200, 204)),
    Operation(
        "all ETags",
        9,
        0.7,
        lambda c: c.client("PROPFIND", c.path, ETAGS, Depth="1", **_TYPE),
        _responses(lambda c: c.count),
    ),
    Operation("first sync", 9, 0.7, lambda c: c.report(_changes(""), "0"), _responses(lambda c: c.count)),
    Operation("delta of 10", 30, 0.5, Calendar.delta_of_ten, _responses(lambda _: 8)),
    Operation("delta of none", 60, 0.5, Calendar.delta_of_none, _status(207)),
    Operation("multiget of 50", 30, 0.8, Calendar.multiget, _data(50)),
    Operation("query by UID", 15, 0.02, Calendar.by_uid, _data(1)),
    Operation("month: ETags", 9, 0.1, lambda c: c.report(_month("")), _responses(lambda _: 1)),
    Operation("month: data", 9, 0.1, lambda c: c.report(_month("<C:calendar-data/>")), _data(1)),
    Operation(
        "month: expanded",
        9,
        0.1,
        lambda c: c.report(_month(f"<C:calendar-data><C:expand {MONTH}/></C:calendar-data>")),
        _data(1),
    ),
    Operation("month: free-busy", 9, 0.1, lambda c: c.report(FREE_BUSY), _status(200, 207)),
    Operation("export", 6, 0.15, lambda c: c.client("GET", c.path), _status(200)),
)
