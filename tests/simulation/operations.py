"""Every kind of thing that a pass may have to carry out, each as a small story on one link.

A story is a generator: on what it does before its first ``yield`` both sides come to agree; what it does
after that is what the pass under observation finds. After a second ``yield`` comes something the user asks
for, and that itself writes (an undo, an approval): it is observed, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import cast

from bridge.ports import Provider
from bridge.service import Bridge, approvals, conflicts, undo
from bridge.store import accounts, links, objects, passes, people, suggestions
from bridge.store import conflicts as conflict_rows
from bridge.store.objects import StoredObject
from tests.simulation.ground import Link
from tests.simulation.ledger import line_of, new_text
from tests.simulation.profiles import Profile
from tests.simulation.world import World

Story = Callable[["Stage"], Iterator[None]]


@dataclass(frozen=True, slots=True)
class Operation:
    """``roles``: what the link is for. ``modelled``: whether the ledger knows what must come of it (else only
    the undisturbed run tells). ``by_user``: it has a second part, which a crash may leave undone."""

    name: str
    story: Story
    roles: str
    modelled: bool
    by_user: bool

    def fits(self, profile: Profile) -> bool:
        return self.roles == "reads" or not profile.feed


OPERATIONS: dict[str, Operation] = {}


def operation(roles: str, *, modelled: bool = True, by_user: bool = False) -> Callable[[Story], Story]:
    def register(story: Story) -> Story:
        name = story.__name__.replace("_", " ")
        OPERATIONS[name] = Operation(name, story, roles, modelled, by_user)
        return story

    return register


@dataclass(slots=True)
class Hands:
    """What the use-cases need of the composition root."""

    world: World

    @property
    def db(self) -> object:
        return self.world.db

    @property
    def clock(self) -> object:
        return self.world.clock

    @property
    def installation(self) -> str:
        return self.world.uid

    def connect(self, account_id: int) -> Provider:
        return self.world.provider(next(link for link in self.world.links if link.account_id == account_id))

    def enqueue(self, link_id: int) -> None:
        """Passes run when the story says so."""


@dataclass(slots=True)
class Stage:
    """A world with one link, and words to tell stories with."""

    world: World

    @property
    def link(self) -> Link:
        return self.world.links[0]

    @property
    def bridge(self) -> Bridge:
        return cast(Bridge, Hands(self.world))

    # --- here -------------------------------------------------------------------------------------

    def book(self) -> str:
        return self.world.add_here("booking")

    def block(self) -> str:
        return self.world.add_here("block")

    def here(self, uid: str) -> StoredObject:
        for calendar_id in (self.world.bookings_id, self.link.mirror_id):
            found = calendar_id and self.world.stored(calendar_id, uid)
            if found:
                return found
        raise AssertionError(f"{uid} is not here")

    def edit_here(self, uid: str, group: str = "title") -> None:
        self.world.edit_here(self.here(uid), group)

    def rewrite_here(self, uid: str, change: Callable[[str], str]) -> None:
        stored = self.here(uid)
        assert change(stored.text) != stored.text
        self.world.put_here(stored.calendar_id, stored.href, change(stored.text), None)

    def delete_here(self, uid: str) -> None:
        self.world.delete_here(self.here(uid))

    def cancel(self, uid: str) -> None:
        self.world.cancel(self.here(uid))

    # --- there ------------------------------------------------------------------------------------

    def appear(self) -> str:
        """An event of somebody's; its UID."""
        return self.world.add_there(self.link)

    def href(self, uid: str) -> str:
        return next(h for h, (_, t) in self.link.remote.objects.items() if f"UID:{uid}\r\n" in t)

    def edit_there(self, uid: str, group: str = "title") -> None:
        self.world.edit_there(self.link, self.href(uid), group)

    def rewrite_there(self, uid: str, change: Callable[[str], str]) -> None:
        href = self.href(uid)
        text = self.link.remote.objects[href][1]
        assert change(text) != text
        self.link.far.store(self.link.remote_id, href, change(text))

    def delete_there(self, uid: str) -> None:
        self.world.delete_there(self.link, self.href(uid))

    def rename_there(self, uid: str) -> None:
        if self.link.far.profile.renames:
            self.world.rename_there(self.link, self.href(uid))

    # --- wishes -----------------------------------------------------------------------------------

    def wishes(self, **values: object) -> None:
        with self.world.db.writing() as tx:
            people.set_user(tx, self.world.user_id, **values)

    def prefers(self, choice: str) -> None:
        with self.world.db.writing() as tx:
            accounts.set_(tx, self.link.account_id, conflict=choice)

    def roles(self, **values: bool) -> None:
        with self.world.db.writing() as tx:
            links.set_(tx, self.link.id, **values)

    def fails(self, *faults: str | None) -> None:
        """What happens to the next writes."""
        self.world.dial.script += faults


