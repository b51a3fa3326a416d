"""Picsello's own slot vectors where they were right, and each of its booking defects (D4, D25-D32), gone.

Numbers of defects are those of the domain notes; each test would fail with Picsello's behaviour.
"""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from bridge.ical.busy import taken
from bridge.slots.days import Part
from bridge.slots.offer import Offer, nearest
from bridge.slots.rules import Busy, Day, Rules, Why

BERLIN = ZoneInfo("Europe/Berlin")
DAY = date(2027, 5, 8)
LONG_AGO = 0


def at(wall: str, day: date = DAY) -> int:
    return int(datetime.fromisoformat(f"{day}T{wall}").replace(tzinfo=BERLIN).timestamp())


def parts(*spans: str) -> tuple[Part, ...]:
    def seconds(clock: str) -> int:
        hours, minutes = clock.split(":")
        return int(hours) * 3600 + int(minutes) * 60

    return tuple(Part(*map(seconds, span.split("-"))) for span in spans)


def rules(*blocks: str, length: int = 60, gap: int = 0, day: date = DAY, **more: object) -> Rules:
    breaks, hidden = more.pop("breaks", ()), more.pop("hidden", ())
    open_day = Day(parts(*blocks), parts(*breaks), parts(*hidden))  # type: ignore[misc]
    return Rules(BERLIN, length * 60, gap * 60, {day: open_day}, **more)  # type: ignore[arg-type]


def free(rules: Rules, *busy: Busy, now: int = LONG_AGO, day: date = DAY) -> list[str]:
    slots = Offer(rules, busy, now).slots(at("00:00", day), at("00:00", day) + 90_000)
    return [f"{datetime.fromtimestamp(slot.starts, BERLIN):%H:%M}" for slot in slots if slot.free]


def shoot(starts: str, ends: str) -> Busy:
    return Busy(at(starts), at(ends), "shoot")


@pytest.mark.parametrize(
    ("length", "gap", "blocks", "starts"),
    [
        (30, 30, ["09:00-13:00"], ["09:00", "10:00", "11:00", "12:00"]),
        (30, 30, ["14:00-15:00"], ["14:00"]),
        (45, 15, ["09:00-13:00", "15:00-17:00"], ["09:00", "10:00", "11:00", "12:00", "15:00", "16:00"]),
        (15, 20, ["17:00-18:00"], ["17:00", "17:35"]),
    ],
)
def test_picsellos_own_vectors_hold(length: int, gap: int, blocks: list[str], starts: list[str]) -> None:
    assert free(rules(*blocks, length=length, gap=gap)) == starts


def test_two_blocks_that_meet_in_a_slot_offer_it_once() -> None:
    assert free(rules("09:00-11:00", "10:00-12:00")) == ["09:00", "10:00", "11:00"]


@pytest.mark.parametrize(
    ("event", "starts"),
    [
        ("DTSTART;VALUE=DATE:20270508", []),  # all day
        ("DTSTART:20270401T080000Z\r\nDURATION:PT1H\r\nRRULE:FREQ=DAILY", ["09:00", "11:00"]),  # 10:00 here
        ("DTSTART:20270508T080000Z\r\nDURATION:PT1H", ["09:00", "11:00"]),  # without a description
        ("DTSTART:20270508T080000Z\r\nDURATION:PT1H\r\nTRANSP:TRANSPARENT", ["09:00", "10:00", "11:00"]),
        ("DTSTART:20270508T080000Z\r\nDURATION:PT1H\r\nSTATUS:CANCELLED", ["09:00", "10:00", "11:00"]),
        (
            "DTSTART:20270508T080000Z\r\nDURATION:PT1H\r\nATTENDEE;PARTSTAT=DECLINED:mailto:Anna@x.example",
            ["09:00", "10:00", "11:00"],
        ),
    ],
)
def test_d4_external_events_close_slots_unless_they_leave_the_time_free(
    event: str, starts: list[str]
) -> None:
    text = f"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\n{event}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    found = taken(text, at("00:00"), at("23:59"), BERLIN, {"anna@x.example"})
    busy = [Busy(one.starts, one.ends, text) for one in found]
    assert free(rules("09:00-12:00"), *busy) == starts


def test_d25_a_shoot_wholly_inside_a_slot_closes_it() -> None:
    assert free(rules("09:00-13:00", length=120), shoot("09:30", "10:15")) == ["11:00"]


def test_d26_a_taken_time_of_the_list_is_refused_and_the_nearest_free_ones_are_named() -> None:
    offer = Offer(rules("09:00-13:00"), [shoot("10:00", "11:00")], LONG_AGO)
    assert offer.slot(at("09:00")).free
    wanted = offer.slot(at("10:00"))
    assert not wanted.free and wanted.offered
    others = nearest(offer.slots(at("00:00"), at("23:59")), wanted.starts, 2)
    assert [slot.starts for slot in others] == [at("09:00"), at("11:00")]
    assert Why.NOT_OFFERED in {reason.why for reason in offer.slot(at("09:30")).reasons}


