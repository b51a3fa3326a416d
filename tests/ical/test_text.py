"""Text in, text out: whatever parses comes back byte for byte."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bridge.errors import Invalid
from bridge.ical.text import Component, Line, decode, escape, fold, parse, restore_crlf, unescape, unfold
from tests.ical.situations import FOLDER, NAMES, situation

EVENT = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n{}END:VEVENT\r\nEND:VCALENDAR\r\n"


def event_line(raw: str) -> Line:
    event = next(parse(EVENT.format(raw)).components())
    return next(event.lines())


@pytest.mark.parametrize("name", NAMES)
def test_every_situation_comes_back_byte_for_byte(name: str) -> None:
    original = (FOLDER / f"{name}.ics").read_bytes()
    again = parse(situation(name)).serialize()
    assert again.encode("utf-8", "surrogateescape") == original


LINE_ENDS = st.sampled_from(["\r\n", "\n", "\r\n\r\n", "\n\n", "\r\n \r\n"])
HEADS = st.sampled_from(
    [
        "SUMMARY",
        "x-a",
        "item1.X-B",
        "DTSTART;TZID=Europe/Berlin",
        'X;CN="a;b:c,d"',
        "X;Y=",
        'X;CN=un"q',
        'X;A="o',
    ]
)
VALUES = st.text('ab é💍:;,\\"\t=\r', max_size=12)
CONTENT = st.builds(
    "{}:{}{}{}{}".format, HEADS, VALUES, st.sampled_from(["", "\r\n ", "\n\t"]), VALUES, LINE_ENDS
)
KINDS = st.sampled_from(["VEVENT", "VALARM", "X-COMP", "Vtodo"])


def block(kind: str, lines: list[str]) -> str:
    return f"BEGIN:{kind}\r\n{''.join(lines)}END:{kind}\n"


INNER = st.builds(block, KINDS, st.lists(CONTENT, max_size=3))
OUTER = st.builds(block, KINDS, st.lists(st.one_of(CONTENT, INNER), max_size=4))


@st.composite
def calendars(draw: st.DrawFn) -> str:
    lead = draw(st.sampled_from(["", "\ufeff", "\r\n", "  \n"]))
    tail = draw(st.sampled_from(["\r\n", "\n", "", "\r\n\r\n", " "]))
    lines = draw(st.lists(st.one_of(CONTENT, OUTER), max_size=5))
    return f"{lead}BEGIN:VCALENDAR\r\n{''.join(lines)}END:VCALENDAR{tail}"


@given(calendars())
def test_whatever_parses_comes_back_byte_for_byte(text: str) -> None:
    calendar = parse(text)
    assert calendar.serialize() == text
    assert calendar.copy().serialize() == text


@given(st.text('BEGINDVCALR:;\r\n \t"\\=,é\udcc3', max_size=60))
@example("BEGIN:VCALENDAR\nEND:VCALENDAR")
def test_junk_is_refused_with_a_sentence_or_kept(junk: str) -> None:
    text = f"BEGIN:VCALENDAR\r\n{junk}\r\nEND:VCALENDAR\r\n"
    kept = precondition = None
    try:
        kept = parse(text).serialize()
    except Invalid as refusal:
        precondition = refusal.precondition
    assert kept == text or precondition == "valid-calendar-data"


def test_a_colon_within_quotes_does_not_end_the_parameters() -> None:
    line = event_line('ATTENDEE;CN="A: B; C, D";PARTSTAT=ACCEPTED:mailto:a@example.org\r\n')
    assert line.param("CN") == "A: B; C, D"
    assert line.param("PARTSTAT") == "ACCEPTED"
    assert line.value == "mailto:a@example.org"


def test_a_quote_left_open_costs_nothing_but_the_quote() -> None:
    line = event_line('ATTENDEE;CN="A;PARTSTAT=ACCEPTED:mailto:a@example.org\r\n')
    assert (line.param("CN"), line.param("PARTSTAT"), line.value) == ("A", "ACCEPTED", "mailto:a@example.org")


def test_carets_in_parameters_are_read() -> None:
    line = event_line("ATTENDEE;CN=George ^'Babe^' Ruth^nJr^^:mailto:b\r\n")
    assert line.param("CN") == 'George "Babe" Ruth\nJr^'


def test_an_apple_geo_uri_keeps_both_numbers() -> None:
    line = event_line('X-APPLE-STRUCTURED-LOCATION;VALUE=URI;X-TITLE="a, b":geo:52.499,13.355\r\n')
    assert line.value == "geo:52.499,13.355"


def test_folds_by_blank_and_tab_are_undone_and_trailing_blanks_kept() -> None:
    assert event_line("DESCRIPTION:one \r\n two\n\tthree  \r\n").value == "one twothree  "


def test_a_fold_inside_a_character_is_healed() -> None:
    text = EVENT.format("SUMMARY:K{}ln\r\n").encode()
    torn = text.replace(b"{}", b"\xc3\r\n \xb6")
    assert decode(torn) == text.decode().replace("{}", "ö")
    line = next(next(parse(torn.decode("utf-8", "surrogateescape")).components()).lines())
    assert line.value == "Köln"


def test_bytes_that_are_no_text_are_refused() -> None:
    for body in (b"BEGIN:VCALENDAR\r\n\xff\xfe", b"BEGIN:VCALENDAR\0", b"\xc3\r\n\xb6"):
        with pytest.raises(Invalid, match=r"UTF-8|NUL"):
            decode(body)
    assert decode("Köln".encode("latin-1"), "iso-8859-1") == "Köln"
    with pytest.raises(Invalid, match="unknown"):
        decode(b"x", "no-such-charset")


def test_a_line_that_is_no_property_belongs_to_the_one_before() -> None:
    event = next(parse(situation("description-whose-author-forgot-to-fold")).components("VEVENT"))
    assert event.value("DESCRIPTION") == "first line\nsecond line without a fold"
    assert event.value("X-AFTER") == "kept"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("<html><body>Sign in</body></html>", "web page"),
        ("hello", "line 1"),
        ("BEGIN:VCARD\r\nEND:VCARD\r\n", "line 1"),
        ("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nEND:VCALENDAR\r\n", "line 3"),
        ("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:cut", "cut off"),
        ("BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\nBEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "second calendar"),
        ("BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\nmore", "line 3"),
    ],
)
def test_what_is_no_calendar_is_refused_in_plain_words(text: str, words: str) -> None:
    with pytest.raises(Invalid, match=words) as refusal:
        parse(text)
    assert refusal.value.precondition == "valid-calendar-data"


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r")))
def test_text_survives_escaping(text: str) -> None:
    assert unescape(escape(text)) == text
    assert "\n" not in escape(text)


def test_unescaping_reads_from_left_to_right() -> None:
    assert unescape(r"C:\\new\Nline\, \;semi \x") == "C:\\new\nline, ;semi \\x"


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), min_size=1))
def test_folded_lines_are_short_and_unfold_to_the_same(content: str) -> None:
    folded = fold("X:" + content)
    assert all(len(piece.encode()) <= 75 for piece in folded.split("\r\n"))
    assert unfold(folded) == "X:" + content


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])))
def test_a_line_that_we_make_is_read_as_meant(text: str) -> None:
    made = Line.make("X-NOTE", escape(text), [("x-title", text), ("CN", "plain")])
    line = event_line(made.raw)
    assert (line.text, line.param("X-TITLE"), line.param("CN")) == (text, text, "plain")
    assert line == made


def test_line_ends_that_xml_changed_are_restored() -> None:
    assert restore_crlf("a\nb\r\nc\n") == "a\r\nb\r\nc\r\n"
    assert restore_crlf("a\r\nb") == "a\r\nb"


def test_a_component_that_we_make_reads_as_meant() -> None:
    made = Component.make("VEVENT", [Line.make("UID", "1")])
    assert made.serialize() == "BEGIN:VEVENT\r\nUID:1\r\nEND:VEVENT\r\n"
