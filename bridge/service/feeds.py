"""One-way feeds: an address that shows a user's bookings to whoever subscribes to it, and can be taken back.

The token in the address is derived from a random part in the database and the installation's key, so a stolen
copy of the database opens no feed. The text is written in ``ical.published``.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from calendar import monthrange
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Connection

from bridge.errors import AlreadyThere, Invalid, NotFound
from bridge.ical.published import feed as published
from bridge.service import Bridge, audit
from bridge.store import calendars, feeds, people, pieces
from bridge.store.calendars import CalendarRow
from bridge.store.feeds import FeedRow

DETAILS = ("full", "busy")
LONGEST_NAME = 80
#: For how many months a session stays in a feed after it took place (clients delete what vanishes), and how
#: many it may look ahead; None: as far as there are sessions.
PAST_MONTHS = (1, 3, 12)
AHEAD_MONTHS = (3, 6, 12, None)
#: RFC 7986 5.9 wants a name of CSS3's list.
COLOR = "steelblue"
#: A fetch is noted at most so often, whoever fetches.
NOTED = timedelta(minutes=3)
#: No session begins after this; in seconds.
LAST_MOMENT = 2**62


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed and its address."""

    row: FeedRow
    url: str


@dataclass(frozen=True, slots=True)
class Content:
    """What a fetch is answered with; ``text`` is None if the client has this version already."""

    etag: str
    text: bytes | None


@dataclass(frozen=True, slots=True)
class Shows:
    """What a feed shows. Raises Invalid for what is not offered."""

    detail: str = "full"
    past_months: int = 12
    ahead_months: int | None = None

    def __post_init__(self) -> None:
        if self.detail not in DETAILS:
            raise Invalid(f"A link shows {' or '.join(DETAILS)}, not “{self.detail[:20]}”.")
        if self.past_months not in PAST_MONTHS:
            raise Invalid("A link keeps past sessions for 1, 3 or 12 months.")
        if self.ahead_months not in AHEAD_MONTHS:
            raise Invalid("A link looks 3, 6 or 12 months ahead, or as far as there are sessions.")


class _Kept:
    """The feeds that were read lately, as they went out: apps ask again and again for what did not change,
    and not all of them say what they have. An etag stands for every byte: nothing here is out of date."""

    #: Bytes; a feed of 5,000 bookings has two million.
    most = 16_000_000

    def __init__(self) -> None:
        self._texts: OrderedDict[str, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, version: str) -> bytes | None:
        with self._lock:
            if version in self._texts:
                self._texts.move_to_end(version)
            return self._texts.get(version)

    def put(self, version: str, text: bytes) -> bytes:
        with self._lock:
            self._texts[version] = text
            while sum(map(len, self._texts.values())) > self.most:
                self._texts.popitem(last=False)
        return text

    def clear(self) -> None:
        with self._lock:
            self._texts.clear()


_kept = _Kept()
#: Read every feed anew; for measuring.
forget = _kept.clear


def add(bridge: Bridge, email: str, name: str, shows: Shows = Shows()) -> Feed:
    """A new address. Raises Invalid, NotFound; AlreadyThere for a second one of that name."""
    name = " ".join(name.split())
    if not 1 <= len(name) <= LONGEST_NAME:
        raise Invalid(f"A link's name has 1 to {LONGEST_NAME} letters.")
    nonce = secrets.token_hex(16)
    with bridge.db.writing() as tx:
        user = people.user_by_email(tx, email)
        if any(row.name == name for row in feeds.of_user(tx, user.id)):
            raise AlreadyThere(f"There is a link “{name}” already. Choose another name, or remove that one.")
        digest = _digest(_token(bridge, nonce))
        now = bridge.clock.now()
        feed_id = feeds.add(tx, user.id, name, nonce=nonce, digest=digest, now=now, **asdict(shows))
        audit.note(bridge, tx, user.id, "feed-added", f"{name} ({shows.detail})")
        row = feeds.get(tx, user.id, feed_id)
    return _with_address(bridge, row)


def list_(bridge: Bridge, email: str) -> list[Feed]:
    """The user's feeds, oldest first. Raises NotFound."""
    with bridge.db.reading() as tx:
        rows = feeds.of_user(tx, people.user_by_email(tx, email).id)
    return [_with_address(bridge, row) for row in rows]


