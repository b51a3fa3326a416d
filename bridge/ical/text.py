"""iCalendar text as a tree of lines and components, byte for byte (RFC 5545 3.1 to 3.4).

``parse`` accepts whatever real clients and servers send, and ``Component.serialize`` gives back
exactly the text that went in, except for the items that the caller replaced. What the properties
mean is left to the sibling modules.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from bridge.errors import Invalid

#: RFC 4791 5.3.2.1: what a client is told about a text that is no iCalendar.
NOT_CALENDAR_DATA = "valid-calendar-data"

#: Content lines are folded so that none is longer, line end excluded (RFC 5545 3.1).
FOLD_OCTETS = 75

_LOGICAL_LINE = re.compile(r"[^\n]*(?:\n[ \t][^\n]*)*\n?")
_FOLD = re.compile(r"\r*\n[ \t]")
_NAME = re.compile(r"(?:([A-Za-z0-9_-]+)\.)?([A-Za-z0-9_-]+)")
_QUOTED_HEAD = re.compile(r'((?:[^":]|"[^"]*")*):')
_QUOTED_PARAM = re.compile(r';((?:[^";]|"[^"]*")*)')
_ESCAPED = re.compile(r"\\([\\;,nN])")
_CARET = re.compile(r"\^([n^'])")  # RFC 6868


class Line(NamedTuple):
    """One content line.

    ``name`` is in upper case and empty for a line that is blank or no property at all. ``params`` are
    (name in upper case, value as spelled) in their order. ``value`` is unfolded and still escaped.
    ``raw`` is the line as it came, folding and line end included. ``group`` is what stood before a dot
    (``item1.X-ABC``), in upper case.
    """

    name: str
    params: tuple[tuple[str, str], ...]
    value: str
    raw: str
    group: str = ""

    @staticmethod
    def make(name: str, value: str, params: Iterable[tuple[str, str]] = ()) -> Line:
        """A new line with CRLF, folded between characters. ``value`` must be escaped already where its
        type asks for it; parameter values are quoted and encoded here (RFC 6868)."""
        spelled = tuple((key.upper(), _spell_param(given)) for key, given in params)
        head = name + "".join(f";{key}={given}" for key, given in spelled)
        return Line(name.upper(), spelled, value, fold(f"{head}:{value}"))

    def param(self, name: str) -> str | None:
        """The parameter's first value without quotes, None if there is none."""
        for key, spelled in self.params:
            if key == name:
                return plain_param(spelled)
        return None

    @property
    def text(self) -> str:
        """The value read as TEXT."""
        return unescape(self.value)

    def with_param(self, name: str, value: str) -> Line:
        """The same line with one of its parameters changed, folded anew with CRLF."""
        spelled = tuple((key, _spell_param(value) if key == name else given) for key, given in self.params)
        return self._spelled(spelled, self.value)

    def with_value(self, value: str) -> Line:
        """The same property with another value, folded anew with CRLF."""
        return self._spelled(self.params, value)

    def _spelled(self, params: tuple[tuple[str, str], ...], value: str) -> Line:
        head = f"{self.group}.{self.name}" if self.group else self.name
        content = head + "".join(f";{key}={given}" for key, given in params) + ":" + value
        return Line(self.name, params, value, fold(content), self.group)


@dataclass(slots=True)
class Component:
    """A BEGIN ... END block. ``items`` may be replaced; ``begin`` and ``end`` are raw lines.

    For the calendar itself, ``begin`` and ``end`` also hold the blank lines around it."""

    name: str
    items: list[Line | Component]
    begin: str
    end: str

    @staticmethod
    def make(name: str, items: Iterable[Line | Component] = ()) -> Component:
        """A new component with CRLF."""
        return Component(name, list(items), f"BEGIN:{name}\r\n", f"END:{name}\r\n")

    def serialize(self) -> str:
        """The text: byte for byte what was parsed, wherever nothing was replaced."""
        pieces: list[str] = []
        self._collect(pieces)
        return "".join(pieces)

    def _collect(self, pieces: list[str]) -> None:
        pieces.append(self.begin)
        for item in self.items:
            if isinstance(item, Line):
                pieces.append(item.raw)
            else:
                item._collect(pieces)
        pieces.append(self.end)

    def lines(self, name: str | None = None) -> Iterator[Line]:
        """The component's own lines (blank ones too unless a name is given), in order."""
        if name is None:
            return (item for item in self.items if isinstance(item, Line))
        return (item for item in self.items if item.name == name and isinstance(item, Line))

    def components(self, name: str | None = None) -> Iterator[Component]:
        """The direct sub-components, in order."""
        if name is None:
            return (item for item in self.items if isinstance(item, Component))
        return (item for item in self.items if item.name == name and isinstance(item, Component))

    def first(self, name: str) -> Line | None:
        """The first line of that name."""
        for item in self.items:
            if item.name == name and isinstance(item, Line):
                return item
        return None

    def value(self, name: str) -> str | None:
        """The first such line's value, unfolded and still escaped."""
        line = self.first(name)
        return None if line is None else line.value

    def deep_lines(self) -> Iterator[Line]:
        """All lines, those of sub-components included."""
        for item in self.items:
            if isinstance(item, Line):
                yield item
            else:
                yield from item.deep_lines()

    def copy(self) -> Component:
        """A tree of its own; the lines are shared, as they never change."""
        items = [item.copy() if isinstance(item, Component) else item for item in self.items]
        return Component(self.name, items, self.begin, self.end)

    @property
    def line_end(self) -> str:
        """What this component's lines end with: CRLF, or a bare LF where XML or a tool changed it."""
        return "\r\n" if "\r\n" in self.begin else "\n"


