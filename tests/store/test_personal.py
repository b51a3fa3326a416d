"""A calendar that its owner made: no pass hears of it, no slot closes, and anything may be in it."""

from __future__ import annotations

import pytest

from bridge.errors import AlreadyThere, NotAllowed
from bridge.store import calendars
from tests.store.studio import NOW, Studio, event

TASK = event("tax").replace("VEVENT", "VTODO")


def personal(studio: Studio, name: str = "tasks", components: tuple[str, ...] = calendars.COMPONENTS) -> int:
    with studio.db.writing() as tx:
        return calendars.create_personal(
            tx, studio.user_id, name, title="Tasks", components=components, props={}, now=NOW
        )


def test_it_holds_what_it_was_made_for(studio: Studio) -> None:
    made = personal(studio, components=("VTODO", "VEVENT"))
    with studio.db.reading() as tx:
        row = calendars.get(tx, made)
        assert (row.kind, row.components) == ("personal", ("VEVENT", "VTODO"))
        assert calendars.get(tx, studio.bookings).components == ("VEVENT",)


def test_its_changes_make_no_link_due(studio: Studio) -> None:
    studio.link("/work/", writes=True)
    made = personal(studio)
    assert studio.put("a.ics", event("a"), made).due == ()
    assert studio.put("b.ics", event("b")).due != ()


def test_a_task_has_no_occurrences_and_is_no_block(studio: Studio) -> None:
    made = personal(studio)
    studio.put("tax.ics", TASK, made)
    stored = studio.get("tax.ics", made)
    assert stored is not None
    assert (stored.component, stored.kind, stored.starts) == ("VTODO", "foreign", None)


def test_a_name_is_taken_once_and_there_is_an_end_to_it(studio: Studio) -> None:
    personal(studio)
    with pytest.raises(AlreadyThere):
        personal(studio)
    for number in range(calendars.MOST_PERSONAL - 1):
        personal(studio, f"tasks-{number}")
    with pytest.raises(NotAllowed, match="Delete one"):
        personal(studio, "one-more")
