"""Any series after any other: what was written is what is there."""

from __future__ import annotations

import itertools
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.ical.text import parse
from bridge.providers.google.fields import Wanted, read
from bridge.providers.google.writing import date_named, on_its_date
from tests.contracts.samples import calendar
from tests.providers.google.place import Place

_numbers = itertools.count()
BERLIN = ZoneInfo("Europe/Berlin")
#: Six Tuesdays in March and April 2026; the clock changes after the fourth.
DAYS = ("20260303", "20260310", "20260317", "20260324", "20260331", "20260407")


@st.composite
def _series(draw: st.DrawFn) -> str:
    """Some dates left out, some retitled or moved, the series at one of two hours."""
    hour, title = draw(st.sampled_from(["09", "11"])), draw(st.sampled_from(["Team", "Crew"]))
    fates = draw(st.tuples(*(st.sampled_from(["", "", "out", "title", "moved"]) for _ in DAYS[1:])))
    zone = "TZID=Europe/Berlin"
    head = ["UID:s", "DTSTAMP:20260101T000000Z"]
    master = [*head, f"DTSTART;{zone}:{DAYS[0]}T{hour}0000", f"DTEND;{zone}:{DAYS[0]}T{hour}3000"]
    lines = ["BEGIN:VEVENT", *master, "RRULE:FREQ=WEEKLY;COUNT=6", f"SUMMARY:{title}"]
    lines += [
        f"EXDATE;{zone}:{day}T{hour}0000" for day, fate in zip(DAYS[1:], fates, strict=True) if fate == "out"
    ]
    lines.append("END:VEVENT")
    for day, fate in zip(DAYS[1:], fates, strict=True):
        if fate in ("title", "moved"):
            at = "15" if fate == "moved" else hour
            times = [f"DTSTART;{zone}:{day}T{at}0000", f"DTEND;{zone}:{day}T{at}3000"]
            lines += ["BEGIN:VEVENT", *head, f"RECURRENCE-ID;{zone}:{day}T{hour}0000", *times]
            lines += [f"SUMMARY:{title} ({fate})", "END:VEVENT"]
    return calendar(*lines)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_series(), min_size=2, max_size=4))
def test_what_was_written_last_is_what_is_there(place: Place, texts: list[str]):
    entry = place.provider.put(
        place.calendar, place.provider.new_href(place.calendar, str(next(_numbers))), texts[0], None
    )
    _same(texts[0], entry.text)
    for text in texts[1:]:
        entry = place.update(entry, text)
        _same(text, entry.text)
        assert list(place.provider.fetch(place.calendar, [entry.href])) == [entry]
    place.provider.delete(place.calendar, entry.href, entry.tag)


def _same(sent: str, found: str | None) -> None:
    """Dates that differed once may still be items of their own; they then say what their series says."""
    wanted, there = _read(sent), _read(found or "")
    assert wanted.master is not None
    assert there.master == wanted.master
    for name, fields in there.overrides.items():
        usual = on_its_date(wanted.master, date_named(name, wanted.master.start))
        assert fields == wanted.overrides.get(name, usual)
    assert wanted.overrides.keys() <= there.overrides.keys()


def _read(text: str) -> Wanted:
    return read(parse(text), BERLIN)