def parse(text: str) -> Component:
    """Read one VCALENDAR.

    Tolerated: LF or mixed line ends, blank lines anywhere, folds inside a character (as surrogate
    escapes), lower case, grouped names, unbalanced quotes, a byte order mark, a missing last line end,
    and lines that are no property: they are the rest of a text whose author forgot to fold it, so they
    belong to the line before (``"\\n"`` joins them in its value).

    Raises Invalid (valid-calendar-data), naming the line, if it is no iCalendar at all: it does not start
    with BEGIN:VCALENDAR, components do not nest, it is cut off, or it holds more than one calendar.
    """
    raws = _LOGICAL_LINE.findall(text)
    torn = _has_torn_characters(text)
    root: Component | None = None
    lead = ""
    stack: list[Component] = []
    items: list[Line | Component] = []  # of the innermost open component
    for index, raw in enumerate(raws):
        line = _read(raw, torn)
        name = line.name
        if name == "BEGIN":
            kind = line.value.strip().upper()
            if not stack:
                if root is not None:
                    raise _broken(raws, index, "a second calendar begins there")
                if kind != "VCALENDAR":
                    raise _broken(raws, index, "it should be BEGIN:VCALENDAR")
                root = opened = Component(kind, [], lead + raw, "")
            else:
                opened = Component(kind, [], raw, "")
                items.append(opened)
            stack.append(opened)
            items = opened.items
        elif name == "END":
            kind = line.value.strip().upper()
            if not stack or stack[-1].name != kind:
                raise _broken(raws, index, f"END:{kind} closes nothing that is open")
            stack.pop().end = raw
            if stack:
                items = stack[-1].items
        elif stack:
            if not name and line.value and items and isinstance(items[-1], Line) and items[-1].name:
                before = items[-1]
                items[-1] = before._replace(value=f"{before.value}\n{line.value}", raw=before.raw + raw)
            else:
                items.append(line)
        elif not raw.strip("\ufeff \t\r\n"):
            if root is None:
                lead += raw
            else:
                root.end += raw
        else:
            raise _broken(
                raws, index, "it should be BEGIN:VCALENDAR" if root is None else "the calendar ended before"
            )
    if root is None:
        raise Invalid("This is not calendar data: it is empty.", NOT_CALENDAR_DATA)
    if stack:
        raise Invalid(
            f"The calendar data is cut off: END:{stack[-1].name} is missing. Send it again.",
            NOT_CALENDAR_DATA,
        )
    return root


def tree(text: str | Component) -> Component:
    """The parsed form; what is parsed already is passed through."""
    return parse(text) if isinstance(text, str) else text


def decode(body: bytes, charset: str = "utf-8") -> str:
    """Bytes to text without loss. Where a fold cuts a UTF-8 character in two (RFC 5545 3.1 allows for
    such writers) the fold is taken out, since no text column could hold the halves.

    Raises Invalid (valid-calendar-data) for bytes that are not of the charset, or hold NUL."""
    try:
        text = body.decode(charset)
    except LookupError:
        raise Invalid(f"The character set {charset} is unknown. Use UTF-8.", NOT_CALENDAR_DATA) from None
    except UnicodeDecodeError:
        try:
            text = _mend_folds(body).decode(charset)
        except UnicodeDecodeError:
            raise Invalid("The calendar data is not UTF-8 text.", NOT_CALENDAR_DATA) from None
    if "\0" in text:
        raise Invalid(
            "The calendar data holds a NUL character, which no calendar text may.", NOT_CALENDAR_DATA
        )
    return text


