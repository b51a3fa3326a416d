"""Events to plan with: one text, and the edits that people make."""

from __future__ import annotations

from tests.simulation.ledger import new_text, with_edit

UID = "shoot-1"


def event(number: int = 1, **edits: int) -> str:
    """An event whose groups all show ``number``, but for those given (``title=7``)."""
    text = new_text(UID, number)
    for group, value in edits.items():
        text = with_edit(text, group, value)
    return text


def cancelled(text: str) -> str:
    return text.replace("END:VEVENT", "STATUS:CANCELLED\r\nEND:VEVENT", 1)