# --- bookings and blocks, which go out --------------------------------------------------------------


@operation("writes")
def a_booking_is_made(s: Stage) -> Iterator[None]:
    s.book()
    yield
    s.book()


@operation("writes")
def three_bookings_are_made_at_once(s: Stage) -> Iterator[None]:
    yield
    for _ in range(3):
        s.book()


@operation("writes")
def a_booking_is_edited_here(s: Stage) -> Iterator[None]:
    uid = s.book()
    yield
    s.edit_here(uid)


@operation("writes")
def a_booking_is_moved_there(s: Stage) -> Iterator[None]:
    uid = s.book()
    yield
    s.edit_there(uid, "when")


@operation("writes")
def both_sides_edit_different_groups(s: Stage) -> Iterator[None]:
    uid = s.book()
    yield
    s.edit_here(uid, "when")
    s.edit_there(uid, "title")


@operation("writes")
def both_sides_edit_the_same_group_and_ours_wins(s: Stage) -> Iterator[None]:
    uid = s.book()
    yield
    s.edit_here(uid)
    s.edit_there(uid)


@operation("writes")
def both_sides_edit_the_same_group_and_theirs_wins(s: Stage) -> Iterator[None]:
    s.prefers("theirs")
    uid = s.book()
    yield
    s.edit_here(uid)
    s.edit_there(uid)


@operation("writes", modelled=False)
def both_sides_edit_the_same_group_and_the_user_is_asked(s: Stage) -> Iterator[None]:
    s.prefers("ask")
    uid = s.book()
    yield
    s.edit_here(uid)
    s.edit_there(uid)
    s.edit_here(uid, "place")


@operation("writes", modelled=False, by_user=True)
def a_conflict_is_resolved_the_other_way(s: Stage) -> Iterator[None]:
    uid = s.book()
    yield
    s.edit_here(uid)
    s.edit_there(uid)
    yield
    with s.world.db.reading() as tx:
        (row,) = conflict_rows.of_user(tx, s.world.user_id)
    conflicts.resolve(s.bridge, row.id, "theirs")


@operation("writes")
def a_booking_is_deleted_there_and_put_back(s: Stage) -> Iterator[None]:
    uid = s.book()
    yield
    s.delete_there(uid)


@operation("writes", modelled=False)
def a_booking_is_deleted_there_and_hidden(s: Stage) -> Iterator[None]:
    s.wishes(on_delete="hide")
    uid = s.book()
    yield
    s.delete_there(uid)


@operation("writes", modelled=False)
def a_booking_is_deleted_there_and_cancelled(s: Stage) -> Iterator[None]:
    s.wishes(on_delete="cancel")
    uid = s.book()
    yield
    s.delete_there(uid)


@operation("writes")
def a_booking_is_deleted_there_and_edited_here(s: Stage) -> Iterator[None]:
    uid = s.book()
    yield
    s.delete_there(uid)
    s.edit_here(uid)


@operation("writes")
def a_booking_is_cancelled(s: Stage) -> Iterator[None]:
    uid = s.book()
    yield
    s.cancel(uid)


@operation("writes")
def a_booking_is_cancelled_here_and_edited_there(s: Stage) -> Iterator[None]:
    uid = s.book()
    yield
    s.cancel(uid)
    s.edit_there(uid)


@operation("writes")
def a_booking_is_cancelled_here_and_deleted_there(s: Stage) -> Iterator[None]:
    uid = s.book()
    yield
    s.cancel(uid)
    s.delete_there(uid)


