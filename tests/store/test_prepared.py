"""Statements that go straight to the driver are answered as SQLAlchemy would."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest
from sqlalchemy import bindparam, insert, select
from sqlalchemy.exc import IntegrityError

from bridge.store import calendars, contents, objects, people, shown
from bridge.store.prepared import Prepared
from bridge.store.tables import calendar
from tests.store.studio import NOW, Studio, event

QUESTIONS: dict[str, tuple[Prepared[Any], dict[str, Any]]] = {
    "a calendar": (calendars._BY_ID, {"id": 1}),
    "a calendar to change": (calendars._LOCKED, {"id": 1}),
    "a home": (calendars._OF_EMAIL, {"email": "anna@studio.example"}),
    "nobody's home": (calendars._OF_EMAIL, {"email": "nobody@studio.example"}),
    "an object, hidden ones too": (contents._GET_ANY, {"calendar_id": 1, "href": "hidden.ics"}),
    "an object": (contents._GET, {"calendar_id": 1, "href": "a.ics"}),
    "a UID": (contents._BY_UID, {"calendar_id": 1, "uid": "a"}),
    "the UID check": (objects._MEETS, {"calendar_id": 1, "href": "b.ics", "uid": "a"}),
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
    prepared, values = QUESTIONS[question]
    with studio.db.writing() as tx:
        usual = [tuple(row) for row in tx.execute(prepared.statement, values)]
        assert [plain(row) for row in prepared.all(tx, values)] == usual
        first = prepared.first(tx, values)
    assert (None if first is None else plain(first)) == (usual[0] if usual else None)
    assert bool(usual) == ("nobody" not in question)


def plain(row: Any) -> tuple[Any, ...]:
    return row if isinstance(row, tuple) else tuple(getattr(row, field.name) for field in fields(row))


def test_what_is_not_given_gets_its_default(studio: Studio) -> None:
    with studio.db.writing() as tx:
        add = Prepared(insert(calendar).returning(calendar.c.seq, calendar.c.props, calendar.c.editable))
        given = {"user_id": 1, "name": "n", "kind": "mirror", "title": "N", "generation": 1, "modified": NOW}
        assert add.first(tx, given) == (0, {}, True)


def test_a_refused_row_is_told_as_sqlalchemy_tells_it_without_its_values(studio: Studio) -> None:
    add = Prepared(insert(calendar))
    with studio.db.writing() as tx, pytest.raises(IntegrityError) as refused, tx.begin_nested():
        add.run(tx, {"user_id": 1, "name": "secret", "modified": NOW})
    assert "parameters" not in str(refused.value)


def test_a_statement_that_takes_a_list_is_not_for_this(studio: Studio) -> None:
    some = Prepared(select(calendar.c.id).where(calendar.c.id.in_(bindparam("ids", expanding=True))))
    with studio.db.reading() as tx, pytest.raises(TypeError):
        some.all(tx, {"ids": [1, 2]})
