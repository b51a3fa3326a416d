"""``bridge.ports.Provider`` over CalDAV: listing, deltas, texts, and conditional writes.

Deltas come from sync-collection (RFC 6578), else from the collection's ctag and the objects' tags. A server
that answers an unknown token with a full listing as if nothing were wrong (DAViCal, SOGo) cannot be told
apart here: the engine asks for ``changes(calendar, None)`` from time to time. Writes name the version they
expect, are sent once, and are read back where the answer names no version.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from bridge.errors import (
    Blocked,
    CalendarGone,
    CursorLost,
    NotACalendarServer,
    NotPermitted,
    ObjectGone,
    ProviderError,
    TagMismatch,
    UnknownOutcome,
)
from bridge.ical.text import restore_crlf
from bridge.ports import Capabilities, Changes, Entry, RemoteCalendar
from bridge.providers.caldav import calendars as homes
from bridge.providers.caldav.client import Client
from bridge.providers.caldav.discovery import find_home
from bridge.providers.caldav.paths import key, member, new_name, path_of
from bridge.providers.caldav.refusals import object_refused, preconditions, read_refused, write_refused
from bridge.providers.caldav.xml import (
    DAV,
    SERVER,
    Multistatus,
    Response,
    multiget,
    propfind,
    sync_collection,
)
from bridge.providers.guard import origin
from bridge.providers.http import Answer

#: Of one multiget: objects, and bytes that we expect back.
BATCH = 100
BATCH_BYTES = 2 * 1024 * 1024

#: Marks a tag that we made up because the server gave none: it equals nothing, so the text is compared.
_UNTAGGED = "untagged:"

_STATE = propfind(DAV + "resourcetype", DAV + "sync-token", SERVER + "getctag")
_TAGS = propfind(DAV + "resourcetype", DAV + "getetag")
_PRIVILEGES = propfind(DAV + "resourcetype", DAV + "current-user-privilege-set")
_TEXT = {"Content-Type": "text/calendar; charset=utf-8"}


#: Told the profile whenever something new was found out about the server.
Learnt = Callable[[Mapping[str, Any]], None]


class CalDAVProvider:
    """One account's calendars below ``home``.

    ``profile`` is what was learnt about the server and is worth keeping between passes: ``auth`` (basic or
    digest), ``single`` (the home is one calendar), ``sync`` (False: no sync-collection), ``trust`` (False:
    any token is answered), ``conditional`` (False: conditions of writes are not honoured),
    ``raw`` (True: hrefs in answers are not percent-encoded), ``start`` (where the home was found from, on
    another host), ``home`` (where it has moved to since), ``others`` (further homes).
    """

    def __init__(
        self,
        client: Client,
        home: str,
        profile: Mapping[str, Any] | None = None,
        learnt: Learnt = lambda _: None,
    ):
        self._client = client
        self._learnt = learnt
        self._home = home
        self._profile = dict(profile or {})
        self._looked_again = False
        self.capabilities = Capabilities(
            conditional_writes=self._profile.get("conditional", True),
            sync_token=self._profile.get("sync", True),
            trusts_token=self._profile.get("trust", True),
        )

    @property
    def requests(self) -> int:
        return self._client.http.requests

    @property
    def profile(self) -> dict[str, Any]:
        """What is worth keeping, JSON-safe."""
        auth = self._client.auth_type
        return {**self._profile, **({"auth": auth} if auth else {})}

    def calendars(self) -> list[RemoteCalendar]:
        return list(homes.listed(self._at_home(homes.LISTING)))

    def survey(self) -> Mapping[str, str] | None:
        return dict(homes.cursors(self._at_home(homes.SURVEY))) or None

    def changes(self, calendar: str, cursor: str | None) -> Changes:
        try:
            return self._changes(calendar, cursor)
        except (CalendarGone, NotPermitted):
            if not self._moved():
                raise
            return self._changes(calendar, cursor)

    def _changes(self, calendar: str, cursor: str | None) -> Changes:
        known = _read_cursor(cursor)
        if self.capabilities.sync_token and "ctag" not in known:
            changes = self._sync(calendar, known.get("token", ""))
            if changes is not None:
                return changes
        return self._compare(calendar, known.get("ctag"))

    def fetch(self, calendar: str, hrefs: Sequence[str]) -> Iterator[Entry]:
        waiting = list(hrefs)
        count = min(BATCH, 20)  # small until we know how large the objects are
        while waiting:
            batch, waiting = waiting[:count], waiting[count:]
            found = self._multiget(calendar, batch)
            if found is None:
                yield from (entry for href in batch if (entry := self._get(href)) is not None)
                continue
            yield from found
            largest = max((len(entry.text or "") for entry in found), default=1)
            count = max(1, min(BATCH, BATCH_BYTES // max(1, largest)))

    def put(self, calendar: str, href: str, text: str, expect: str | None) -> Entry:
        answer = self._write("PUT", href, text.encode(), _condition(expect), calendar, create=expect is None)
        tag = answer.headers.get("ETag", "").strip()
        if tag and not tag.startswith("W/"):
            return Entry(href, tag)
        # no tag (RFC 4791 5.3.4: it was rewritten), or a weak one, as GMX gives on PUT alone
        stored = self._get(href)
        if stored is None:
            raise UnknownOutcome(
                f"{self._client.host} took the entry and does not show it. We look at it again."
            )
        return stored

    def delete(self, calendar: str, href: str, expect: str) -> None:
        self._write("DELETE", href, b"", _condition(expect), calendar, create=False)

    def new_href(self, calendar: str, key: str) -> str:
        return calendar + new_name(key)

    def close(self) -> None:
        self._client.close()

    # --- listing ---------------------------------------------------------------------------------

    def _at_home(self, body: bytes) -> Iterator[Response]:
        depth = "0" if self._profile.get("single") else "1"
        answer = self._client.xml("PROPFIND", self._home, body, depth)
        if answer.status != 207 and self._moved():
            answer = self._client.xml("PROPFIND", self._home, body, depth)
        if answer.status != 207:
            raise read_refused(answer)
        yield from Multistatus(answer)
        for other in self._profile.get("others", ()):
            answer = self._client.xml("PROPFIND", self._client.url(self._home, other), body, depth)
            if answer.status == 207:  # a shared home may go; the user's own stays
                yield from Multistatus(answer)

    def _moved(self) -> bool:
        """Whether the home is on another host by now, asked once where it was found by way of another one:
        iCloud moves accounts between its partitions, and says 404 or 403 at the old one."""
        start = self._profile.get("start")
        if start is None or self._looked_again:
            return False
        self._looked_again = True
        try:
            home = find_home(self._client, start)
        except ProviderError:
            return False
        if origin(home.url) == origin(self._home):
            return False
        self._home = self._profile["home"] = home.url
        self._learnt(self.profile)
        return True

    def _sync(self, calendar: str, token: str) -> Changes | None:
        """The delta since the token, page by page; None if the server does not do this."""
        url = self._client.url(self._home, calendar)
        entries: dict[str, Entry] = {}
        gone: set[str] = set()
        complete = not token
        while True:
            answer = self._client.xml("REPORT", url, sync_collection(token))
            if answer.status in (404, 410):
                raise read_refused(answer)
            if answer.status != 207:
                if token:  # also 500: what Xandikos says to a token it cannot read
                    raise CursorLost(f"{self._client.host} no longer knows where we left off.")
                return None
            report = Multistatus(answer)
            more = False
            for response in report:
                href = self._member(calendar, response)
                if href is None:
                    more = more or response.status == 507
                elif response.status in (404, 410):
                    entries.pop(href, None)
                    gone.add(href)
                elif response.status is None or response.status < 300:
                    gone.discard(href)
                    entries[href] = Entry(href, _tag(response))
            cursor = homes.cursor_of(report.sync_token, None)
            if cursor is None:
                return None  # a report without a token is no sync report
            if not more:
                return Changes(
                    list(entries.values()), frozenset() if complete else frozenset(gone), complete, cursor
                )
            if report.sync_token == token:
                raise CursorLost(f"{self._client.host} cuts its answer short. We list everything instead.")
            token = report.sync_token or ""

    def _compare(self, calendar: str, ctag: str | None) -> Changes:
        """By ctag, else by the tags of all objects. The ctag is read first: what changes meanwhile shows
        next time."""
        now = self._own(calendar, _STATE).text(SERVER + "getctag")
        if now is not None and now == ctag:
            return Changes([], frozenset(), False, homes.cursor_of(None, now))
        url = self._client.url(self._home, calendar)
        answer = self._client.xml("PROPFIND", url, _TAGS, "1")
        if answer.status != 207:
            raise read_refused(answer)
        entries = []
        for response in Multistatus(answer):
            href = self._member(calendar, response)
            if href is not None and DAV + "collection" not in response.names(DAV + "resourcetype"):
                entries.append(Entry(href, _tag(response)))
        if self.capabilities.sync_token:
            self.capabilities = replace(self.capabilities, sync_token=False)
            self._profile["sync"] = False
            self._learnt(self.profile)
        return Changes(entries, frozenset(), True, homes.cursor_of(None, now))

    def _own(self, calendar: str, body: bytes) -> Response:
        """The calendar's own properties. Raises ``CalendarGone`` if it is none any more."""
        answer = self._client.xml("PROPFIND", self._client.url(self._home, calendar), body)
        if answer.status != 207:
            raise read_refused(answer)
        for response in Multistatus(answer):
            if response.status in (None, 200):
                return response
        raise CalendarGone(
            f"This calendar no longer exists at {self._client.host}. Choose another one, or disconnect it."
        )

    def _member(self, calendar: str, response: Response) -> str | None:
        href = path_of(response.href)
        return member(calendar, quote(href) if self._profile.get("raw") else href)

    # --- texts -----------------------------------------------------------------------------------

    def _multiget(self, calendar: str, hrefs: Sequence[str]) -> list[Entry] | None:
        """The objects of one batch; None if they have to be read one by one: no such report, one missing
        name spoils it (sabre answers 404 for the whole), or one object is no XML."""
        asked = {key(href): href for href in hrefs}
        url = self._client.url(self._home, calendar)
        try:
            answer = self._client.xml("REPORT", url, multiget(hrefs), depth=None)
            if answer.status != 207:
                return None
            found = []
            for response in Multistatus(answer):
                href = asked.get(key(response.href))
                text = response.calendar_data()
                if href is not None and text is not None:
                    found.append(Entry(href, _tag(response), text))
                elif href is not None and response.status not in (404, 410):
                    return None  # there, but not shown
        except (NotACalendarServer, Blocked):
            return None
        return found

    def _get(self, href: str) -> Entry | None:
        """One object; None if it is gone. Not compressed on the way: some servers then change the tag."""
        url = self._client.url(self._home, href)
        answer = self._client.request(
            "GET", url, headers={"Accept": "text/calendar", "Accept-Encoding": "identity"}
        )
        if answer.status in (404, 410):
            return None
        if answer.status != 200:
            raise read_refused(answer)
        tag = answer.headers.get("ETag", "").strip() or _untagged()
        return Entry(href, tag, restore_crlf(_decoded(answer)))

    # --- writes ----------------------------------------------------------------------------------

    def _write(
        self,
        method: str,
        href: str,
        body: bytes,
        condition: Mapping[str, str],
        calendar: str,
        *,
        create: bool,
    ) -> Answer:
        if not self.capabilities.conditional_writes:
            self._check(href, condition)
        url = self._client.url(self._home, href)
        answer = self._client.request(method, url, body, {**condition, **(_TEXT if body else {})})
        if 200 <= answer.status < 300:
            return answer
        refusal = write_refused(answer, create=create)
        if isinstance(refusal, TagMismatch) and body and self._disliked(href, condition):
            raise object_refused(answer)
        unexplained = answer.status == 403 and not preconditions(answer)
        if unexplained and homes.is_writable(self._own(calendar, _PRIVILEGES)):
            # iCloud also says 403 to one entry that it dislikes: the calendar itself told which it is
            raise object_refused(answer)
        raise refusal

    def _check(self, href: str, condition: Mapping[str, str]) -> None:
        """For a server that does not look at conditions: look right before the write. What happens in between
        is overwritten; there is no way to do better. Raises ``TagMismatch``, ``ObjectGone``."""
        if not condition or self._holds(href, condition):
            return
        host = self._client.host
        if "If-Match" in condition and self._get(href) is None:
            raise ObjectGone(f"The entry no longer exists at {host}.")
        raise TagMismatch(f"The entry has changed at {host} in the meantime.")

    def _disliked(self, href: str, condition: Mapping[str, str]) -> bool:
        """Whether a 412 is about the entry itself (DAViCal says so), since the object is as expected."""
        try:
            return self._holds(href, condition)
        except ProviderError:
            return False

    def _holds(self, href: str, condition: Mapping[str, str]) -> bool:
        """Whether the object is as the condition wants it."""
        there = self._get(href)
        if "If-None-Match" in condition:
            return there is None
        return there is not None and there.tag == condition.get("If-Match")


def _read_cursor(cursor: str | None) -> dict[str, str]:
    if cursor is None:
        return {}
    try:
        known = json.loads(cursor)
    except ValueError:
        known = None
    if not isinstance(known, dict):
        raise CursorLost("Where we left off cannot be read any more. We list everything instead.")
    return known


def _tag(response: Response) -> str:
    return response.text(DAV + "getetag") or _untagged()


def _untagged() -> str:
    return _UNTAGGED + secrets.token_hex(8)


def _condition(expect: str | None) -> dict[str, str]:
    """The header that makes a write conditional; none where the server tells no versions apart."""
    if expect is None:
        return {"If-None-Match": "*"}
    return {} if expect.startswith(_UNTAGGED) else {"If-Match": expect}


def _decoded(answer: Answer) -> str:
    """The body as text: UTF-8 (RFC 5545 3.1.4), else what every byte sequence is."""
    try:
        return answer.body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return answer.body.decode("latin-1")
