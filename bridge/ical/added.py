"""The one line that we add to a booking's description: what the studio should know about it.

The sentence stands in the description, where every calendar app shows it, and in a property of its own, by
which it is found again; so only the user's part of a description ever travels back (design, section 4.6).
What is worth a note is decided by the plan and the sources.
"""

from __future__ import annotations

from bridge.ical.text import Component, Line, escape, parse, with_line_end

NOTE = "X-PICSELLO-BRIDGE-NOTE"
#: How the line begins; it tells the line where an app dropped the property.
SIGN = "\N{EM DASH} Picsello: "


def note(text: str) -> str | None:
    """The sentence that the booking carries, if any."""
    line = _main(parse(text)).first(NOTE)
    return line.text if line is not None else None


def noted(text: str, sentence: str) -> str:
    """The same booking with that sentence, instead of one it had; unchanged if it has it already."""
    if note(text) == sentence and SIGN + sentence in description(text).splitlines():
        return text
    calendar = parse(unnoted(text))
    event = _main(calendar)
    before = event.first("DESCRIPTION")
    said = before.text.rstrip() if before is not None else ""
    _put(event, "DESCRIPTION", f"{said}\n\n{SIGN}{sentence}" if said else SIGN + sentence)
    _put(event, NOTE, sentence)
    return calendar.serialize()


def unnoted(text: str) -> str:
    """The same booking without the sentence; every byte stays where there was none."""
    if SIGN.strip() not in text.replace("\r\n ", "") and NOTE not in text:
        return text
    calendar = parse(text)
    event = _main(calendar)
    event.items = [item for item in event.items if item.name != NOTE]
    before = event.first("DESCRIPTION")
    if before is not None:
        kept = user_part(before.text)
        if kept != before.text:
            _put(event, "DESCRIPTION", kept)
    return calendar.serialize()


def description(text: str) -> str:
    """The description as a person reads it."""
    line = _main(parse(text)).first("DESCRIPTION")
    return line.text if line is not None else ""


def user_part(said: str, added: str = "") -> str:
    """A description without our note, and without the lines of ``added`` (the last of each)."""
    lines = [line for line in said.splitlines() if not line.startswith(SIGN.strip())]
    for line in reversed(added.splitlines()):
        if line.strip():
            for at in range(len(lines) - 1, -1, -1):
                if lines[at].strip() == line.strip():
                    del lines[at]
                    break
    if len(lines) == len(said.splitlines()):
        return said
    return "\n".join(lines).strip()


def _main(calendar: Component) -> Component:
    """The master, or the first event of an object that has none."""
    events = list(calendar.components("VEVENT"))
    return next((one for one in events if one.first("RECURRENCE-ID") is None), None) or (
        events[0] if events else Component.make("VEVENT")
    )


def _put(event: Component, name: str, value: str) -> None:
    """Set, add (behind the other lines) or, for an empty value, remove a text property."""
    there = event.first(name)
    at = next((index for index, item in enumerate(event.items) if item is there), None)
    if not value:
        event.items = [item for item in event.items if item is not there]
        return
    line = there.with_value(escape(value)) if there is not None else Line.make(name, escape(value))
    line = line._replace(raw=with_line_end(line.raw, event.line_end))
    if at is not None:
        event.items[at] = line
        return
    inner = (index for index, item in enumerate(event.items) if isinstance(item, Component))
    event.items.insert(next(inner, len(event.items)), line)
