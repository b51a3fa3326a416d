"""The situations of ``tests/ics`` and plain-text tools to edit them, written without the code under test."""

from __future__ import annotations

import difflib
import re
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "ics"
NAMES = sorted(path.stem for path in FOLDER.glob("*.ics"))

#: What may differ after any edit, besides the lines of the edited group.
BOOKKEEPING = {"DTSTAMP", "LAST-MODIFIED", "SEQUENCE"}


def situation(name: str) -> str:
    """The text as our readers get it: bytes that are no UTF-8 by themselves as surrogate escapes."""
    return (FOLDER / f"{name}.ics").read_bytes().decode("utf-8", "surrogateescape")


def logical_lines(text: str) -> list[str]:
    """Content lines with their folds and line ends; what has no colon goes with the line before."""
    return re.findall(r"[^\n]*\n(?:(?:[ \t][^\n]*|[^:;\r\n]+\r?)\n)*|[^\n]+$", text)


def property_name(line: str) -> str:
    """``SUMMARY`` of a content line; what stands before a dot is left out."""
    return re.split(r"[:;\r\n]", line, maxsplit=1)[0].upper().rpartition(".")[2]


def line_diff(before: str, after: str) -> tuple[list[str], list[str]]:
    """(lines that went, lines that came), in order; lines that moved count as both."""
    old, new = logical_lines(before), logical_lines(after)
    gone, came = [], []
    for tag, i, j, k, m in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            gone += old[i:j]
            came += new[k:m]
    return gone, came


def touched(before: str, after: str) -> set[str]:
    """The names of all properties (and BEGIN, END) whose lines differ."""
    gone, came = line_diff(before, after)
    return {property_name(line) for line in gone + came}


def without(text: str, name: str, part: int = 0) -> str:
    """The text without a property in its ``part``-th event, task or journal entry (alarms not looked at)."""
    return _edit(text, name, None, part)


def with_line(text: str, line: str, part: int = 0) -> str:
    """The text with one property replaced, or added where the component begins."""
    return _edit(text, property_name(line), line, part)


def with_block(text: str, block: str, part: int = 0) -> str:
    """The text with a sub-component added at the end of its ``part``-th component."""
    lines = logical_lines(text)
    end = _bounds(lines)[part][1]
    ending = "\r\n" if lines[end].endswith("\r\n") else "\n"
    return "".join([*lines[:end], *(row + ending for row in block.split("\n")), *lines[end:]])


def without_blocks(text: str, name: str) -> str:
    """The text without all sub-components of a name."""
    return re.sub(rf"BEGIN:{name}\r?\n.*?END:{name}\r?\n", "", text, flags=re.DOTALL | re.IGNORECASE)


def without_part(text: str, part: int) -> str:
    """The text without its ``part``-th event, task or journal entry."""
    lines = logical_lines(text)
    begin, end = _bounds(lines)[part]
    return "".join(lines[:begin] + lines[end + 1 :])


def with_part(text: str, block: str) -> str:
    """The text with one more event behind all others."""
    ending = "\r\n" if "\r\n" in text else "\n"
    head, end, tail = text.rpartition("END:VCALENDAR")
    return head + "".join(row + ending for row in block.strip().split("\n")) + end + tail


def rewritten_by_a_server(text: str) -> str:
    """The same object as a server may give it back: properties in alphabetical order, parameters too,
    everything unfolded, its own stamps, an alarm named, the folds elsewhere."""
    out: list[str] = []
    block: list[str] = []

    def flush() -> None:
        out.extend(sorted(block, key=lambda row: (property_name(row), block.index(row))))
        block.clear()

    for line in logical_lines(text):
        content = re.sub(r"\r?\n[ \t]", "", line).rstrip("\r\n").removeprefix("\ufeff")
        name = property_name(content)
        if not content:
            continue
        if name in ("BEGIN", "END"):
            flush()
            out.append(content)
            if content.upper() == "BEGIN:VEVENT":
                block.append("X-LIC-ERROR:rewritten")
            continue
        if name in ("DTSTAMP", "CREATED", "LAST-MODIFIED"):
            content = f"{name}:20240909T090909Z"
        block.append(content)
    return "".join(row + "\r\n" for row in out)


def _bounds(lines: list[str]) -> list[tuple[int, int]]:
    found, begin = [], None
    for index, line in enumerate(lines):
        content = line.strip().upper()
        if content in ("BEGIN:VEVENT", "BEGIN:VTODO", "BEGIN:VJOURNAL"):
            begin = index
        elif content in ("END:VEVENT", "END:VTODO", "END:VJOURNAL"):
            assert begin is not None
            found.append((begin, index))
    return found


def _edit(text: str, name: str, replacement: str | None, part: int) -> str:
    lines = logical_lines(text)
    begin, end = _bounds(lines)[part]
    ending = "\r\n" if lines[begin].endswith("\r\n") else "\n"
    depth, at = 0, None
    kept: list[str] = []
    for index, line in enumerate(lines):
        if begin < index < end:
            kind = property_name(line)
            if kind == name and depth == 0:
                if at is None:
                    at = len(kept)
                continue
            depth += {"BEGIN": 1, "END": -1}.get(kind, 0)
        kept.append(line)
    if replacement is not None:
        kept.insert(begin + 1 if at is None else at, replacement + ending)
    return "".join(kept)
