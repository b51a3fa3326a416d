"""People, their devices, accounts and notices; and what another tenant never gets to see."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from bridge.errors import AlreadyThere, NotFound
from bridge.store import accounts, calendars, installation, links, notices, objects, passes, people
from bridge.store.tables import metadata
from tests.store.studio import NOW, Studio, event


def test_an_address_is_the_same_however_it_is_written(studio: Studio) -> None:
    with studio.db.writing() as tx:
        found = people.user_by_email(tx, " Anna@Studio.Example ")
        assert (found.id, found.email, found.studio) == (studio.user_id, "anna@studio.example", "anna")
        with pytest.raises(AlreadyThere):
            people.add_user(tx, found.studio_id, "ANNA@studio.example", time_zone="UTC", now=NOW)
        with pytest.raises(NotFound, match=r"ben@other\.example"):
            people.user_by_email(tx, "ben@other.example")


def test_a_slug_is_taken_once(studio: Studio) -> None:
    with studio.db.writing() as tx, pytest.raises(AlreadyThere):
        people.add_studio(tx, "anna", "Another Anna", NOW)


def test_a_device_works_for_its_user_until_revoked(studio: Studio) -> None:
    Studio.opened(studio.db, "ben@other.example")
    with studio.db.writing() as tx:
        device_id = people.add_device(tx, studio.user_id, "Phone", "mac-1", NOW)
        found = people.device_by_mac(tx, "Anna@studio.example", "mac-1")
        assert found is not None
        assert found.id == device_id
        assert people.device_by_mac(tx, "ben@other.example", "mac-1") is None
        assert people.device_by_mac(tx, "anna@studio.example", "mac-2") is None
        people.touch_device(tx, device_id, NOW)
        people.revoke_device(tx, studio.user_id, device_id, NOW)
        assert people.device_by_mac(tx, "anna@studio.example", "mac-1") is None
        assert people.devices(tx, studio.user_id) == []
        with pytest.raises(NotFound):
            people.revoke_device(tx, studio.user_id, device_id, NOW)


def test_another_tenant_gets_nothing(studio: Studio) -> None:
    """Every lookup that serves a person's request goes by user."""
    link_id = studio.link(writes=True)
    with studio.db.writing() as tx:
        account_id = links.get(tx, link_id).account_id
        device_id = people.add_device(tx, studio.user_id, "Phone", "mac-1", NOW)
        pass_id = passes.start(tx, link_id, studio.user_id, NOW)
        notice_id = notices.add(tx, studio.user_id, "booking-restored", "It is back.", now=NOW)
    studio.put("a.ics", event("a"))
    ben = Studio.opened(studio.db, "ben@other.example").user_id
    with studio.db.writing() as tx:
        with pytest.raises(NotFound):
            accounts.mine(tx, ben, account_id)
        with pytest.raises(NotFound):
            passes.get(tx, ben, pass_id)
        with pytest.raises(NotFound):
            people.revoke_device(tx, ben, device_id, NOW)
        assert accounts.of_user(tx, ben) == []
        assert links.of_user(tx, ben) == []
        assert links.writer(tx, ben) is None
        assert passes.of_user(tx, ben) == []
        assert passes.journal_of(tx, ben) == []
        assert passes.journal_of(tx, ben, pass_id=pass_id) == []
        assert notices.standing(tx, ben) == []
        notices.dismiss(tx, ben, notice_id, NOW)
        assert [each.id for each in notices.standing(tx, studio.user_id)] == [notice_id]
        assert [each.user_id for each in calendars.of_user(tx, ben)] == [ben]
        assert objects.listing(tx, calendars.bookings(tx, ben).id) == []


def test_a_home_is_found_by_its_address(studio: Studio) -> None:
    studio.mirror("family")
    Studio.opened(studio.db, "ben@other.example")
    with studio.db.reading() as tx:
        names = [each.name for each in calendars.of_email(tx, "anna@studio.example")]
        assert names == ["bookings", "family"]
        (family,) = calendars.of_email(tx, "anna@studio.example", "family")
        assert (family.kind, family.user_id, family.time_zone) == ("mirror", studio.user_id, "Europe/Berlin")
        assert calendars.of_email(tx, "nobody@studio.example") == []


def test_a_calendar_name_is_used_once_a_user(studio: Studio) -> None:
    studio.mirror("family")
    with pytest.raises(AlreadyThere):
        studio.mirror("family")


def test_removing_a_user_leaves_nothing_of_them(studio: Studio) -> None:
    family = studio.mirror("family")
    link_id = studio.link(reads=True, mirror_id=family)
    studio.put("a.ics", event("a"))
    with studio.db.writing() as tx:
        people.add_device(tx, studio.user_id, "Phone", "mac-1", NOW)
        passes.start(tx, link_id, studio.user_id, NOW)
        notices.add(tx, studio.user_id, "booking-restored", "It is back.", now=NOW)
    with studio.db.writing() as tx:
        people.remove_user(tx, studio.user_id)
    with studio.db.reading() as tx:
        left = {
            table.name for table in metadata.sorted_tables if tx.execute(select(table)).first() is not None
        }
    assert left == {"installation"}