def restore_crlf(text: str) -> str:
    """Undo what XML did to line ends (XML 1.0 2.11): every line ends with CRLF again."""
    if text.count("\n") == text.count("\r\n"):
        return text
    return text.replace("\r\n", "\n").replace("\n", "\r\n")


def with_line_end(raw: str, line_end: str) -> str:
    """A raw line or block with the given line end throughout."""
    bare = raw.replace("\r\n", "\n")
    return bare if line_end == "\n" else bare.replace("\n", line_end)


def escape(text: str) -> str:
    """Plain text to a TEXT value (RFC 5545 3.3.11)."""
    text = text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return text.replace("\r\n", "\\n").replace("\n", "\\n")


def unescape(value: str) -> str:
    """A TEXT value to plain text. A backslash before anything else stands for itself."""
    if "\\" not in value:
        return value
    return _ESCAPED.sub(lambda found: "\n" if found[1] in "nN" else found[1], value)


def fold(content: str) -> str:
    """A content line with CRLF, folded between characters at 75 octets."""
    if len(content) <= FOLD_OCTETS and len(content.encode("utf-8", "surrogatepass")) <= FOLD_OCTETS:
        return content + "\r\n"
    pieces: list[str] = []
    start = room = 0
    room = FOLD_OCTETS
    for index, character in enumerate(content):
        octets = len(character.encode("utf-8", "surrogatepass"))
        if octets > room:
            pieces.append(content[start:index])
            start, room = index, FOLD_OCTETS - 1  # the blank counts
        room -= octets
    pieces.append(content[start:])
    return "\r\n ".join(pieces) + "\r\n"


def unfold(raw: str) -> str:
    """A raw line's content, without folds and line end."""
    content = raw.rstrip("\r\n")
    return _FOLD.sub("", content) if "\n" in content else content


def plain_param(spelled: str) -> str:
    """A parameter value without quotes and RFC 6868 carets; of several, joined by commas."""
    plain = spelled.replace('"', "")
    if "^" in plain:
        plain = _CARET.sub(lambda found: {"n": "\n", "^": "^", "'": '"'}[found[1]], plain)
    return plain


def _spell_param(value: str) -> str:
    spelled = value.replace("^", "^^").replace("\r\n", "^n").replace("\n", "^n").replace('"', "^'")
    return f'"{spelled}"' if any(character in spelled for character in ":;,") else spelled


def _read(raw: str, torn: bool) -> Line:
    """One logical line. Never fails: what is no property has no name."""
    content = unfold(raw)
    if torn:
        content = content.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    head, colon, value = content.partition(":")
    params: tuple[tuple[str, str], ...] = ()
    if ";" in head:
        if '"' in head:
            quoted = _QUOTED_HEAD.match(content)
            if quoted is not None:  # else a quote is left open: the first colon it is
                head, value = quoted[1], content[quoted.end() :]
            name, _, rest = head.partition(";")
            spelled = _QUOTED_PARAM.findall(";" + rest) if head.count('"') % 2 == 0 else rest.split(";")
        else:
            name, *spelled = head.split(";")
        pairs = (item.partition("=") for item in spelled if item)
        params = tuple((key.strip().upper(), given) for key, _, given in pairs)
    else:
        name = head
    if not colon:
        return Line("", (), content, raw)
    if name.isascii() and name.replace("-", "x").isalnum():  # nearly all of them, and fast
        return Line(name.upper(), params, value, raw)
    named = _NAME.fullmatch(name.strip("\ufeff \t"))
    if named is None:
        return Line("", (), content, raw)
    group, bare = named.groups()
    return Line(bare.upper(), params, value, raw, group.upper() if group else "")


def _has_torn_characters(text: str) -> bool:
    if text.isascii():
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _mend_folds(body: bytes) -> bytes:
    """Take out the folds that stand before a UTF-8 continuation byte."""
    return re.sub(rb"\r?\n[ \t](?=[\x80-\xbf])", b"", body)


def _broken(raws: list[str], index: int, why: str) -> Invalid:
    number = "".join(raws[:index]).count("\n") + 1
    shown = unfold(raws[index]).strip()[:60]
    if shown.startswith("<"):
        return Invalid("This is a web page or XML, not calendar data.", NOT_CALENDAR_DATA)
    return Invalid(f"This is not calendar data: line {number} reads “{shown}”, but {why}.", NOT_CALENDAR_DATA)
