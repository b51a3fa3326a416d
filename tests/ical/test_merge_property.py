"""Random edits on both sides of a server that rewrites: what must hold for every merge."""

from __future__ import annotations

from typing import Literal

from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.ical.fields import BOOKKEEPING, GroupKey, changed, group_of, groups
from bridge.ical.merge import Merged, arrived, first_merge, merge
from tests.ical.situations import (
    logical_lines,
    property_name,
    rewritten_by_a_server,
    situation,
    with_block,
    with_line,
    with_part,
    without,
    without_blocks,
    without_part,
)

BASES = [
    "apple-structured-location-with-geo-uri",
    "outlook-windows-zone-and-raw-comma-in-alt-desc",
    "google-series-with-html-notes-and-conference",
    "series-with-override-and-exdates-on-one-line",
    "override-named-in-utc",
    "participants-and-unknown-components",
    "custom-zone-of-an-old-exchange",
    "definition-that-contradicts-its-name",
    "line-feeds-only",
    "task-with-due-date",
    "davx5-duration-instead-of-end",
]
LINES = [
    "SUMMARY:One",
    "SUMMARY:Two\\, or more",
    "LOCATION:Zoo",
    "X-APPLE-STRUCTURED-LOCATION;VALUE=URI:geo:1.25,2.5",
    "DESCRIPTION:a;b,c\\nd",
    "X-ALT-DESC;FMTTYPE=text/html:<p>a, b; c</p>",
    "STATUS:CANCELLED",
    "TRANSP:TRANSPARENT",
    "CATEGORIES:x,y",
    'ATTENDEE;CN="A, B":mailto:a@example.org',
    "DTSTART;TZID=Europe/Berlin:20240520T100000",
    "DTSTART;VALUE=DATE:20240520",
    "DTEND:20240601T100000Z",
    "DURATION:PT3H",
    "RRULE:FREQ=WEEKLY;COUNT=4",
    "EXDATE:20240513T160000Z",
    "X-ONE:1",
    "X-TWO;P=a:2",
    "SEQUENCE:9",
    "DTSTAMP:20310101T000000Z",
]
ALARM = "BEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT{}M\nEND:VALARM"
OVERRIDE = """BEGIN:VEVENT
UID:any
RECURRENCE-ID;TZID=Europe/Berlin:20240{}T180000
DTSTART;TZID=Europe/Berlin:20240{}T190000
SUMMARY:New override
END:VEVENT"""

Edit = tuple[str, str, int]
EDITS: st.SearchStrategy[Edit] = st.one_of(
    st.tuples(st.just("set"), st.sampled_from(LINES), st.integers(0, 1)),
    st.tuples(
        st.just("drop"), st.sampled_from(sorted({property_name(line) for line in LINES})), st.integers(0, 1)
    ),
    st.tuples(st.just("alarm"), st.sampled_from([ALARM.format(n) for n in (5, 15)]), st.integers(0, 1)),
    st.tuples(st.just("no alarms"), st.just(""), st.just(0)),
    st.tuples(
        st.just("override"), st.sampled_from([OVERRIDE.format(d, d) for d in ("603", "610")]), st.just(0)
    ),
    st.tuples(st.just("no override"), st.just(""), st.just(1)),
)


def applied(text: str, edits: list[Edit]) -> str:
    for kind, what, part in edits:
        part = min(part, len([line for line in logical_lines(text) if line.startswith("BEGIN:VEVENT")]) - 1)
        part = max(part, 0)
        if kind == "set":
            text = with_line(text, what, part)
        elif kind == "drop" and what != "DTSTART":
            text = without(text, what, part)
        elif kind == "alarm":
            text = with_block(text, what, part)
        elif kind == "no alarms":
            text = without_blocks(text, "VALARM")
        elif kind == "override" and what.split("\n")[2] not in text:
            text = with_part(text, what)
        elif kind == "no override" and part == 1:
            text = without_part(text, 1)
    return text


def meanings(text: str, result: Merged) -> dict[GroupKey, object]:
    """The groups, but without exclusions of instances that have an override in the result: one side's
    exclusion gives way to another's edit (stories of their own in ``test_merge``)."""
    said = groups(text)
    when = said.get((None, "when"))
    if isinstance(when, tuple):
        edited = {instance for merged in (result.hub, result.remote) for instance, _ in groups(merged)}
        kept = (value for value in when[2] if value[0] != "EXDATE" or value[2] not in edited)
        said[None, "when"] = (*when[:2], tuple(kept))
    return said


