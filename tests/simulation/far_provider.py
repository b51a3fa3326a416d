"""A client of ``FarSide`` that can fail, as the engine sees it: ``bridge.ports.Provider``."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bridge.errors import (
    CalendarGone,
    CursorLost,
    NotPermitted,
    ObjectGone,
    ObjectRefused,
    RetryLater,
    SignInNeeded,
    TagMismatch,
    UnknownOutcome,
    Unreachable,
)
from bridge.ports import Capabilities, Changes, Entry, RemoteCalendar
from tests.simulation.far_side import Dial, FarCalendar, FarSide
from tests.simulation.ledger import uid_of


@dataclass(slots=True)
class FarProvider:
    """``step`` is called with a word before each request and after each write's effect: there people over
    there act in between, and there a crash may strike."""

    far: FarSide
    dial: Dial
    step: Callable[[str], None] = lambda _where: None
    requests: int = 0
    capabilities: Capabilities = field(init=False)

    def __post_init__(self) -> None:
        self.capabilities = self.far.profile.capabilities

    # --- reading --------------------------------------------------------------------------------

    def calendars(self) -> list[RemoteCalendar]:
        self._read()
        return [RemoteCalendar(name, name) for name in self.far.calendars]

    def survey(self) -> Mapping[str, str] | None:
        self._read()
        return {name: self._cursor(held) for name, held in self.far.calendars.items()}

    def changes(self, calendar: str, cursor: str | None) -> Changes:
        fault = self._read()
        held = self.far.calendars[calendar]
        if cursor is not None and fault == "lost cursor":
            raise CursorLost("The server forgot.")
        if cursor is None or not self.far.profile.tokens:
            if cursor is not None and cursor == self._cursor(held):
                return Changes((), frozenset(), False, cursor)
            return self._everything(held)
        epoch, seq = json.loads(cursor)
        if epoch != held.epoch or seq > len(held.log):
            if self.far.profile.trusts_token:
                raise CursorLost("The server forgot.")
            entries = self._everything(held).entries  # a full list, passed off as a delta
            return Changes(entries, frozenset(), False, self._cursor(held))
        touched = dict.fromkeys(href for href, _ in held.log[seq:])
        entries = tuple(self._entry(held, href) for href in touched if href in held.objects)
        gone = frozenset(href for href in touched if href not in held.objects)
        if self.far.profile.nets_out:
            there_then = {href for href, deleted in dict(held.log[:seq]).items() if not deleted}
            gone &= there_then
        return Changes(entries, gone, False, self._cursor(held))

    def fetch(self, calendar: str, hrefs: Sequence[str]) -> Iterator[Entry]:
        self._read()
        held = self.far.calendars[calendar]
        if self.far.profile.one_by_one and not held.objects.keys() >= set(hrefs):
            for _ in hrefs:
                self._read()
        for href in hrefs:
            if href in held.objects:
                tag, text = held.objects[href]
                yield Entry(href, tag, text)

    def _everything(self, held: FarCalendar) -> Changes:
        if self.dial.blank:
            return Changes((), frozenset(), True, self._cursor(held))
        return Changes(
            tuple(self._entry(held, h) for h in held.objects), frozenset(), True, self._cursor(held)
        )

    def _entry(self, held: FarCalendar, href: str) -> Entry:
        tag, text = held.objects[href]
        return Entry(href, tag, text if self.far.profile.texts_in_listing else None)

    def _cursor(self, held: FarCalendar) -> str:
        return json.dumps([held.epoch, len(held.log)])

    # --- writing --------------------------------------------------------------------------------

    def put(self, calendar: str, href: str, text: str, expect: str | None) -> Entry:
        profile, held = self.far.profile, self.far.calendars[calendar]
        if not profile.conditional or (profile.tells_text and expect is not None):
            self._read()  # it looks before it writes
        fault = self._write()
        if fault == "lost before":
            raise UnknownOutcome("No answer came.")
        current = held.objects.get(href)
        if expect is None and current is not None:
            raise TagMismatch("It is there already.")
        if expect is not None and current is None:
            raise ObjectGone("It is gone.")
        if expect is not None and current is not None and current[0] != expect:
            raise TagMismatch("It changed.")
        if expect is None and profile.ids_stay_taken and href in held.taken:
            raise ObjectGone("It was deleted there, and its name is never free again.")
        if expect is None and profile.one_uid and self._has(held, text):
            raise ObjectRefused("Another entry has the same identity.")
        tag = self.far.store(calendar, href, text)
        answer = Entry(href, *held.objects[href])
        self.step("after write")
        if fault == "lost after":
            raise UnknownOutcome("No answer came.")
        if fault == "busy after":
            raise UnknownOutcome("The server failed in the middle.")
        if profile.tells_text:
            return answer
        if profile.reads_back:
            try:
                self._read()
            except NotPermitted:
                raise UnknownOutcome("It was taken, and may not be read.") from None
            if href not in held.objects:
                raise UnknownOutcome("It was taken, and is not shown.")
        stored = held.objects.get(href)
        if not profile.tells_tag and stored is not None:
            return Entry(href, stored[0], stored[1], read_after=True)
        return Entry(href, tag)

    def delete(self, calendar: str, href: str, expect: str) -> None:
        if not self.far.profile.conditional:
            self._read()
        fault = self._write()
        held = self.far.calendars[calendar]
        if fault == "lost before":
            raise UnknownOutcome("No answer came.")
        current = held.objects.get(href)
        if current is None:
            raise ObjectGone("It is gone.")
        if current[0] != expect:
            raise TagMismatch("It changed.")
        self.far.remove(calendar, href)
        self.step("after write")
        if fault in ("lost after", "busy after"):
            raise UnknownOutcome("No answer came.")

    def _has(self, held: FarCalendar, text: str) -> bool:
        return any(uid_of(other) == uid_of(text) for _, other in held.objects.values())

    def new_href(self, calendar: str, key: str) -> str:
        return f"{calendar}{key}.ics"

    def close(self) -> None:
        pass

    # --- what goes wrong --------------------------------------------------------------------------

    def _read(self) -> str | None:
        return self._request(write=False)

    def _write(self) -> str | None:
        return self._request(write=True)

    def _request(self, *, write: bool) -> str | None:
        self.requests += 1
        self.step("request")
        if self.dial.signed_out:
            raise SignInNeeded("The password is no longer accepted.")
        fault = self.dial.fault(write, self.far.profile)
        match fault:
            case "moved":
                raise CalendarGone("There is no such calendar.")
            case "unreachable" | "truncated":
                raise Unreachable("Nobody answers.")
            case "busy" | "patience":
                raise RetryLater("Too busy.", 1.0)
            case "no sign-in":
                raise SignInNeeded("The password is not accepted.")
            case "forbidden":
                raise NotPermitted("Not today.")
        return fault
