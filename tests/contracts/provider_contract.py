"""The provider contract: what the engine relies on, the same for every provider.

A runner (``test_<provider>.py`` beside this file) subclasses ``ProviderContract`` and gives a ``stand``
fixture. The tests see the provider through ``bridge.ports.Provider`` alone, and the far side through somebody
else's hands.
"""

from __future__ import annotations

import itertools

import pytest

from bridge.errors import (
    CalendarGone,
    CursorLost,
    NotPermitted,
    ObjectGone,
    ObjectRefused,
    RetryLater,
    SignInNeeded,
    TagMismatch,
    UnknownOutcome,
    Unreachable,
)
from bridge.ical.fields import changed
from bridge.ports import Changes, Entry, Provider
from tests.contracts.samples import ALL_DAY, AWKWARD, SERIES, event
from tests.contracts.stand import Calendar, Stand
from tests.servers import fault

_numbers = itertools.count(1)


class ProviderContract:
    """Subclasses give a ``stand`` fixture."""

    @pytest.fixture
    def made(self, stand: Stand) -> tuple[str, Calendar]:
        stand.faults.heal()
        return stand.make_calendar(f"kalender-{next(_numbers)}", title="Familie & Freunde", color="#1d9bf6")

    @pytest.fixture
    def calendar(self, made: tuple[str, Calendar]) -> str:
        """The id of a new, empty calendar."""
        return made[0]

    @pytest.fixture
    def somebody(self, made: tuple[str, Calendar]) -> Calendar:
        """The same calendar in somebody else's hands."""
        return made[1]

    @pytest.fixture
    def provider(self, stand: Stand, calendar: str):
        provider = stand.provider()
        yield provider
        provider.close()

    # --- listing ---------------------------------------------------------------------------------

    def test_a_calendar_is_listed_with_its_name_and_colour(self, provider: Provider, calendar: str):
        found = next(c for c in provider.calendars() if c.id == calendar)
        assert found.name == "Familie & Freunde"
        assert (found.color or "").lower().startswith("#1d9bf6")
        assert found.writable
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
        entries = _read(provider, calendar)
        assert len(entries) == 3
        for text in (event("a"), SERIES, ALL_DAY):
            assert any(not changed(text, entry.text) for entry in entries.values())

    def test_nothing_new_costs_one_request_and_reports_nothing(
        self, stand: Stand, calendar: str, somebody: Calendar
    ):
        somebody.put("a.ics", event("a"))
        cursor = _once(stand, lambda provider: provider.changes(calendar, None)).cursor
        provider = stand.provider()
        changes = provider.changes(calendar, cursor)
        assert (list(changes.entries), changes.gone, changes.cursor) == ([], frozenset(), cursor)
        assert provider.requests == 1
        assert not changes.complete

    def test_a_survey_tells_in_one_request_that_nothing_is_new(
        self, stand: Stand, calendar: str, somebody: Calendar
    ):
        somebody.put("a.ics", event("a"))
        cursor = _once(stand, lambda provider: provider.changes(calendar, None)).cursor
        provider = stand.provider()
        survey = provider.survey()
        assert survey is not None
        assert survey[calendar] == cursor
        assert provider.requests == 1
        somebody.put("b.ics", event("b"))
        assert (provider.survey() or {})[calendar] != cursor

    def test_a_delta_holds_what_is_new_changed_and_gone(
        self, provider: Provider, calendar: str, somebody: Calendar
    ):
        for name in ("kept.ics", "edited.ics", "deleted.ics"):
            somebody.put(name, event(name))
        before = _read(provider, calendar)
        cursor = provider.changes(calendar, None).cursor
        somebody.put("edited.ics", event("edited.ics", "Dinner"))
        somebody.delete("deleted.ics")
        somebody.put("new.ics", event("new"))
        delta = provider.changes(calendar, cursor)
        after = _read(provider, calendar)
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
        href = next(iter(_read(provider, calendar)))
        cursor = provider.changes(calendar, None).cursor
        somebody.delete("a.ics")
        somebody.put("a.ics", event("a", "Again"))
        delta = provider.changes(calendar, cursor)
        assert href not in delta.gone
        assert href in {entry.href for entry in delta.entries}

    def test_a_lost_cursor_is_said_so_and_a_full_listing_helps(
        self, stand: Stand, provider: Provider, calendar: str, somebody: Calendar
    ):
        somebody.put("a.ics", event("a"))
        cursor = provider.changes(calendar, None).cursor
        assert cursor is not None
        if provider.capabilities.trusts_token:
            with pytest.raises(CursorLost):
                provider.changes(calendar, stand.lost_cursor(cursor))
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
        (entry,) = _read(provider, calendar).values()
        assert entry.text == somebody.get("awkward.ics")

    def test_after_a_write_it_is_told_what_the_provider_made_of_it(
        self, provider: Provider, calendar: str, somebody: Calendar
    ):
        entry = provider.put(calendar, provider.new_href(calendar, "awkward"), AWKWARD, None)
        (read,) = provider.fetch(calendar, [entry.href])
        (name,) = somebody.list()
        assert (read.tag, read.text) == (entry.tag, somebody.get(name))
        assert entry.text in (None, read.text)

    def test_awkward_names_are_read_changed_and_deleted(
        self, provider: Provider, calendar: str, somebody: Calendar
    ):
        names = ["a b.ics", "100% sure.ics", "anna@example.com.ics", "Geburtstag Jörg.ics", "a+b&c=d;e.ics"]
        for number, name in enumerate(names):
            somebody.put(name, event(f"awkward-{number}"))
        entries = _read(provider, calendar)
        assert len(entries) == len(names)
        for href, entry in entries.items():
            assert entry.text is not None
            provider.put(calendar, href, entry.text.replace("Lunch", "Dinner"), entry.tag)
        assert sorted(somebody.list()) == sorted(names)
        for href, entry in _read(provider, calendar).items():
            assert "Dinner" in (entry.text or "")
            provider.delete(calendar, href, entry.tag)
        assert somebody.list() == {}

    def test_what_is_gone_is_left_out_of_the_texts(
        self, provider: Provider, calendar: str, somebody: Calendar
    ):
        somebody.put("a.ics", event("a"))
        somebody.put("b.ics", event("b"))
        hrefs = list(_read(provider, calendar))
        somebody.delete("a.ics")
        assert ["UID:b" in (entry.text or "") for entry in provider.fetch(calendar, hrefs)] == [True]
        somebody.delete("b.ics")
        assert list(provider.fetch(calendar, hrefs)) == []

    def test_a_thousand_objects_come_in_batches(self, stand: Stand, provider: Provider, calendar: str):
        stand.seed(calendar, {f"{n}.ics": event(f"many-{n}") for n in range(1000)})
        changes = provider.changes(calendar, None)
        assert len({entry.href for entry in changes.entries}) == 1000
        before = provider.requests
        texts = {entry.href: entry for entry in provider.fetch(calendar, [e.href for e in changes.entries])}
        assert {href: entry.tag for href, entry in texts.items()} == {e.href: e.tag for e in changes.entries}
        assert provider.requests - before <= 20

    # --- writes ----------------------------------------------------------------------------------

    def test_created_changed_and_deleted(self, provider: Provider, calendar: str, somebody: Calendar):
        href = provider.new_href(calendar, "shoot_1")
        created = provider.put(calendar, href, event("shoot_1"), None)
        assert created.href == href
        assert _read(provider, calendar)[href].tag == created.tag
        changed_ = provider.put(calendar, href, event("shoot_1", "Dinner"), created.tag)
        assert changed_.tag != created.tag
        entry = _read(provider, calendar)[href]
        assert entry.tag == changed_.tag
        assert "SUMMARY:Dinner" in (entry.text or "")
        provider.delete(calendar, href, changed_.tag)
        assert somebody.list() == {}

    def test_a_repeated_create_is_found_not_repeated(self, stand: Stand, calendar: str, somebody: Calendar):
        for _ in range(2):
            provider = stand.provider()
            href = provider.new_href(calendar, "shoot_7@picsello.com")
            if somebody.list():
                with pytest.raises(TagMismatch):
                    provider.put(calendar, href, event("shoot_7"), None)
                assert href in _read(provider, calendar)
            else:
                provider.put(calendar, href, event("shoot_7"), None)
        assert len(somebody.list()) == 1

    def test_a_change_on_an_older_version_is_refused_and_nothing_lost(
        self, provider: Provider, calendar: str, somebody: Calendar
    ):
        somebody.put("a.ics", event("a"))
        (entry,) = _read(provider, calendar).values()
        somebody.put("a.ics", event("a", "Theirs"))
        with pytest.raises(TagMismatch):
            provider.put(calendar, entry.href, event("a", "Ours"), entry.tag)
        with pytest.raises(TagMismatch):
            provider.delete(calendar, entry.href, entry.tag)
        assert "Theirs" in (somebody.get("a.ics") or "")

    def test_changing_what_is_gone_brings_nothing_back(
        self, provider: Provider, calendar: str, somebody: Calendar
    ):
        somebody.put("a.ics", event("a"))
        (entry,) = _read(provider, calendar).values()
        somebody.delete("a.ics")
        with pytest.raises((ObjectGone, TagMismatch)):
            provider.put(calendar, entry.href, event("a", "Ours"), entry.tag)
        with pytest.raises((ObjectGone, TagMismatch)):
            provider.delete(calendar, entry.href, entry.tag)
        assert somebody.list() == {}

    def test_a_series_with_exceptions_is_one_object(
        self, provider: Provider, calendar: str, somebody: Calendar
    ):
        provider.put(calendar, provider.new_href(calendar, "series"), SERIES, None)
        (entry,) = _read(provider, calendar).values()
        assert not changed(SERIES, entry.text)

    def test_an_object_it_cannot_take_is_refused_alone(
        self, provider: Provider, calendar: str, somebody: Calendar
    ):
        with pytest.raises(ObjectRefused):
            provider.put(calendar, provider.new_href(calendar, "broken"), "this is no calendar", None)
        provider.put(calendar, provider.new_href(calendar, "good"), event("good"), None)
        assert len(somebody.list()) == 1

    def test_a_read_only_calendar_says_so_and_refuses_to_be_written(self, stand: Stand):
        calendar = stand.read_only_calendar()
        if calendar is None:
            return
        provider = stand.provider()
        assert not next(c for c in provider.calendars() if c.id == calendar).writable
        provider.changes(calendar, None)
        with pytest.raises(NotPermitted):
            provider.put(calendar, provider.new_href(calendar, "x"), event("x"), None)

    # --- bad days --------------------------------------------------------------------------------

    def test_a_write_whose_answer_is_lost_is_unknown_and_sent_once(
        self, stand: Stand, provider: Provider, calendar: str, somebody: Calendar
    ):
        href = provider.new_href(calendar, "shoot_2")
        stand.faults.fault("PUT", fault.lose_answer)
        with pytest.raises(UnknownOutcome):
            provider.put(calendar, href, event("shoot_2"), None)
        assert stand.faults.methods().count("PUT") == 1
        assert len(somebody.list()) == 1
        tag = _read(provider, calendar)[href].tag
        stand.faults.fault("DELETE", fault.lose_answer)
        with pytest.raises(UnknownOutcome):
            provider.delete(calendar, href, tag)
        assert somebody.list() == {}

    def test_a_write_that_never_arrived_is_unknown_too(
        self, stand: Stand, provider: Provider, calendar: str, somebody: Calendar
    ):
        stand.faults.fault("PUT", fault.lose_request, times=5)
        with pytest.raises(UnknownOutcome):
            provider.put(calendar, provider.new_href(calendar, "shoot_3"), event("shoot_3"), None)
        assert somebody.list() == {}

    def test_a_reading_request_is_repeated_once_on_a_new_connection(
        self, stand: Stand, provider: Provider, calendar: str, somebody: Calendar
    ):
        somebody.put("a.ics", event("a"))
        for method in ("PROPFIND", "REPORT"):
            stand.faults.fault(method, fault.lose_request)
        assert len(provider.calendars()) > 0
        assert len(provider.changes(calendar, None).entries) == 1

    def test_silence_is_unreachable(self, stand: Stand, provider: Provider, calendar: str):
        for method in ("PROPFIND", "REPORT"):
            stand.faults.fault(method, fault.lose_request, times=9)
        with pytest.raises(Unreachable):
            provider.changes(calendar, None)

    def test_a_busy_server_names_its_pause(self, stand: Stand, provider: Provider, calendar: str):
        stand.faults.fault("PUT", fault.answer(429, headers={"Retry-After": "17"}))
        with pytest.raises(RetryLater) as caught:
            provider.put(calendar, provider.new_href(calendar, "x"), event("x"), None)
        assert caught.value.after == 17
        for method in ("PROPFIND", "REPORT"):
            stand.faults.fault(method, fault.answer(503))
        with pytest.raises(RetryLater):
            provider.changes(calendar, None)

    def test_one_401_or_403_in_passing_is_no_verdict(self, stand: Stand, provider: Provider, calendar: str):
        for status in (401, 403):
            for method in ("PROPFIND", "REPORT", "PUT"):
                stand.faults.fault(method, fault.answer(status))
            assert provider.changes(calendar, None).complete
            provider.put(calendar, provider.new_href(calendar, f"x{status}"), event(f"x{status}"), None)
            stand.faults.heal()

    def test_a_sign_in_that_is_refused_for_good_is_said_so(
        self, stand: Stand, provider: Provider, calendar: str
    ):
        for method in ("PROPFIND", "REPORT"):
            stand.faults.fault(method, fault.answer(401), times=9)
        with pytest.raises(SignInNeeded):
            provider.changes(calendar, None)

    def test_what_is_written_meanwhile_is_not_taken_for_ours(
        self, stand: Stand, provider: Provider, calendar: str, somebody: Calendar
    ):
        href = provider.new_href(calendar, "shoot_4")

        def theirs() -> None:
            somebody.put(next(iter(somebody.list())), event("shoot_4", "Theirs"))

        stand.faults.fault("PUT", fault.meanwhile(theirs))
        entry = provider.put(calendar, href, event("shoot_4", "Ours"), None)
        assert "Theirs" not in (entry.text or "")
        assert entry.tag != _read(provider, calendar)[href].tag


def _once(stand: Stand, ask) -> Changes:
    provider = stand.provider()
    try:
        return ask(provider)
    finally:
        provider.close()


def _read(provider: Provider, calendar: str) -> dict[str, Entry]:
    """All objects with their texts, by href, after checking that listing and texts agree."""
    changes = provider.changes(calendar, None)
    assert changes.complete
    tags = {entry.href: entry.tag for entry in changes.entries}
    entries = {entry.href: entry for entry in provider.fetch(calendar, list(tags))}
    assert {href: entry.tag for href, entry in entries.items()} == tags
    return entries
