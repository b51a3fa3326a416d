"""The provider in memory: calendars with tags, tokens and tombstones, and a dial of what goes wrong.

``FarSide`` is the truth over there and what people do to it; ``profiles`` says how it keeps what it is given,
``far_provider`` and ``far_feed`` are what the engine sees of it. Where real servers can run, tests use those;
this is for the simulation, which needs a hundred thousand of them and their failures at will.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from bridge.ical.fields import fingerprint
from tests.simulation.profiles import Profile


@dataclass(slots=True)
class FarCalendar:
    """Href -> (tag, text), and a log of (href, deleted) that tokens point into."""

    objects: dict[str, tuple[str, str]] = field(default_factory=dict)
    log: list[tuple[str, bool]] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)  # every href there ever was
    epoch: int = 0  # a token of another epoch is lost


@dataclass(slots=True)
class FarSide:
    """Everything one account holds over there."""

    profile: Profile
    calendars: dict[str, FarCalendar] = field(default_factory=dict)
    versions: int = 0

    def store(self, calendar: str, href: str, text: str) -> str:
        held = self.calendars[calendar]
        there = href in held.objects
        if not (self.profile.only_new and there):
            text = self.profile.spelled(text)
        self.versions += 1
        tag = f'"{self.versions}"'
        held.objects[href] = (tag, text)
        held.taken.add(href)
        if self.profile.tells_all or not there or self.versions % 5:
            held.log.append((href, False))
        return tag

    def remove(self, calendar: str, href: str) -> None:
        held = self.calendars[calendar]
        del held.objects[href]
        held.log.append((href, True))

    def lose_tokens(self) -> None:
        for held in self.calendars.values():
            held.epoch += 1


@dataclass(slots=True)
class Dial:
    """Which requests fail, and how. ``rate`` is the share of faulty requests; 0 turns the dial off."""

    random: Random
    rate: float = 0.0
    faulty: int = 0
    requests: int = 0
    signed_out: bool = False
    script: list[str | None] = field(default_factory=list)  # what happens to the next writes
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

    def fault(self, write: bool, profile: Profile) -> str | None:
        self.requests += 1
        if write and self.script:
            return self.script.pop(0)
        if self.rate and profile.busy and self.random.random() < profile.busy:
            self.faulty += 1
            return "patience"
        if self.random.random() >= self.rate:
            return None
        self.faulty += 1
        if write:
            return self.random.choice(self.WRITE_FAULTS)
        return self.random.choice((*self.READ_FAULTS, "moved") if profile.moves else self.READ_FAULTS)


def same_content(profile: Profile, one: str, other: str) -> bool:
    """Whether two texts mean the same, but for what that server makes of a text."""
    return fingerprint(profile.spelled(one)) == fingerprint(profile.spelled(other))
