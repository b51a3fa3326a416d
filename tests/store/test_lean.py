"""Questions that go to SQLite's driver as text are answered as SQLAlchemy would."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.store import calendars, contents, objects, people, shown
from bridge.store.lean import Lean
from tests.store.studio import NOW, Studio, event

QUESTIONS: dict[str, tuple[Lean, dict[str, Any]]] = {
    "a calendar": (calendars._BY_ID, {"id": 1}),
    "a calendar to change": (calendars._LOCKED, {"id": 1}),
    "a home": (calendars._OF_EMAIL, {"email": "anna@studio.example"}),
    "nobody's home": (calendars._OF_EMAIL, {"email": "nobody@studio.example"}),
    "an object, hidden ones too": (contents._GET_ANY, {"calendar_id": 1, "href": "hidden.ics"}),
    "an object": (contents._GET, {"calendar_id": 1, "href": "a.ics"}),
    "a UID": (contents._BY_UID, {"calendar_id": 1, "uid": "a"}),
    "the UID check": (objects._CLASH, {"calendar_id": 1, "uid": "a"}),
    "a user": (people._BY_EMAIL, {"email": "anna@studio.example"}),
    "a delta": (shown._steps, {"calendar_id": 1, "after": 1, "gone_after": 0, "most": 10}),
    "taken time": (
        shown._taken,
        {"calendar_id": 1, "floor": 0, "start": 0, "end": 2**33},
    ),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_answer_is_the_same_either_way(studio: Studio, question: str) -> None:
    studio.put("a.ics", event("a"))
    studio.put("b.ics", event("b"))
    studio.put("hidden.ics", event("hidden"), hidden=True)
    with studio.db.writing() as tx:
        objects.set_props(tx, 1, {"colour": "#ff0000"}, NOW)
    studio.delete("b.ics")
    lean, values = QUESTIONS[question]
    with studio.db.writing() as tx:
        usual = [tuple(row) for row in tx.execute(lean.statement, values)]
        assert [tuple(row) for row in lean.all(tx, **values)] == usual
        assert lean.first(tx, **values) == (usual[0] if usual else None)
    assert bool(usual) == ("nobody" not in question)
