"""To decide: suggested changes are approved or declined, conflicts settled; what the history tells of it."""

from __future__ import annotations

from bridge.service import people
from bridge.store import calendars, conflicts, objects, passes, suggestions
from bridge.store.people import UserRow
from bridge.wiring import Bridge
from tests.web import studio
from tests.web.browser import Browser
from tests.web.conftest import ANNA, Clock
from tests.web.studio import event

BEFORE = event("w", "Wedding", "DTSTART:20261125T140000Z|DURATION:PT2H")
LATER = BEFORE.replace("T140000Z", "T160000Z")


def text_of(bridge: Bridge, anna: UserRow) -> str:
    with bridge.db.reading() as tx:
        found = objects.by_uid(tx, calendars.bookings(tx, anna.id).id, "w")
    assert found is not None
    return found.text


def suggest(bridge: Bridge, anna: UserRow) -> None:
    device = people.add_device(bridge, ANNA, "My iPhone")
    with bridge.db.writing() as tx:
        suggestions.add(
            tx,
            anna.id,
            calendar_id=calendars.bookings(tx, anna.id).id,
            uid="w",
            before=BEFORE,
            after=LATER,
            actor=f"device:{device.device_id}",
            now=bridge.clock.now(),
        )


def conflict(bridge: Bridge, anna: UserRow) -> int:
    link = studio.link(bridge, studio.account(bridge, anna), "Work", writes=True)
    with bridge.db.writing() as tx:
        return conflicts.add(
            tx,
            anna.id,
            link_id=link,
            calendar_id=calendars.bookings(tx, anna.id).id,
            pass_id=passes.start(tx, link, anna.id, bridge.clock.now()),
            uid="w",
            instance=None,
            group="when",
            ours=BEFORE,
            theirs=LATER,
            winner="ours",
            now=bridge.clock.now(),
        )


def test_nothing_to_decide_is_said(at_annas: Browser) -> None:
    assert "Nothing waits for you" in at_annas.open("/conflicts").text


def test_a_suggested_change_is_shown_with_both_values_and_approved(
    at_annas: Browser, bridge: Bridge, anna: UserRow
) -> None:
    studio.book(bridge, anna, BEFORE)
    suggest(bridge, anna)
    assert "To decide 1 waiting" in at_annas.open("/").text
    at_annas.open("/conflicts")
    assert "Change “Wedding”?Asked for by My iPhone, just now" in at_annas.text
    assert "2026-11-25 14:00 UTC" in at_annas.text and "2026-11-25 16:00 UTC" in at_annas.text
    at_annas.press("Yes, change it")
    assert "is changed as it was suggested" in at_annas.text
    assert "T160000Z" in text_of(bridge, anna)


def test_a_declined_change_leaves_the_booking(at_annas: Browser, bridge: Bridge, anna: UserRow) -> None:
    studio.book(bridge, anna, BEFORE)
    suggest(bridge, anna)
    at_annas.open("/conflicts").press("No, leave it")
    assert "stays as it is" in at_annas.text
    assert "T140000Z" in text_of(bridge, anna)
    assert "Nothing waits for you" in at_annas.text


def test_a_conflict_is_settled_with_one_click(at_annas: Browser, bridge: Bridge, anna: UserRow) -> None:
    studio.book(bridge, anna, BEFORE)
    conflict(bridge, anna)
    at_annas.open("/conflicts")
    assert "“Wedding”: which time is right?" in at_annas.text
    assert "For now the one from here holds." in at_annas.text
    at_annas.press("That one")
    assert "is settled" in at_annas.text
    assert "T160000Z" in text_of(bridge, anna)


def test_nobody_decides_for_another_user(at_annas: Browser, bridge: Bridge, bert: UserRow) -> None:
    studio.book(bridge, bert, BEFORE)
    number = conflict(bridge, bert)
    assert "Nothing waits for you" in at_annas.open("/conflicts").text
    assert at_annas.send(f"/conflicts/{number}/theirs").status == 404
    assert at_annas.send("/approvals/1/approve").status == 404


def test_a_moved_booking_says_from_when_to_when(at_annas: Browser, bridge: Bridge, anna: UserRow) -> None:
    studio.book(bridge, anna, BEFORE)
    studio.book(bridge, anna, LATER, actor=f"user:{anna.id}")
    history = at_annas.open("/history").text
    assert "Moved Wedding: from 25 November, 15:00–17:00 to 17:00–19:00" in history
    assert "by you, on these pages" in history


def test_a_change_says_where_it_went_and_how_soon(
    at_annas: Browser, bridge: Bridge, anna: UserRow, clock: Clock
) -> None:
    link = studio.link(bridge, studio.account(bridge, anna), "Work", writes=True)

    def written(before: str | None, after: str) -> None:
        with bridge.db.writing() as tx:
            now = bridge.clock.now()
            passes.journal(
                tx,
                user_id=anna.id,
                side="remote",
                action="update" if before else "create",
                uid="w",
                href="w.ics",
                before=before,
                after=after,
                actor="sync",
                now=now,
                pass_id=passes.start(tx, link, anna.id, now),
                link_id=link,
            )

    studio.book(bridge, anna, BEFORE, actor=f"user:{anna.id}")
    clock.pass_(minutes=2)
    written(None, BEFORE)
    clock.pass_(hours=1)
    studio.book(bridge, anna, LATER, actor=f"user:{anna.id}")
    clock.pass_(seconds=4)
    written(BEFORE, LATER)
    clock.pass_(hours=1)
    studio.book(bridge, anna, BEFORE, actor=f"user:{anna.id}")
    text = at_annas.open("/history").text
    assert "reached Work 4 seconds later" in text
    assert "reached Work 2 minutes later" in text
    assert text.count("reached Work") == 2, "the last change has gone nowhere yet"