@operation("writes", modelled=False)
def a_cancellation_is_taken_back(s: Stage) -> Iterator[None]:
    uid = s.book()
    yield
    s.cancel(uid)
    for _ in range(2):
        s.world.run_pass(s.link)
    stored = s.here(uid)
    with s.world.db.writing() as tx:
        text = stored.text.replace("STATUS:CANCELLED", "STATUS:CONFIRMED")
        objects.put(
            tx,
            s.world.bookings_id,
            stored.href,
            text,
            kind="booking",
            actor="command",
            now=s.world.clock.now(),
        )


@operation("writes", modelled=False, by_user=True)
def a_move_there_waits_for_approval_and_is_approved(s: Stage) -> Iterator[None]:
    s.wishes(on_move="approve")
    uid = s.book()
    yield
    s.edit_there(uid, "when")
    yield
    with s.world.db.reading() as tx:
        (row,) = suggestions.waiting(tx, s.world.user_id)
    approvals.approve(s.bridge, row.id)


@operation("writes", modelled=False)
def a_move_there_is_held_back_while_the_notes_are_edited_here(s: Stage) -> Iterator[None]:
    s.wishes(on_move="approve")
    uid = s.book()
    yield
    s.edit_there(uid, "when")
    s.edit_here(uid, "notes")


@operation("writes")
def a_booking_gets_another_name_there(s: Stage) -> Iterator[None]:
    uid = s.book()
    yield
    s.rename_there(uid)


@operation("writes")
def a_booking_gets_another_name_there_and_is_edited_on_both_sides(s: Stage) -> Iterator[None]:
    uid = s.book()
    yield
    s.rename_there(uid)
    s.edit_there(uid, "title")
    s.edit_here(uid, "when")


@operation("writes")
def a_block_is_deleted_here(s: Stage) -> Iterator[None]:
    uid = s.block()
    yield
    s.delete_here(uid)


@operation("writes")
def a_block_is_deleted_there(s: Stage) -> Iterator[None]:
    uid = s.block()
    yield
    s.delete_there(uid)


@operation("writes")
def a_block_is_deleted_here_and_edited_there(s: Stage) -> Iterator[None]:
    uid = s.block()
    yield
    s.delete_here(uid)
    s.edit_there(uid)


@operation("writes")
def a_block_is_deleted_there_and_edited_here(s: Stage) -> Iterator[None]:
    uid = s.block()
    yield
    s.delete_there(uid)
    s.edit_here(uid)


@operation("writes")
def a_block_is_deleted_on_both_sides(s: Stage) -> Iterator[None]:
    uid = s.block()
    yield
    s.delete_here(uid)
    s.delete_there(uid)


@operation("writes")
def a_block_is_deleted_here_and_made_again_under_the_same_identity(s: Stage) -> Iterator[None]:
    uid = s.block()
    yield
    s.delete_here(uid)
    s.world.run_pass(s.link)
    number = s.world.ledger.edited(uid, "title", {}, "hub")
    for group in ("place", "notes", "when"):
        s.world.ledger.stories[uid].edits[group].append(number)
    s.world.put_here(s.world.bookings_id, f"{uid}.ics", new_text(uid, number), "block")


# --- first contact --------------------------------------------------------------------------------------


@operation("writes", modelled=False)
def a_booking_is_there_already_under_its_identity(s: Stage) -> Iterator[None]:
    yield
    uid = s.book()
    text = s.here(uid).text.replace(line_of("title", 1), line_of("title", 7))
    s.link.far.store(s.link.remote_id, f"{s.link.remote_id}elsewhere.ics", text)


@operation("edits")
def the_first_look_at_a_calendar_that_is_read_and_written(s: Stage) -> Iterator[None]:
    yield
    s.book()
    s.appear()
    s.block()
    s.appear()


@operation("writes", modelled=False)
def the_link_loses_its_role(s: Stage) -> Iterator[None]:
    s.book()
    s.block()
    yield
    s.roles(writes=False)


@operation("edits", modelled=False)
def the_mirror_is_no_longer_read(s: Stage) -> Iterator[None]:
    s.appear()
    s.appear()
    yield
    s.roles(reads=False, edits=False)


# --- a mirror that may be edited --------------------------------------------------------------------------


@operation("edits")
def a_foreign_event_is_edited_here(s: Stage) -> Iterator[None]:
    uid = s.appear()
    yield
    s.edit_here(uid)


@operation("edits")
def a_foreign_event_is_edited_on_both_sides(s: Stage) -> Iterator[None]:
    uid = s.appear()
    yield
    s.edit_here(uid, "when")
    s.edit_there(uid, "title")


