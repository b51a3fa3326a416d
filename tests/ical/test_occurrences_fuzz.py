"""Whatever a text says about its times: an answer within bounds, or a sentence."""

import contextlib
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.errors import Invalid
from bridge.ical.occurrences import MOST, enclosing, occurrences


def words(text: str) -> st.SearchStrategy[str]:
    return st.sampled_from(text.split())


TIMES = words("""00010101T000000 00010101T000000Z 00010101 99991231T235959 99991231T235959Z 99991231
    20240331T023000
    20241027T023000 20240229 20240501T100000Z 20240501T240000 20240501T235960 2024 20241301 20240501T1000
    20240501T100000Z/PT1H 20240501T100000/99991231T235959 / , 20240501,20240502T000000Z x""")
LENGTHS = words("PT0S PT1H P1D P999999999D P999999999W -P1D -PT1H P PT P1W2D PT99999999H x")
OFFSETS = words("+0000 +0100 -1200 +2359 -2359 +2400 +0199 +01 x +013015")
ZONES = st.sampled_from(
    ["", ";TZID=Europe/Berlin", ";TZID=Own", ";TZID=Nowhere", ";TZID=GMT+99", ";VALUE=DATE", ';TZID="EST"']
)
RULES = st.lists(
    words("""
        FREQ=YEARLY FREQ=MONTHLY FREQ=WEEKLY FREQ=DAILY FREQ=HOURLY FREQ=SECONDLY COUNT=3 COUNT=-1 COUNT=0
        COUNT=99999999999999999999 INTERVAL=0 INTERVAL=99999999999999999999 INTERVAL=2 UNTIL=20250101
        UNTIL=20250101T000000Z UNTIL=99991231T235959Z UNTIL=00010101 UNTIL=x BYDAY=MO BYDAY=-53SU BYDAY=9MO
        BYMONTHDAY=31 BYMONTHDAY=-31 BYMONTH=2 BYYEARDAY=-366 BYWEEKNO=53 BYWEEKNO=-53 BYSETPOS=-366
        BYSETPOS=1
        BYHOUR=0,23 BYMINUTE=59 BYSECOND=60 WKST=SU WKST=XX RSCALE=GREGORIAN X-A=B"""),
    min_size=1,
    max_size=5,
).map(";".join)


@st.composite
def objects(draw: st.DrawFn) -> str:
    def line(name: str, values: st.SearchStrategy[str]) -> str:
        return f"{name}{draw(ZONES)}:{draw(values)}"

    text = ["BEGIN:VCALENDAR"]
    if draw(st.booleans()):
        text += ["BEGIN:VTIMEZONE", "TZID:Own", "BEGIN:STANDARD", f"DTSTART:{draw(TIMES)}"]
        text += [f"TZOFFSETFROM:{draw(OFFSETS)}", f"TZOFFSETTO:{draw(OFFSETS)}"]
        text += [f"RRULE:{draw(RULES)}"] * draw(st.booleans())
        text += ["END:STANDARD", "END:VTIMEZONE"]
    for number in range(draw(st.integers(1, 3))):
        text.append("BEGIN:VEVENT")
        if number:
            future = ";RANGE=THISANDFUTURE" if draw(st.booleans()) else ""
            text.append(line(f"RECURRENCE-ID{future}", TIMES))
        text.append(line("DTSTART", TIMES))
        if draw(st.booleans()):
            text.append(line("DTEND", TIMES))
        if draw(st.booleans()):
            text.append(f"DURATION:{draw(LENGTHS)}")
        if draw(st.booleans()):
            text.append(f"RRULE:{draw(RULES)}")
        for name in draw(st.lists(st.sampled_from(["EXDATE", "RDATE"]), max_size=2)):
            text.append(line(name, TIMES))
        text += [f"SEQUENCE:{draw(st.sampled_from(['1', '-1', 'x', '9' * 5000]))}", "END:VEVENT"]
    return "\r\n".join([*text, "END:VCALENDAR", ""])


WINDOWS = st.sampled_from(
    [(1704067200, 1735689600), (-(10**12), 10**12), (0, 0), (253402300799, 253402300800)]
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(objects(), WINDOWS, words("Europe/Berlin Pacific/Kiritimati America/Los_Angeles"))
def test_any_text_is_answered_or_refused(text: str, window: tuple[int, int], zone: str) -> None:
    reader = ZoneInfo(zone)
    with contextlib.suppress(Invalid):
        spans = occurrences(text, *window, reader)
        assert len(spans) <= MOST
        assert all(span.starts <= span.ends for span in spans)
        first, last, _ = enclosing(text, reader)
        assert all(first is not None and first <= span.starts for span in spans)
        assert last is None or all(span.ends <= last for span in spans)