def rotate(bridge: Bridge, email: str, feed: int | str) -> Feed:
    """A new address for the same feed; the old one is dead at once. Raises NotFound."""
    nonce = secrets.token_hex(16)
    with bridge.db.writing() as tx:
        row = _find(tx, email, feed)
        feeds.rotate(tx, row.id, nonce, _digest(_token(bridge, nonce)))
        audit.note(bridge, tx, row.user_id, "feed-renewed", row.name)
        row = feeds.get(tx, row.user_id, row.id)
    return _with_address(bridge, row)


def change(bridge: Bridge, email: str, feed: int | str, shows: Shows) -> FeedRow:
    """Let it show something else, under the same address. Raises NotFound."""
    with bridge.db.writing() as tx:
        row = _find(tx, email, feed)
        feeds.set_(tx, row.id, **asdict(shows))
        return row


def revoke(bridge: Bridge, email: str, feed: int | str) -> FeedRow:
    """Take an address back, by number or name. Raises NotFound."""
    with bridge.db.writing() as tx:
        row = _find(tx, email, feed)
        feeds.remove(tx, row.id)
        audit.note(bridge, tx, row.user_id, "feed-revoked", row.name)
        return row


def fetch(bridge: Bridge, token: str, *, known: Callable[[str], bool], client: str) -> Content:
    """What the address shows now; ``known`` says whether the client has the version of that etag, ``client``
    what it calls itself. Raises NotFound."""
    now = bridge.clock.now()
    with bridge.db.reading() as tx:
        row = feeds.by_digest(tx, _digest(token))
        if row is None:
            raise NotFound("This calendar link does not exist (any more). Ask for a new one.")
        calendar = calendars.bookings(tx, row.user_id)
        etag = _etag(row, calendar, now)
        text = None
        if not known(etag):
            version = f"{bridge.installation} {etag}"
            text = _kept.get(version)
            if text is None:
                text = _kept.put(version, _text(tx, row, calendar, now))
    client = client[:200]
    if row.fetched_at is None or now - row.fetched_at > NOTED:
        with bridge.db.writing() as tx:
            feeds.fetched(tx, row.id, client, now)
    return Content(etag, text)


def _etag(row: FeedRow, calendar: CalendarRow, now: datetime) -> str:
    """Another one whenever a byte may differ: the day is in it, as old sessions leave the feed with time."""
    parts = (
        row.id,
        row.name,
        row.detail,
        row.past_months,
        row.ahead_months,
        calendar.id,
        calendar.generation,
        calendar.installation_generation,
        calendar.seq,
        calendar.time_zone,
        now.date().isoformat(),
    )
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


def _text(tx: Connection, row: FeedRow, calendar: CalendarRow, now: datetime) -> bytes:
    since = _months_away(now, -row.past_months)
    until = LAST_MOMENT if row.ahead_months is None else _months_away(now, row.ahead_months)
    busy_only = row.detail == "busy"
    shown = pieces.shown(tx, calendar.id, since, until, busy_only=busy_only)
    first, last = (since if end is None else end for end in (shown.first, shown.last))
    return published(
        shown.pieces,
        shown.zones,
        shown.texts,
        name=row.name,
        color=COLOR,
        zone=calendar.time_zone,
        first=_day(first),
        last=_day(max(last, int(now.timestamp()))),
        modified=calendar.modified,
        busy_only=busy_only,
    )


def _months_away(now: datetime, months: int) -> int:
    """The same day of another month, or its last: the midnight, in UTC, that leaves the whole day in."""
    year, month = divmod(now.year * 12 + now.month - 1 + months, 12)
    day = min(now.day, monthrange(year, month + 1)[1])
    midnight = datetime(year, month + 1, day, tzinfo=UTC)
    return int((midnight + timedelta(days=1 if months > 0 else -1)).timestamp())


def _day(seconds: int) -> date:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=min(max(seconds, 0), 32_503_680_000))).date()


def _find(tx: Connection, email: str, feed: int | str) -> FeedRow:
    for row in feeds.of_user(tx, people.user_by_email(tx, email).id):
        if str(feed) in (str(row.id), row.name):
            return row
    raise NotFound(f"There is no link “{feed}”. See: picsello-bridge feed list {email}")


def _with_address(bridge: Bridge, row: FeedRow) -> Feed:
    return Feed(row, f"{bridge.public_url}/feeds/{_token(bridge, row.nonce)}.ics")


def _token(bridge: Bridge, nonce: str) -> str:
    return bridge.vault.mac(f"feed:{nonce}")[:40]


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
