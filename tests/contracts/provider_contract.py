"""The provider contract: what the engine relies on, the same for every provider.

A runner (``test_<provider>.py`` beside this file) subclasses ``ProviderContract`` (or ``ReadingContract``,
where nothing can be written) and gives a ``stand`` fixture.
"""

from __future__ import annotations

import pytest

from bridge.errors import (
    NotPermitted,
    ObjectGone,
    ObjectRefused,
    RetryLater,
    TagMismatch,
    UnknownOutcome,
)
from bridge.ical.fields import changed
from bridge.ports import MakesCalendars, Provider
from tests.contracts.reading_contract import ReadingContract, read
from tests.contracts.samples import AWKWARD, SERIES, event
from tests.contracts.stand import Calendar, Stand
from tests.servers import fault


class ProviderContract(ReadingContract):
    """Subclasses give a ``stand`` fixture."""

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
        entries = read(provider, calendar)
        assert len(entries) == len(names)
        for href, entry in entries.items():
            assert entry.text is not None
            provider.put(calendar, href, entry.text.replace("Lunch", "Dinner"), entry.tag)
        assert sorted(somebody.list()) == sorted(names)
        for href, entry in read(provider, calendar).items():
            assert "Dinner" in (entry.text or "")
            provider.delete(calendar, href, entry.tag)
        assert somebody.list() == {}

    def test_a_calendar_is_made_for_the_bookings(self, provider: Provider):
        assert isinstance(provider, MakesCalendars)
        made = provider.make_calendar("Picsello Süd")
        assert made.name == "Picsello Süd"
        assert (made.writable, made.events) == (True, True)
        assert made.id in {calendar.id for calendar in provider.calendars()}
        assert read(provider, made.id) == {}
        href = provider.new_href(made.id, "made_1")  # nobody else's: some houses take a UID only once
        provider.put(made.id, href, event("made_1"), None)
        assert list(read(provider, made.id)) == [href]

    # --- writes ----------------------------------------------------------------------------------

    def test_created_changed_and_deleted(self, provider: Provider, calendar: str, somebody: Calendar):
        href = provider.new_href(calendar, "shoot_1")
        created = provider.put(calendar, href, event("shoot_1"), None)
        assert created.href == href
        assert read(provider, calendar)[href].tag == created.tag
        changed_ = provider.put(calendar, href, event("shoot_1", "Dinner"), created.tag)
        assert changed_.tag != created.tag
        entry = read(provider, calendar)[href]
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
                assert href in read(provider, calendar)
            else:
                provider.put(calendar, href, event("shoot_7"), None)
        assert len(somebody.list()) == 1

    def test_a_change_on_an_older_version_is_refused_and_nothing_lost(
        self, provider: Provider, calendar: str, somebody: Calendar
    ):
        somebody.put("a.ics", event("a"))
        (entry,) = read(provider, calendar).values()
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
        (entry,) = read(provider, calendar).values()
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
        (entry,) = read(provider, calendar).values()
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

    def test_a_write_whose_answer_is_lost_is_unknown_and_sent_once(
        self, stand: Stand, provider: Provider, calendar: str, somebody: Calendar
    ):
        href = provider.new_href(calendar, "shoot_2")
        stand.faults.fault(stand.creates, fault.lose_answer)
        with pytest.raises(UnknownOutcome):
            provider.put(calendar, href, event("shoot_2"), None)
        assert stand.faults.methods().count(stand.creates) == 1
        assert len(somebody.list()) == 1
        tag = read(provider, calendar)[href].tag
        stand.faults.fault("DELETE", fault.lose_answer)
        with pytest.raises(UnknownOutcome):
            provider.delete(calendar, href, tag)
        assert somebody.list() == {}

    def test_a_write_that_never_arrived_is_unknown_too(
        self, stand: Stand, provider: Provider, calendar: str, somebody: Calendar
    ):
        stand.faults.fault(stand.creates, fault.lose_request, times=5)
        with pytest.raises(UnknownOutcome):
            provider.put(calendar, provider.new_href(calendar, "shoot_3"), event("shoot_3"), None)
        assert somebody.list() == {}

    def test_a_busy_provider_names_its_pause_for_a_write(
        self, stand: Stand, provider: Provider, calendar: str
    ):
        stand.faults.fault(stand.creates, fault.answer(429, headers={"Retry-After": "17"}))
        with pytest.raises(RetryLater) as caught:
            provider.put(calendar, provider.new_href(calendar, "x"), event("x"), None)
        assert caught.value.after == 17

    def test_one_401_or_403_to_a_write_is_no_verdict(self, stand: Stand, provider: Provider, calendar: str):
        for status in (401, 403):
            stand.faults.fault(stand.creates, fault.answer(status))
            provider.put(calendar, provider.new_href(calendar, f"x{status}"), event(f"x{status}"), None)
            stand.faults.heal()

    def test_what_is_written_meanwhile_is_not_taken_for_ours(
        self, stand: Stand, provider: Provider, calendar: str, somebody: Calendar
    ):
        href = provider.new_href(calendar, "shoot_4")

        def theirs() -> None:
            somebody.put(next(iter(somebody.list())), event("shoot_4", "Theirs"))

        stand.faults.fault(stand.creates, fault.meanwhile(theirs))
        entry = provider.put(calendar, href, event("shoot_4", "Ours"), None)
        assert "Theirs" not in (entry.text or "")
        assert entry.tag != read(provider, calendar)[href].tag
