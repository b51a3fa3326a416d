"""Any event, said in Graph's words and read back, says the same; and so does any text that we keep beside."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bridge.errors import ObjectRefused
from bridge.ical.fields import changed
from bridge.providers.microsoft.event import Event, Series, When, fields, repetition, series_of
from bridge.providers.microsoft.render import Stamps, render
from bridge.providers.microsoft.stash import properties, text_of
from bridge.providers.microsoft.translate import read
from tests.standins.microsoft_mailbox import Mailbox, Stored

_ZONES = st.sampled_from(
    [
        "UTC",
        "W. Europe Standard Time",
        "Eastern Standard Time",
        "AUS Eastern Standard Time",
        "Nepal Standard Time",
    ]
)
_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=30).map(
    str.strip
)
_NOTES = st.lists(_TEXT, max_size=3).map(lambda lines: "\n".join(lines).replace("\u00a0", " ").rstrip())
_MINUTES = st.integers(0, 4 * 1440).map(lambda minutes: timedelta(minutes=minutes))


@st.composite
def whens(draw: st.DrawFn) -> When:
    start = draw(st.datetimes(datetime(2024, 1, 1), datetime(2028, 1, 1))).replace(second=0, microsecond=0)
    if draw(st.booleans()):
        day = start.replace(hour=0, minute=0)
        return When(day, day + timedelta(days=draw(st.integers(1, 5))), all_day=True)
    zone = draw(_ZONES)
    return When(
        start.replace(hour=start.hour % 20 + 4), start + timedelta(days=2) + draw(_MINUTES), zone, zone
    )


_EVENTS = st.builds(
    Event,
    whens(),
    _TEXT,
    _TEXT,
    _NOTES,
    st.sampled_from(["busy", "free", "tentative", "oof", "workingElsewhere"]),
    st.sampled_from(["", "PRIVATE", "CONFIDENTIAL"]),
    st.sampled_from([0, 1, 9]),
    st.none() | st.integers(0, 10_000),
    st.lists(_TEXT.filter(bool), max_size=3, unique=True).map(tuple),
)
_RULES = st.sampled_from(
    [
        "",
        "FREQ=DAILY;COUNT=9",
        "FREQ=WEEKLY;COUNT=9",
        "FREQ=WEEKLY;INTERVAL=2;COUNT=9",
        "FREQ=DAILY;INTERVAL=3;COUNT=9",
    ]
)


@st.composite
def serieses(draw: st.DrawFn) -> Series:
    master, rrule = draw(_EVENTS), draw(_RULES)
    if not rrule:
        return Series(master)
    step = timedelta(
        days={"FREQ=DAILY;COUNT=9": 1, "FREQ=WEEKLY;COUNT=9": 7, "FREQ=DAILY;INTERVAL=3;COUNT=9": 3}.get(
            rrule, 14
        )
    )
    dates = [master.when.start + step * number for number in range(9)]
    cancelled = draw(st.sets(st.sampled_from(dates), max_size=3))
    series = Series(master, rrule, cancelled=frozenset(cancelled))
    touched = draw(st.sets(st.sampled_from(dates), max_size=2)) - cancelled
    overrides = {}
    for instance in touched:
        changed_ = draw(_EVENTS)
        if changed_.when.all_day == master.when.all_day and changed_ != series.as_planned(instance):
            overrides[instance] = changed_
    return Series(master, rrule, overrides, frozenset(cancelled))


@settings(max_examples=60, deadline=None)
@given(serieses())
def test_what_is_rendered_is_read_as_the_same(series: Series):
    text = render(series, Stamps("uid", "20260101T000000Z"))
    assert read(text) == ("uid", series)
    assert render(series, Stamps("uid", "20260101T000000Z")) == text


@settings(max_examples=60, deadline=None)
@given(serieses())
def test_what_is_sent_is_what_is_there(series: Series):
    assert series_of(_there(series)[1]) == series


@settings(max_examples=50, deadline=None)
@given(serieses(), st.sampled_from(["subject", "location", "body"]))
def test_an_edit_there_changes_that_group_of_the_kept_text_alone(series: Series, name: str):
    text = render(series, Stamps("ours", "20260101T000000Z")).replace(
        "END:VEVENT", "X-STUDIO:yes\r\nEND:VEVENT", 1
    )
    mailbox, _ = kept = _there(series, text)
    (stored,) = mailbox.events.values()
    assert text_of(kept[1]) == text
    value: Any = {"subject": "Edited", "location": {"displayName": "Edited"}}.get(name)
    mailbox.change(stored, {name: value or {"contentType": "text", "content": "Edited"}})
    group = {"subject": "title", "location": "place", "body": "notes"}[name]
    edited = text_of(mailbox.whole(stored))
    touched = {key for key in changed(text, edited) if key[0] is None}
    assert touched <= {(None, group)}
    assert "X-STUDIO:yes" in edited


def _there(series: Series, text: str | None = None) -> tuple[Mailbox, dict[str, Any]]:
    """A mailbox with that series, and the event as a request would read it."""
    mailbox = Mailbox()
    body = fields(series.master)
    try:
        if rule := repetition(series):
            body["recurrence"] = rule
    except ObjectRefused:
        assume(False)
    stored: Stored = mailbox.add(mailbox.add_calendar("Arbeit"), body)
    for instance, event in series.overrides.items():
        mailbox.change_date(stored, instance.date(), fields(event))
    for instance in series.cancelled:
        mailbox.cancel_date(stored, instance.date())
    if text is not None:
        mailbox.change(stored, {"singleValueExtendedProperties": properties("k", text)})
    return mailbox, mailbox.whole(stored)


def test_a_date_of_a_series_of_days_is_the_same_day_wherever_the_mailbox_is():
    """Graph gives midnight in UTC; mailboxes have been seen to give their own."""
    said: dict[str, Any] = {"id": "x", "isAllDay": True, "type": "seriesMaster"}
    said |= {name: {"dateTime": "2026-01-05T00:00:00", "timeZone": "UTC"} for name in ("start",)}
    said["end"] = {"dateTime": "2026-01-06T00:00:00", "timeZone": "UTC"}
    range_ = {"type": "noEnd", "startDate": "2026-01-05"}
    said["recurrence"] = {"pattern": {"type": "daily", "interval": 1}, "range": range_}
    for original in ("2026-01-08T00:00:00Z", "2026-01-07T23:00:00Z", "2026-01-08T05:00:00Z"):
        moved = {**said, "subject": "Moved", "originalStart": original}
        series = series_of({**said, "exceptionOccurrences": [moved]})
        assert [instance.date() for instance in series.overrides] == [date(2026, 1, 8)]
