"""What people did, in which order and having seen what: the truth that invariants are checked against.

Every edit sets one field group of one object to a value that carries the edit's number, so that a text tells
which edits it shows. An edit supersedes the one it replaced before the eyes of whoever made it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, timedelta

GROUPS = ("title", "place", "notes", "when")
_FIRST_DAY = date(2030, 1, 1)
_FOREIGN = re.compile(r'^X-FOREIGN;X-P="?1"?:(.*?)\r?$', re.M)
_PATTERN = {
    "title": re.compile(r"^SUMMARY:t(\d+)", re.M),
    "place": re.compile(r"^LOCATION:p(\d+)", re.M),
    "notes": re.compile(r"^DESCRIPTION:n(\d+)", re.M),
    "when": re.compile(r"^DTSTART;TZID=Europe/Berlin:(\d{8})T100000", re.M),
}


def shown(text: str) -> dict[str, int]:
    """Group -> number of the edit whose value the text shows."""
    found: dict[str, int] = {}
    for group, pattern in _PATTERN.items():
        match = pattern.search(text)
        if match is None:
            continue
        if group == "when":
            raw = match[1]
            day = date(int(raw[:4]), int(raw[4:6]), int(raw[6:]))
            found[group] = (day - _FIRST_DAY).days
        else:
            found[group] = int(match[1])
    return found


def uid_of(text: str) -> str:
    """The UID of an object's text."""
    start = text.index("UID:") + 4
    return text[start : text.index("\r\n", start)]


def told_by(text: str) -> str:
    """Which story a text belongs to, whatever UID a publisher gives it this time."""
    return found[1] if (found := _FOREIGN.search(text)) else uid_of(text)


def line_of(group: str, number: int) -> str:
    if group == "when":
        return f"DTSTART;TZID=Europe/Berlin:{_FIRST_DAY + timedelta(days=number):%Y%m%d}T100000"
    name, letter = {"title": ("SUMMARY", "t"), "place": ("LOCATION", "p"), "notes": ("DESCRIPTION", "n")}[
        group
    ]
    return f"{name}:{letter}{number}"


def new_text(uid: str, number: int) -> str:
    """An object all of whose groups show edit ``number``, with things we do not own."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//somebody//EN",
        "BEGIN:VEVENT",
        f"UID:{uid}",
        "DTSTAMP:20260101T000000Z",
        *(line_of(group, number) for group in GROUPS),
        "DURATION:PT1H",
        f"X-FOREIGN;X-P=1:{uid}",
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        "TRIGGER:-PT15M",
        "DESCRIPTION:soon",
        "END:VALARM",
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    ]
    return "\r\n".join(lines)


def with_edit(text: str, group: str, number: int) -> str:
    """The text after somebody set that group; DTSTAMP moves along, as clients do."""
    head, begin, event = text.partition("BEGIN:VEVENT")  # a definition of its zone has starts of its own
    line = line_of(group, number)
    time = f"{number // 3600 % 24:02}{number // 60 % 60:02}{number % 60:02}"
    for name, new in ((re.split("[:;]", line)[0], line), ("DTSTAMP", f"DTSTAMP:20260102T{time}Z")):
        event = re.sub(rf"^{name}[;:].*?\r?$", f"{new}\r", event, count=1, flags=re.M)
    return head + begin + event


@dataclass(slots=True)
class Story:
    """All that happened to one object."""

    uid: str
    kind: str  # booking | block | foreign
    link: int | None  # which link's mirror a foreign one belongs to
    edits: dict[str, list[int]] = field(default_factory=lambda: {g: [] for g in GROUPS})
    superseded: dict[tuple[str, int], list[int]] = field(default_factory=dict)
    deletions: list[dict[str, int]] = field(default_factory=list)  # what each deleter saw
    cancelled: bool = False
    blind: bool = False  # acted upon there while the outcome of a write of ours was unknown
    side_of: dict[tuple[str, int], str] = field(default_factory=dict)

    def latest(self, group: str) -> list[int]:
        """Edits of a group that nobody replaced knowingly, and that did not go with a deletion."""
        return [
            number
            for number in self.edits[group]
            if (group, number) not in self.superseded and not self.seen_by_deleter(group, number)
        ]

    def may_show(self, group: str, number: int) -> bool:
        """Whether a value may stand in the end: nothing that replaced it, however indirectly, still
        counts."""
        ahead, latest = [number], set(self.latest(group)) - {number}
        while ahead:
            if latest & set(by := self.superseded.get((group, ahead.pop()), [])):
                return False
            ahead += by
        return True

    def seen_by_deleter(self, group: str, number: int) -> bool:
        """Whether somebody deleted the object with that value before their eyes: they gave it up
        knowingly."""
        return any(seen.get(group) == number for seen in self.deletions)

    def edited_unseen(self) -> bool:
        """Whether some latest edit was made by somebody a deleter had not heard of."""
        return any(
            all(seen.get(group) != number for seen in self.deletions)
            for group in GROUPS
            for number in self.latest(group)
        )


@dataclass(slots=True)
class Ledger:
    """Every story, and a counter that numbers edits."""

    stories: dict[str, Story] = field(default_factory=dict)
    count: int = 0

    def created(self, uid: str, kind: str, link: int | None, side: str) -> int:
        self.count += 1
        story = self.stories[uid] = Story(uid, kind, link)
        for group in GROUPS:
            story.edits[group].append(self.count)
            story.side_of[group, self.count] = side
        return self.count

    def edited(self, uid: str, group: str, seen: dict[str, int], side: str) -> int:
        self.count += 1
        number = self.count
        story = self.stories[uid]
        story.edits[group].append(number)
        story.side_of[group, number] = side
        if group in seen:
            story.superseded.setdefault((group, seen[group]), []).append(number)
        return number

    def deleted(self, uid: str, seen: dict[str, int]) -> None:
        self.stories[uid].deletions.append(seen)
