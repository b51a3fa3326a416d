"""All that a pass must know is what the single questions say."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import delete

from bridge.errors import NotFound
from bridge.store import accounts, calendars, links, people, whole
from bridge.store.tables import calendar
from tests.store.studio import NOW, Studio, event


def test_a_link_comes_with_its_account_and_their_user(studio: Studio) -> None:
    Studio.opened(studio.db, "ben@studio.example").link("/ben/", reads=True)
    held = ["12 of 30 events disappeared."]
    number = studio.link("/anna/", writes=True, held=held, due_at=NOW, agreed_at=NOW - timedelta(hours=1))
    with studio.db.writing() as tx:
        account_id = links.get(tx, number).account_id
        accounts.set_(tx, account_id, profile={"edits": "refuse"}, conflict="ask", secret=b"\0\1")
    with studio.db.reading() as tx:
        link, account, user = whole.of_link(tx, number)
        assert link == links.get(tx, number)
        assert account == accounts.get(tx, account_id)
        assert user == people.user_by_id(tx, studio.user_id)
    assert (link.held, account.profile, user.email) == (held, {"edits": "refuse"}, "anna@studio.example")


def test_the_calendars_here_are_the_user_s_bookings_and_the_link_s_mirror(studio: Studio) -> None:
    other = Studio.opened(studio.db, "ben@studio.example")
    mirror, _ = studio.mirror("family"), studio.mirror("work")
    with studio.db.reading() as tx:
        assert whole.sides(tx, studio.user_id, None) == (calendars.get(tx, studio.bookings), None)
        both = calendars.get(tx, studio.bookings), calendars.get(tx, mirror)
        assert whole.sides(tx, studio.user_id, mirror) == both
        assert whole.sides(tx, other.user_id, None)[0].id == other.bookings


def test_how_far_both_have_come(studio: Studio) -> None:
    mirror = studio.mirror()
    studio.put("a.ics", event("a"))
    studio.put("b.ics", event("b"), mirror)
    studio.put("c.ics", event("c"), mirror)
    with studio.db.reading() as tx:
        assert whole.seqs(tx, studio.bookings, None) == {studio.bookings: 1}
        assert whole.seqs(tx, studio.bookings, mirror) == {studio.bookings: 1, mirror: 2}


def test_what_is_gone_is_said(studio: Studio) -> None:
    mirror = Studio.opened(studio.db, "ben@studio.example").mirror()
    with studio.db.reading() as tx:
        with pytest.raises(NotFound):
            whole.of_link(tx, 4711)
        with pytest.raises(NotFound):
            whole.sides(tx, studio.user_id, mirror)  # of somebody else
        with pytest.raises(NotFound):
            whole.seqs(tx, studio.bookings, 4711)
    with studio.db.writing() as tx:
        tx.execute(delete(calendar).where(calendar.c.id == studio.bookings))
        with pytest.raises(NotFound):
            whole.sides(tx, studio.user_id, None)
