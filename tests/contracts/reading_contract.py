"""The reading half of the provider contract: what the engine relies on from every provider, also from one
that can't be written to.

The tests see the provider through ``bridge.ports.Provider`` alone, and the far side through somebody else's
hands. Writing is left to ``provider_contract``.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest

from bridge.errors import CalendarGone, CursorLost, RetryLater, SignInNeeded, Unreachable
from bridge.ical.fields import changed
from bridge.ports import Changes, Entry, Provider
from tests.contracts.samples import ALL_DAY, AWKWARD, SERIES, event
from tests.contracts.stand import Calendar, Stand
from tests.servers import fault

_numbers = itertools.count(1)


class ReadingContract:
    """Subclasses give a ``stand`` fixture."""

    @pytest.fixture
    def made(self, stand: Stand) -> tuple[str, Calendar]:
        stand.faults.heal()
        return stand.make_calendar(f"kalender-{next(_numbers)}", title=stand.title, color="#1d9bf6")

    @pytest.fixture
    def calendar(self, made: tuple[str, Calendar]) -> str:
        """The id of a new, empty calendar."""
        return made[0]

    @pytest.fixture
    def somebody(self, made: tuple[str, Calendar]) -> Calendar:
        """The same calendar in somebody else's hands."""
        return made[1]

    @pytest.fixture
    def provider(self, stand: Stand, calendar: str) -> Iterator[Provider]:
        provider = stand.provider()
        yield provider
        provider.close()

    # --- listing ---------------------------------------------------------------------------------

    def test_a_calendar_is_listed_with_its_name_and_colour(
        self, stand: Stand, provider: Provider, calendar: str
    ):
        found = next(c for c in provider.calendars() if c.id == calendar)
        assert found.name == stand.title
        assert (found.color or "").lower().startswith("#1d9bf6")
        assert found.writable is provider.capabilities.writes
        assert found.events

    def test_an_empty_calendar_is_a_complete_listing_of_nothing(self, provider: Provider, calendar: str):
        changes = provider.changes(calendar, None)
        assert (list(changes.entries), changes.gone, changes.complete) == ([], frozenset(), True)
        assert changes.cursor is not None

    def test_what_somebody_wrote_is_listed_and_read(
        self, provider: Provider, calendar: str, somebody: Calendar
    ):
        for name, text in {"a.ics": event("a"), "series.ics": SERIES, "day.ics": ALL_DAY}.items():
            somebody.put(name, text)
        entries = read(provider, calendar)
        assert len(entries) == 3
        for text in (event("a"), SERIES, ALL_DAY):
            assert any(not changed(text, entry.text) for entry in entries.values())

    def test_nothing_new_costs_one_request_and_reports_nothing(
        self, stand: Stand, calendar: str, somebody: Calendar
    ):
        somebody.put("a.ics", event("a"))
        stand.settle()
        cursor = once(stand, lambda provider: provider.changes(calendar, None)).cursor
        stand.settle()
        provider = stand.provider()
        changes = provider.changes(calendar, cursor)
        assert (list(changes.entries), changes.gone, changes.cursor) == ([], frozenset(), cursor)
        assert provider.requests == 1
        assert not changes.complete

    def test_a_survey_tells_in_one_request_that_nothing_is_new(
        self, stand: Stand, calendar: str, somebody: Calendar
    ):
        somebody.put("a.ics", event("a"))
        stand.settle()
        cursor = once(stand, lambda provider: provider.changes(calendar, None)).cursor
        stand.settle()
        provider = stand.provider()
        survey = provider.survey()
        assert (survey is not None) is stand.surveys
        if survey is None:
            return
        assert survey[calendar] == cursor
        assert provider.requests == 1
        somebody.put("b.ics", event("b"))
        assert (provider.survey() or {})[calendar] != cursor

    def test_a_delta_holds_what_is_new_changed_and_gone(
        self, stand: Stand, provider: Provider, calendar: str, somebody: Calendar
    ):
        for name in ("kept.ics", "edited.ics", "deleted.ics"):
            somebody.put(name, event(name))
        before = read(provider, calendar)
        stand.settle()
        cursor = provider.changes(calendar, None).cursor
        stand.settle()
        somebody.put("edited.ics", event("edited.ics", "Dinner"))
        somebody.delete("deleted.ics")
        somebody.put("new.ics", event("new"))
        delta = provider.changes(calendar, cursor)
        after = read(provider, calendar)
        expected = {href for href in after if href not in before or after[href].tag != before[href].tag}
        assert len(expected) == 2
        if delta.complete:
            assert {entry.href for entry in delta.entries} == set(after)
        else:
            assert {entry.href for entry in delta.entries} == expected
            assert delta.gone == set(before) - set(after)
        assert all(entry.tag == after[entry.href].tag for entry in delta.entries)

    def test_deleted_and_written_anew_is_no_deletion(
        self, provider: Provider, calendar: str, somebody: Calendar
    ):
        somebody.put("a.ics", event("a"))
        href = next(iter(read(provider, calendar)))
        cursor = provider.changes(calendar, None).cursor
        somebody.delete("a.ics")
        somebody.put("a.ics", event("a", "Again"))
        delta = provider.changes(calendar, cursor)
        assert href not in delta.gone
        assert href in {entry.href for entry in delta.entries}

    def test_a_lost_cursor_never_hides_a_deletion(
        self, stand: Stand, provider: Provider, calendar: str, somebody: Calendar
    ):
        """Either it is said, or everything is listed; else the provider must not be trusted with cursors."""
        somebody.put("a.ics", event("a"))
        cursor = provider.changes(calendar, None).cursor
        assert cursor is not None
        try:
            answered = provider.changes(calendar, stand.lost_cursor(cursor))
        except CursorLost:
            pass
        else:
            assert answered.complete or not provider.capabilities.trusts_token
        assert len(provider.changes(calendar, None).entries) == 1

    def test_a_cursor_of_nobodys_is_lost_not_a_crash(self, provider: Provider, calendar: str):
        with pytest.raises(CursorLost):
            provider.changes(calendar, "Q1VSU09S")

    def test_a_calendar_that_is_gone_is_said_so(self, provider: Provider, calendar: str, somebody: Calendar):
        cursor = provider.changes(calendar, None).cursor
        somebody.drop()
        with pytest.raises(CalendarGone):
            provider.changes(calendar, cursor)
        with pytest.raises(CalendarGone):
            provider.changes(calendar, None)
        assert calendar not in {c.id for c in provider.calendars()}

    # --- texts -----------------------------------------------------------------------------------

    def test_bytes_are_returned_as_the_provider_keeps_them(
        self, provider: Provider, calendar: str, somebody: Calendar
    ):
        somebody.put("awkward.ics", AWKWARD)
        (entry,) = read(provider, calendar).values()
        assert entry.text == somebody.get("awkward.ics")

    def test_what_is_gone_is_left_out_of_the_texts(
        self, provider: Provider, calendar: str, somebody: Calendar
    ):
        somebody.put("a.ics", event("a"))
        somebody.put("b.ics", event("b"))
        hrefs = list(read(provider, calendar))
        somebody.delete("a.ics")
        assert ["UID:b" in (entry.text or "") for entry in provider.fetch(calendar, hrefs)] == [True]
        somebody.delete("b.ics")
        assert list(provider.fetch(calendar, hrefs)) == []

    def test_many_objects_come_in_batches(self, stand: Stand, provider: Provider, calendar: str):
        stand.seed(calendar, {f"{n}.ics": event(f"many-{n}") for n in range(stand.many)})
        changes = provider.changes(calendar, None)
        assert len({entry.href for entry in changes.entries}) == stand.many
        before = provider.requests
        texts = {entry.href: entry for entry in provider.fetch(calendar, [e.href for e in changes.entries])}
        assert {href: entry.tag for href, entry in texts.items()} == {e.href: e.tag for e in changes.entries}
        assert provider.requests - before <= 8 + stand.many // 80

    # --- bad days --------------------------------------------------------------------------------

    def test_a_reading_request_is_repeated_once_on_a_new_connection(
        self, stand: Stand, provider: Provider, calendar: str, somebody: Calendar
    ):
        somebody.put("a.ics", event("a"))
        for method in stand.reads:
            stand.faults.fault(method, fault.lose_request)
        assert len(provider.calendars()) > 0
        assert len(provider.changes(calendar, None).entries) == 1

    def test_silence_is_unreachable(self, stand: Stand, provider: Provider, calendar: str):
        for method in stand.reads:
            stand.faults.fault(method, fault.lose_request, times=9)
        with pytest.raises(Unreachable):
            provider.changes(calendar, None)

    def test_a_busy_provider_is_tried_later(self, stand: Stand, provider: Provider, calendar: str):
        for method in stand.reads:
            stand.faults.fault(method, fault.answer(503, headers={"Retry-After": "17"}), times=2)
        with pytest.raises(RetryLater) as caught:
            provider.changes(calendar, None)
        assert caught.value.after == 17

    def test_one_401_or_403_in_passing_is_no_verdict(self, stand: Stand, provider: Provider, calendar: str):
        for status in (401, 403):
            for method in stand.reads:
                stand.faults.fault(method, fault.answer(status))
            assert provider.changes(calendar, None).complete
            stand.faults.heal()

    def test_a_sign_in_that_is_refused_for_good_is_said_so(
        self, stand: Stand, provider: Provider, calendar: str
    ):
        for method in stand.reads:
            stand.faults.fault(method, fault.answer(401), times=9)
        with pytest.raises(SignInNeeded):
            provider.changes(calendar, None)


def once(stand: Stand, ask: Callable[[Provider], Changes]) -> Changes:
    """The answer of a connection of its own."""
    provider = stand.provider()
    try:
        return ask(provider)
    finally:
        provider.close()


def read(provider: Provider, calendar: str) -> dict[str, Entry]:
    """All objects with their texts, by href, after checking that listing and texts agree."""
    changes = provider.changes(calendar, None)
    assert changes.complete
    tags = {entry.href: entry.tag for entry in changes.entries}
    entries = {entry.href: entry for entry in provider.fetch(calendar, list(tags))}
    assert {href: entry.tag for href, entry in entries.items()} == tags
    return entries