@operation("edits")
def the_same_group_of_a_foreign_event_is_edited_on_both_sides(s: Stage) -> Iterator[None]:
    uid = s.appear()
    yield
    s.edit_here(uid)
    s.edit_there(uid)


@operation("edits")
def a_foreign_event_is_deleted_here(s: Stage) -> Iterator[None]:
    uid = s.appear()
    yield
    s.delete_here(uid)


@operation("edits")
def a_foreign_event_is_deleted_here_and_edited_there(s: Stage) -> Iterator[None]:
    uid = s.appear()
    yield
    s.delete_here(uid)
    s.edit_there(uid)


@operation("edits")
def a_foreign_event_is_deleted_there_and_edited_here(s: Stage) -> Iterator[None]:
    uid = s.appear()
    yield
    s.delete_there(uid)
    s.edit_here(uid)


@operation("edits")
def a_foreign_event_is_deleted_on_both_sides(s: Stage) -> Iterator[None]:
    uid = s.appear()
    yield
    s.delete_there(uid)
    s.delete_here(uid)


# --- a mirror that is only read ---------------------------------------------------------------------------


@operation("reads")
def a_foreign_event_appears(s: Stage) -> Iterator[None]:
    s.appear()
    yield
    s.appear()


@operation("reads")
def a_foreign_event_is_edited_there(s: Stage) -> Iterator[None]:
    uid = s.appear()
    s.appear()
    yield
    s.edit_there(uid)


@operation("reads")
def a_foreign_event_is_deleted_there(s: Stage) -> Iterator[None]:
    uid = s.appear()
    s.appear()
    yield
    s.delete_there(uid)


@operation("reads")
def a_foreign_event_gets_another_name_there(s: Stage) -> Iterator[None]:
    uid = s.appear()
    yield
    s.rename_there(uid)


@operation("reads")
def something_that_is_no_event_appears_beside_one(s: Stage) -> Iterator[None]:
    yield
    s.world.poison_there(s.link)
    s.appear()


@operation("reads", modelled=False)
def most_of_a_calendar_vanishes_and_the_user_confirms(s: Stage) -> Iterator[None]:
    uids = [s.appear() for _ in range(8)]
    yield
    for uid in uids[:7]:
        s.delete_there(uid)
    s.world.run_pass(s.link)
    yield
    s.world.run_pass(s.link, confirm=True)


# --- series ------------------------------------------------------------------------------------------------


def _series(text: str) -> str:
    return text.replace("DURATION:PT1H\r\n", "DURATION:PT1H\r\nRRULE:FREQ=WEEKLY;COUNT=5\r\n")


def _with_date(text: str, title: str) -> str:
    """The series with a second date that differs."""
    start = line_of("when", 8).partition(":")[2]
    stamp = "DTSTAMP:20260103T000000Z\r\n"
    uid = text[text.index("UID:") : text.index("\r\n", text.index("UID:"))]
    date = (
        f"BEGIN:VEVENT\r\n{uid}\r\nRECURRENCE-ID;TZID=Europe/Berlin:{start}\r\n{stamp}"
        f"DTSTART;TZID=Europe/Berlin:{start}\r\nDURATION:PT2H\r\nSUMMARY:{title}\r\nEND:VEVENT\r\n"
    )
    return text.replace("END:VCALENDAR", f"{date}END:VCALENDAR")


@operation("writes", modelled=False)
def a_series_with_a_date_of_its_own_is_made_and_edited_on_both_sides(s: Stage) -> Iterator[None]:
    uid = s.book()
    s.rewrite_here(uid, _series)
    yield
    s.rewrite_here(uid, lambda text: _with_date(text, "Rehearsal"))
    s.rewrite_there(uid, lambda text: text.replace("LOCATION:p1", "LOCATION:p9"))


@operation("writes", modelled=False)
def a_date_of_a_series_is_excluded_there(s: Stage) -> Iterator[None]:
    uid = s.book()
    s.rewrite_here(uid, _series)
    yield
    excluded = f"EXDATE;TZID=Europe/Berlin:{line_of('when', 8).partition(':')[2]}"
    s.rewrite_there(uid, lambda text: text.replace("RRULE:", f"{excluded}\r\nRRULE:"))
    s.edit_here(uid, "notes")