def test_d27_the_buffer_is_kept_before_a_session_too() -> None:
    with_room = rules("09:00-12:00", length=30, before=30 * 60, after=30 * 60)
    assert free(with_room, shoot("08:00", "09:01")) == ["10:00", "10:30", "11:00", "11:30"]
    assert free(with_room, shoot("12:00", "13:00")) == ["09:00", "09:30", "10:00", "10:30", "11:00"]


def test_d27_the_room_that_a_booked_session_wants_is_kept_free_for_other_sessions() -> None:
    booked = Busy(at("10:00"), at("11:00"), before=0, after=3600)
    assert free(rules("09:00-13:00"), booked) == ["09:00", "12:00"]


def test_d28_a_wedding_that_runs_past_midnight_closes_the_small_hours() -> None:
    wedding = Busy(at("18:00", date(2027, 5, 7)), at("02:00"))
    assert free(rules("00:00-04:00"), wedding) == ["02:00", "03:00"]


def test_d29_no_session_wraps_round_midnight() -> None:
    assert free(rules("20:00-23:59", gap=60)) == ["20:00", "22:00"]
    assert free(rules("22:00-24:00")) == ["22:00", "23:00"]


def test_d30_every_block_makes_slots_and_time_is_taken_while_it_lies_ahead() -> None:
    done_but_ahead = shoot("15:00", "16:00")  # whatever Picsello thinks of its job
    assert free(rules("09:00-10:00", "15:00-17:00"), done_but_ahead) == ["09:00", "16:00"]


def test_d31_the_past_of_today_is_not_offered_and_today_is_the_studios() -> None:
    assert free(rules("09:00-12:00"), now=at("09:01")) == ["10:00", "11:00"]
    late = rules("00:00-03:00", furthest=0)
    assert free(late, now=at("00:30")) == ["01:00", "02:00"]  # still yesterday in UTC


def test_d31_minimum_notice_furthest_day_and_most_a_day() -> None:
    assert free(rules("09:00-12:00", notice=2 * 3600), now=at("08:30")) == ["11:00"]
    assert free(rules("09:00-12:00", furthest=7), now=at("08:00", date(2027, 4, 30))) == []
    assert free(rules("09:00-12:00", furthest=8), now=at("08:00", date(2027, 4, 30))) != []
    sold = [Busy(at(start), at(start) + 3600, session=True) for start in ("09:00", "13:00")]
    assert free(rules("09:00-12:00", per_day=3), *sold) == ["10:00", "11:00"]
    assert free(rules("09:00-12:00", per_day=2), *sold) == []
    assert free(rules("09:00-12:00", per_week=2), *sold) == []


@pytest.mark.parametrize(
    ("day", "starts"),
    [
        (date(2027, 3, 28), ["01:00", "03:00", "04:00"]),  # 02:00 does not exist
        (date(2027, 10, 31), ["01:00", "02:00", "02:00", "03:00", "04:00"]),  # 02:00 exists twice
    ],
)
def test_d32_days_on_which_the_clocks_change(day: date, starts: list[str]) -> None:
    assert free(rules("01:00-05:00", day=day), day=day) == starts


def test_d32_a_block_that_begins_in_the_gap_begins_after_it() -> None:
    spring = date(2027, 3, 28)
    assert free(rules("02:30-04:30", day=spring), day=spring) == ["03:00"]
    assert free(rules("02:10-02:50", length=10, day=spring), day=spring) == []


def test_breaks_hidden_parts_and_days_off() -> None:
    assert free(rules("09:00-13:00", breaks=["10:30-10:45"], hidden=["12:00-13:00"])) == ["09:00", "11:00"]
    assert free(rules("09:00-13:00", hidden_starts=frozenset({at("09:00")}))) == ["10:00", "11:00", "12:00"]
    assert free(rules("09:00-13:00", closed=[(date(2027, 5, 1), DAY)])) == []


def test_a_calendar_that_could_not_be_read_closes_everything_and_is_named() -> None:
    offer = Offer(rules("09:00-10:00", unread=("family",)), [], LONG_AGO)
    (reason,) = offer.slot(at("09:00")).reasons
    assert (reason.why, reason.source) == (Why.UNREAD, "family")


def test_opening_hours_by_weekday_and_what_lies_outside_of_them() -> None:
    weekly = Rules(BERLIN, 3600, hours={DAY.weekday(): Day(parts("09:00-11:00", "11:00-12:00"))})
    assert free(weekly) == ["09:00", "10:00", "11:00"]
    offer = Offer(weekly, [], LONG_AGO)
    assert offer.explain(at("10:00"), at("12:00")) == ()
    assert [reason.why for reason in offer.explain(at("11:30"), at("12:30"))] == [Why.NOT_OFFERED]
    assert offer.explain(at("10:00", date(2027, 5, 9)), at("11:00", date(2027, 5, 9)))


def test_room_is_what_nothing_takes() -> None:
    offer = Offer(rules("09:00-10:00"), [shoot("10:00", "11:00"), shoot("10:30", "12:00")], LONG_AGO)
    assert offer.room(at("09:00"), at("13:00")) == [(at("09:00"), at("10:00")), (at("12:00"), at("13:00"))]
    assert offer.room(at("10:15"), at("10:45")) == []