def test_a_studio_stays_while_somebody_is_in_it(studio: Studio) -> None:
    with studio.db.writing() as tx:
        studio_id = people.user_by_id(tx, studio.user_id).studio_id
        second = people.add_user(tx, studio_id, "second@studio.example", time_zone="UTC", now=NOW)
        people.remove_user(tx, studio.user_id)
        assert people.studio_by_slug(tx, "anna") is not None
        people.remove_user(tx, second)
        assert people.studio_by_slug(tx, "anna") is None


def test_the_state_of_an_account_knows_since_when(studio: Studio) -> None:
    with studio.db.writing() as tx:
        account_id = accounts.create(tx, studio.user_id, "caldav", label="Work", username="anna", now=NOW)
        accounts.set_(tx, account_id, secret=b"sealed")
        accounts.set_state(tx, account_id, "retrying", "Busy.", now=NOW, failures=1)
        later = NOW.replace(hour=18)
        accounts.set_state(tx, account_id, "retrying", "Still busy.", now=later, failures=2)
        row = accounts.mine(tx, studio.user_id, account_id)
        assert (row.state, row.state_reason, row.state_since, row.failures) == (
            "retrying",
            "Still busy.",
            NOW,
            2,
        )
        assert "sealed" not in repr(row)
        accounts.set_state(tx, account_id, "healthy", now=later)
        row = accounts.get(tx, account_id)
        assert (row.state_reason, row.state_since, row.failures, row.next_try) == (None, later, 0, None)
        assert accounts.find(tx, studio.user_id, "caldav", "", "anna") == row
        assert accounts.find(tx, studio.user_id, "caldav", "", "ben") is None


def test_the_same_notice_is_shown_once_until_it_is_put_away(studio: Studio) -> None:
    with studio.db.writing() as tx:
        first = notices.add(tx, studio.user_id, "booking-restored", "Back once.", now=NOW, uid="a")
        again = notices.add(tx, studio.user_id, "booking-restored", "Back twice.", now=NOW, uid="a")
        other = notices.add(tx, studio.user_id, "booking-restored", "Back once.", now=NOW, uid="b")
        assert first == again != other
        assert {each.message for each in notices.standing(tx, studio.user_id)} == {
            "Back once.",
            "Back twice.",
        }
        notices.dismiss(tx, studio.user_id, first, NOW)
        assert [each.id for each in notices.standing(tx, studio.user_id)] == [other]
        notices.withdraw(tx, studio.user_id, "booking-restored", NOW, uid="b")
        assert notices.standing(tx, studio.user_id) == []
        assert notices.add(tx, studio.user_id, "booking-restored", "Back.", now=NOW, uid="a") not in (
            first,
            other,
        )


def test_passes_are_listed_newest_first_with_their_journal(studio: Studio) -> None:
    link_id = studio.link(writes=True)
    with studio.db.writing() as tx:
        first = passes.start(tx, link_id, studio.user_id, NOW)
        passes.finish(tx, first, outcome="done", counts={"pulled": 1}, now=NOW)
        second = passes.start(tx, link_id, studio.user_id, NOW)
        passes.journal(
            tx,
            user_id=studio.user_id,
            pass_id=second,
            link_id=link_id,
            side="remote",
            action="create",
            uid="a",
            href="/anna/a.ics",
            before=None,
            after="text",
            actor=f"pass:{second}",
            now=NOW,
        )
        rows = passes.of_user(tx, studio.user_id)
        assert [(row.id, row.outcome, row.counts) for row in rows] == [
            (second, None, {}),
            (first, "done", {"pulled": 1}),
        ]
        assert [row.side for row in passes.journal_of(tx, studio.user_id, pass_id=second)] == ["remote"]
        assert passes.journal_of(tx, studio.user_id, pass_id=first) == []
        passes.mark_undone(tx, first, NOW)
        assert passes.get(tx, studio.user_id, first).undone == NOW
        passes.discard(tx, second)
        assert [row.id for row in passes.of_user(tx, studio.user_id)] == [first]


def test_the_installation_is_named_once(studio: Studio) -> None:
    with studio.db.writing() as tx:
        first = installation.ensure(tx, NOW)
        assert installation.ensure(tx, NOW.replace(year=2030)) == first
        installation.set_public_url(tx, "https://cal.studio.example")
        installation.start_generation(tx)
        found = installation.get(tx)
    assert found is not None
    assert (found.uid, found.generation, found.public_url) == (first.uid, 2, "https://cal.studio.example")
