"""A provider in memory: calendars with tags, tokens and tombstones, and a client of it that can fail.

``FarSide`` is the truth over there and what people do to it. ``FarProvider`` implements ``ports.Provider``
on it, with a ``Profile`` of what that server can and cannot do and a ``Dial`` that decides, request by
request, what goes wrong. Where real servers can run, tests use those; this is for the simulation, which
needs a hundred thousand of them and their failures at will.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from bridge.errors import (
    CursorLost,
    NotPermitted,
    ObjectGone,
    RetryLater,
    SignInNeeded,
    TagMismatch,
    UnknownOutcome,
    Unreachable,
)
from bridge.ical.fields import fingerprint
from bridge.ports import Capabilities, Changes, Entry, RemoteCalendar


@dataclass(frozen=True, slots=True)
class Profile:
    """What a server is like. The names are situations of the notes' tables."""

    name: str = "plain"
    tokens: bool = True
    trusts_token: bool = True
    rewrites: bool = False  # adds a line of its own to whatever it stores
    only_new: bool = False  # only to what is new to it
    tells_tag: bool = True  # a PUT is answered with the new tag
    texts_in_listing: bool = False


PROFILES = (
    Profile(),
    Profile("no token", tokens=False),
    Profile("rewriting", rewrites=True),
    Profile("rewriting what is new", rewrites=True, only_new=True),
    Profile("no tag on put", tells_tag=False),
    Profile("rewriting, no tag", rewrites=True, tells_tag=False),
    Profile("lying token", trusts_token=False),
    Profile("texts in listing", texts_in_listing=True),
)


@dataclass(slots=True)
class FarCalendar:
    """Href -> (tag, text), and a log of (href, deleted) that tokens point into."""

    objects: dict[str, tuple[str, str]] = field(default_factory=dict)
    log: list[tuple[str, bool]] = field(default_factory=list)
    epoch: int = 0  # a token of another epoch is lost


@dataclass(slots=True)
class FarSide:
    """Everything one account holds over there."""

    profile: Profile
    calendars: dict[str, FarCalendar] = field(default_factory=dict)
    versions: int = 0

    def store(self, calendar: str, href: str, text: str) -> str:
        if self.profile.rewrites and not (self.profile.only_new and href in self.calendars[calendar].objects):
            text = _with_server_line(text)
        self.versions += 1
        tag = f'"{self.versions}"'
        held = self.calendars[calendar]
        held.objects[href] = (tag, text)
        held.log.append((href, False))
        return tag

    def remove(self, calendar: str, href: str) -> None:
        held = self.calendars[calendar]
        del held.objects[href]
        held.log.append((href, True))

    def lose_tokens(self) -> None:
        for held in self.calendars.values():
            held.epoch += 1


def _with_server_line(text: str) -> str:
    if "X-SERVER-WAS-HERE" in text:
        return text
    return text.replace("END:VEVENT", "X-SERVER-WAS-HERE:1\r\nEND:VEVENT", 1)


@dataclass(slots=True)
class Dial:
    """Which requests fail, and how. ``rate`` is the share of faulty requests; 0 turns the dial off."""

    random: Random
    rate: float = 0.0
    faulty: int = 0
    requests: int = 0
    signed_out: bool = False
    blank: bool = False  # the next listings of everything come back empty

    READ_FAULTS = ("unreachable", "busy", "no sign-in", "forbidden", "lost cursor", "truncated")
    WRITE_FAULTS = (
        "unreachable",
        "busy",
        "no sign-in",
        "forbidden",
        "lost before",
        "lost after",
        "busy after",
    )

    def fault(self, write: bool) -> str | None:
        self.requests += 1
        if self.random.random() >= self.rate:
            return None
        self.faulty += 1
        return self.random.choice(self.WRITE_FAULTS if write else self.READ_FAULTS)


@dataclass(slots=True)
class FarProvider:
    """A client of ``FarSide`` as the engine sees it. ``before_request`` and ``after_request`` are where
    people over there act in between, and where a crash may strike."""

    far: FarSide
    dial: Dial
    step: object = None  # called with a word before and after each request
    requests: int = 0
    capabilities: Capabilities = field(init=False)

    def __post_init__(self) -> None:
        profile = self.far.profile
        self.capabilities = Capabilities(sync_token=profile.tokens, trusts_token=profile.trusts_token)

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
        return Changes(entries, gone, False, self._cursor(held))

    def fetch(self, calendar: str, hrefs: Sequence[str]) -> Iterator[Entry]:
        self._read()
        held = self.far.calendars[calendar]
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
        fault = self._write()
        held = self.far.calendars[calendar]
        if fault == "lost before":
            raise UnknownOutcome("No answer came.")
        current = held.objects.get(href)
        if expect is None and current is not None:
            raise TagMismatch("It is there already.")
        if expect is not None and current is None:
            raise ObjectGone("It is gone.")
        if expect is not None and current is not None and current[0] != expect:
            raise TagMismatch("It changed.")
        tag = self.far.store(calendar, href, text)
        self._step("after write")
        if fault == "lost after":
            raise UnknownOutcome("No answer came.")
        if fault == "busy after":
            raise UnknownOutcome("The server failed in the middle.")
        stored = held.objects.get(href)
        if not self.far.profile.tells_tag and stored is not None:
            return Entry(href, stored[0], stored[1], read_after=True)
        return Entry(href, tag)

    def delete(self, calendar: str, href: str, expect: str) -> None:
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
        self._step("after write")
        if fault in ("lost after", "busy after"):
            raise UnknownOutcome("No answer came.")

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
        self._step("request")
        if self.dial.signed_out:
            raise SignInNeeded("The password is no longer accepted.")
        fault = self.dial.fault(write)
        match fault:
            case "unreachable" | "truncated":
                raise Unreachable("Nobody answers.")
            case "busy":
                raise RetryLater("Too busy.", 1.0)
            case "no sign-in":
                raise SignInNeeded("The password is not accepted.")
            case "forbidden":
                raise NotPermitted("Not today.")
        return fault

    def _step(self, where: str) -> None:
        if callable(self.step):
            self.step(where)


def same_content(one: str, other: str) -> bool:
    """Equal but for what the rewriting server adds."""
    return fingerprint(_with_server_line(one)) == fingerprint(_with_server_line(other))