@operation("writes", modelled=False)
def a_series_is_split_there_from_one_date_on(s: Stage) -> Iterator[None]:
    uid = s.book()
    s.rewrite_here(uid, _series)
    yield
    s.rewrite_there(uid, lambda text: text.replace("COUNT=5", "COUNT=2"))


# --- trouble on the way -------------------------------------------------------------------------------------


@operation("writes")
def a_create_whose_answer_is_lost(s: Stage) -> Iterator[None]:
    yield
    s.book()
    s.fails("lost after")


@operation("writes")
def an_update_whose_answer_is_lost(s: Stage) -> Iterator[None]:
    uid = s.book()
    yield
    s.edit_here(uid)
    s.fails("lost after")


@operation("writes")
def a_deletion_whose_answer_is_lost(s: Stage) -> Iterator[None]:
    uid = s.book()
    yield
    s.cancel(uid)
    s.fails("lost after")


@operation("writes")
def a_create_that_never_arrives_at_first(s: Stage) -> Iterator[None]:
    yield
    s.book()
    s.fails("lost before")


@operation("writes")
def a_merge_whose_answer_is_lost(s: Stage) -> Iterator[None]:
    uid = s.book()
    yield
    s.edit_here(uid, "when")
    s.edit_there(uid, "title")
    s.fails("lost after")


@operation("writes")
def a_write_that_is_forbidden_once(s: Stage) -> Iterator[None]:
    uid = s.book()
    yield
    s.edit_here(uid)
    s.fails("forbidden")


@operation("writes", modelled=False)
def a_write_that_is_forbidden_for_good(s: Stage) -> Iterator[None]:
    uid = s.book()
    yield
    s.edit_here(uid)
    s.fails(*["forbidden"] * 40)


@operation("writes")
def a_second_write_while_the_first_is_in_the_dark(s: Stage) -> Iterator[None]:
    uid = s.book()
    yield
    s.edit_here(uid, "title")
    s.fails("lost after", "unreachable")
    s.world.run_pass(s.link)
    s.edit_here(uid, "place")


# --- undo -------------------------------------------------------------------------------------------------


def _undo_last(s: Stage) -> None:
    with s.world.db.reading() as tx:
        rows = passes.of_user(tx, s.world.user_id)
        number = next(row.id for row in rows if passes.changes_of(tx, row.id))
    undo.undo(s.bridge, number)


@operation("writes", modelled=False, by_user=True)
def a_create_is_undone(s: Stage) -> Iterator[None]:
    yield
    s.book()
    yield
    _undo_last(s)


@operation("writes", modelled=False, by_user=True)
def an_update_there_is_undone(s: Stage) -> Iterator[None]:
    uid = s.book()
    yield
    s.edit_here(uid)
    yield
    _undo_last(s)


@operation("writes", modelled=False, by_user=True)
def an_update_here_is_undone(s: Stage) -> Iterator[None]:
    uid = s.book()
    yield
    s.edit_there(uid)
    yield
    _undo_last(s)


@operation("writes", modelled=False, by_user=True)
def a_merge_is_undone(s: Stage) -> Iterator[None]:
    uid = s.book()
    yield
    s.edit_here(uid, "when")
    s.edit_there(uid, "title")
    yield
    _undo_last(s)


@operation("writes", modelled=False, by_user=True)
def a_deletion_there_is_undone(s: Stage) -> Iterator[None]:
    uid = s.block()
    yield
    s.delete_here(uid)
    yield
    _undo_last(s)


@operation("edits", modelled=False, by_user=True)
def a_deletion_in_the_mirror_is_undone(s: Stage) -> Iterator[None]:
    uid = s.appear()
    yield
    s.delete_there(uid)
    yield
    _undo_last(s)


# --- what a delta may leave out -------------------------------------------------------------------------


@operation("writes")
def a_booking_is_made_and_deleted_there_before_the_next_look(s: Stage) -> Iterator[None]:
    s.book()
    yield
    uid = s.book()
    s.world.run_pass(s.link)
    s.delete_there(uid)


@operation("writes")
def a_block_is_made_and_deleted_there_before_the_next_look(s: Stage) -> Iterator[None]:
    s.block()
    yield
    uid = s.block()
    s.world.run_pass(s.link)
    s.delete_there(uid)