def stable_lines(text: str, groups_touched: set[str]) -> list[str]:
    """The lines that no touched group, no travelling definition and no bookkeeping explains, in order."""
    for group, block in (("alarms", "VALARM"), ("when", "VTIMEZONE")):
        if group in groups_touched:
            text = without_blocks(text, block)
    return [
        line
        for line in logical_lines(text)
        if (group := group_of(property_name(line))) is not None
        and group not in groups_touched
        and property_name(line) not in ("BEGIN", "END")
    ]


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(BASES),
    st.booleans(),
    st.lists(EDITS, max_size=4),
    st.lists(EDITS, max_size=4),
    st.sampled_from(["ours", "theirs", "ask"]),
)
def test_every_merge(
    name: str,
    rewrites: bool,
    our_edits: list[Edit],
    their_edits: list[Edit],
    prefer: Literal["ours", "theirs", "ask"],
) -> None:
    base_hub = situation(name)
    base_remote = rewritten_by_a_server(base_hub) if rewrites else base_hub
    hub, remote = applied(base_hub, our_edits), applied(base_remote, their_edits)
    ours, theirs = changed(base_hub, hub), changed(base_remote, remote)
    result = merge(base_hub, hub, base_remote, remote, prefer)
    now, there = meanings(result.hub, result), meanings(result.remote, result)
    conflicts = {conflict.key for conflict in result.conflicts}

    # both sides agree on all but what waits for an answer
    for key, value in {**groups(result.hub), **groups(result.remote)}.items():
        if prefer != "ask" or key not in conflicts:
            assert groups(result.hub).get(key) == groups(result.remote).get(key) == value, key

    # an edit of one side alone is on both; nothing else has changed
    whole = {key[0] for key in ours | theirs if key[1] == "component"}
    for key in ours - theirs - conflicts:
        if key[0] not in whole:
            assert now.get(key) == there.get(key) == meanings(hub, result).get(key), key
    for key in theirs - ours - conflicts:
        if key[0] not in whole:
            assert now.get(key) == there.get(key) == meanings(remote, result).get(key), key
    for key in groups(base_hub).keys() - ours - theirs:
        if key[0] not in whole:
            assert now.get(key) == meanings(base_hub, result)[key], key

    # conflicts are decided as asked
    for key in conflicts:
        side = {"ours": hub, "theirs": remote}.get(prefer)
        if side is not None:
            assert now.get(key) == there.get(key) == meanings(side, result).get(key)

    # lines of groups that nobody touched are as they were, on either side
    touched = {group for _, group in ours | theirs}
    if not whole:
        for before, after in ((hub, result.hub), (remote, result.remote)):
            assert stable_lines(before, touched) == stable_lines(after, touched)

    # swapping the sides mirrors the result
    other: dict[str, Literal["ours", "theirs", "ask"]] = {"ours": "theirs", "theirs": "ours", "ask": "ask"}
    back = merge(base_remote, remote, base_hub, hub, other[prefer])
    assert (back.remote, back.hub) == (result.hub, result.remote)
    assert {conflict.key for conflict in back.conflicts} == conflicts

    # a second merge has nothing to do, neither from the new bases nor from the old ones
    assert merge(result.hub, result.hub, result.remote, result.remote, prefer) == Merged(
        result.hub, result.remote, ()
    )
    again = merge(base_hub, result.hub, base_remote, result.remote, prefer)
    assert (again.hub, again.remote) == (result.hub, result.remote)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(BASES), st.lists(EDITS, max_size=4), st.lists(EDITS, max_size=4), st.booleans())
def test_every_first_meeting(
    name: str, our_edits: list[Edit], their_edits: list[Edit], hub_wins: bool
) -> None:
    hub, remote = (
        applied(situation(name), our_edits),
        applied(rewritten_by_a_server(situation(name)), their_edits),
    )
    prefer: Literal["ours", "theirs"] = "ours" if hub_wins else "theirs"
    result = first_merge(hub, remote, prefer)
    assert groups(result.hub) == groups(result.remote)
    winner, said = meanings(hub if hub_wins else remote, result), meanings(result.hub, result)
    for key, value in winner.items():
        assert said[key] == value
    assert first_merge(result.hub, result.remote, prefer) == Merged(result.hub, result.remote, ())


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(BASES), st.lists(EDITS, min_size=1, max_size=3))
def test_a_write_that_a_server_rewrote_has_arrived_and_an_untouched_base_has_not(
    name: str, edits: list[Edit]
) -> None:
    base = situation(name)
    sent = applied(base, edits)
    if changed(base, sent):
        assert arrived(base, sent, rewritten_by_a_server(sent))
        assert not arrived(base, sent, rewritten_by_a_server(base))


def test_bookkeeping_never_has_a_group() -> None:
    assert all(group_of(name) is None for name in BOOKKEEPING)
