"""``bridge.ports.Provider`` over a published calendar: conditional GET, and nothing deleted on a bad day.

An answer that is no whole calendar (a web page, a sign-in form, a file that was cut off) is an error and
never an empty listing. A whole calendar that lost most of its events is the engine's guard's to judge.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from bridge.errors import (
    CalendarGone,
    Invalid,
    NotACalendarServer,
    NotPermitted,
    RetryLater,
    SignInNeeded,
)
from bridge.ical.text import decode
from bridge.ports import Capabilities, Changes, Entry, RemoteCalendar
from bridge.providers.cursors import read_cursor
from bridge.providers.guard import origin
from bridge.providers.http import Answer, Http, Limits, retry_after
from bridge.providers.ics.address import Address
from bridge.providers.ics.feed import Feed, Sample, read_feed

#: Where a feed has one, its only calendar.
CALENDAR = "feed"
LIMITS = Limits(seconds=60, bytes=32 * 1024 * 1024, redirects=5)
#: A publisher may ask us to rest this long, no longer: seconds.
LONGEST_REST = 24 * 3600.0

Learnt = Callable[[Mapping[str, Any]], None]


class ICSProvider:
    """One published calendar. ``profile``: ``keys`` is ``content`` where its UIDs proved not to last."""

    capabilities = Capabilities(writes=False, conditional_writes=False)

    def __init__(
        self,
        http: Http,
        address: Address,
        profile: Mapping[str, Any] | None = None,
        learnt: Learnt = lambda _profile: None,
    ):
        self._http = http
        self._address = address
        self._host = origin(address.url)[1]
        self.profile = dict(profile or {})
        self._learnt = learnt
        self._held: tuple[dict[str, str], Feed] | None = None  # validators, and what they stand for

    @property
    def requests(self) -> int:
        return self._http.requests

    def calendars(self) -> list[RemoteCalendar]:
        try:
            feed = self._now()
        except CalendarGone:
            return []
        return [RemoteCalendar(CALENDAR, feed.name or self._host, feed.color, writable=False)]

    def survey(self) -> None:
        """There is one calendar: asking for it is as good."""
        return

    def changes(self, calendar: str, cursor: str | None) -> Changes:  # noqa: ARG002
        known = read_cursor(cursor)
        fetched = self._get({name: known[name] for name in ("etag", "modified") if name in known})
        if fetched is None:
            return Changes((), frozenset(), False, cursor, rest=known.get("rest"))
        validators, text = fetched
        feed = self._read(text)
        sample = known.get("sample")
        if sample and "keys" not in self.profile and feed.renames(Sample(*map(tuple, sample))):
            self.by_content()
            feed = self._read(text)
        self._held = (validators, feed)
        state = {**validators, "state": feed.state, "sample": [feed.sample.uids, feed.sample.contents]}
        rest = None if feed.rest is None else min(feed.rest, LONGEST_REST)
        new = json.dumps(state if rest is None else {**state, "rest": rest}, sort_keys=True)
        if feed.state == known.get("state"):
            return Changes((), frozenset(), False, new, rest=rest)
        return Changes(list(feed.entries.values()), frozenset(), True, new, rest=rest)

    def fetch(self, calendar: str, hrefs: Sequence[str]) -> Iterator[Entry]:  # noqa: ARG002
        feed = self._now()
        return (feed.entries[href] for href in hrefs if href in feed.entries)

    def put(self, calendar: str, href: str, text: str, expect: str | None) -> Entry:  # noqa: ARG002
        raise self._not_ours()

    def delete(self, calendar: str, href: str, expect: str) -> None:  # noqa: ARG002
        raise self._not_ours()

    def new_href(self, calendar: str, key: str) -> str:  # noqa: ARG002
        return key

    def close(self) -> None:
        self._http.close()

    def by_content(self) -> None:
        """From now on events are told apart by their content."""
        self.profile["keys"] = "content"
        self._learnt(self.profile)

    def probe(self) -> None:
        """Fetch twice, and see whether the UIDs last that long."""
        first = self._now()
        if self._now().renames(first.sample):
            self.by_content()

    # --- fetching --------------------------------------------------------------------------------

    def _now(self) -> Feed:
        """The feed as it is, without its bytes where they have not changed since the last look."""
        held = self._held
        fetched = self._get(held[0] if held else {})
        if fetched is None:
            assert held is not None  # 304 answers a condition
            return held[1]
        self._held = (fetched[0], self._read(fetched[1]))
        return self._held[1]

    def _read(self, text: str) -> Feed:
        try:
            return read_feed(text, by_content=self.profile.get("keys") == "content")
        except Invalid as error:
            start = text.lstrip("\ufeff \t\r\n")[:200].lower()
            if start.startswith("begin:vcalendar"):
                raise RetryLater(
                    f"The calendar of {self._host} arrived incomplete or damaged. "
                    "Nothing was changed here; we try again by ourselves."
                ) from error
            raise NotACalendarServer(
                f"{self._host} answers with {'a web page' if '<' in start else 'something'} instead of the "
                "calendar. Nothing was changed here. Perhaps it is no longer shared: copy its address anew."
            ) from error

    def _get(self, validators: Mapping[str, str]) -> tuple[dict[str, str], str] | None:
        """Validators and text; None if nothing changed. A refusal is confirmed by a second try."""
        headers = {"Accept": "text/calendar, */*;q=0.1"}
        if "etag" in validators:
            headers["If-None-Match"] = validators["etag"]
        if "modified" in validators:
            headers["If-Modified-Since"] = validators["modified"]
        for last in (False, True):
            answer = self._http.request("GET", self._address.url, headers=headers, auth=self._address.auth)
            if last or answer.status not in (401, 403, 404, 410):
                break
        if answer.status == 304 and validators:
            return None
        if answer.status != 200:
            raise self._refused(answer)
        found = {"etag": answer.headers.get("ETag", ""), "modified": answer.headers.get("Last-Modified", "")}
        return {name: value for name, value in found.items() if value}, _text(answer)

    def _refused(self, answer: Answer) -> Exception:
        match answer.status:
            case 401:
                return SignInNeeded(
                    f"{self._host} does not let us read this calendar with the address and password that we "
                    "have. Copy its address anew, and sign in again with that."
                )
            case 403:
                return NotPermitted(
                    f"{self._host} no longer lets us read this calendar. Perhaps it is no longer shared."
                )
            case 404 | 410:
                return CalendarGone(
                    f"There is no calendar at this address of {self._host} (any more). Copy its address anew."
                )
            case status if status == 429 or status >= 500:
                busy = "asks us to slow down" if status == 429 else "has trouble at the moment"
                return RetryLater(f"{self._host} {busy}. We try again by ourselves.", retry_after(answer))
            case status:
                return NotACalendarServer(
                    f"{self._host} does not give a calendar at this address (status {status})."
                )

    def _not_ours(self) -> NotPermitted:
        return NotPermitted("A published calendar can be read, not written to.")


def _text(answer: Answer) -> str:
    """The body as text: UTF-8 (RFC 5545 3.1.4), else as it says, else what every byte sequence is."""
    said = answer.headers.get("Content-Type", "").partition("charset=")[2].strip("\"' ;").lower()
    for charset in dict.fromkeys(["utf-8", said or "utf-8"]):
        try:
            return decode(answer.body, charset)
        except Invalid:
            continue
    return answer.body.decode("latin-1").replace("\0", "")
