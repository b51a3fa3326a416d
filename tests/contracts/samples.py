"""iCalendar texts for the provider contract, in the manner of those who write them."""

from __future__ import annotations


def event(uid: str, summary: str = "Lunch", *lines: str) -> str:
    """A plain appointment, with extra lines inside the event."""
    return calendar(
        "BEGIN:VEVENT",
        f"UID:{uid}",
        "DTSTAMP:20260101T000000Z",
        "DTSTART:20260105T090000Z",
        "DTEND:20260105T100000Z",
        f"SUMMARY:{summary}",
        *lines,
        "END:VEVENT",
    )


def calendar(*lines: str) -> str:
    return "\r\n".join(
        [
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            "PRODID:-//Tests//Provider contract//EN",
            *lines,
            "END:VCALENDAR",
            "",
        ]
    )


#: Everything that careless readers and writers of XML and iCalendar damage.
AWKWARD = event(
    "awkward",
    "Hochzeit Müller & Söhne <Standesamt> ]]> 📷",
    'DESCRIPTION:<b>Schön</b>\\, &amp\\; "zitiert"\\; so:\\n\\n\tmit Tab und Leerzeichen am Ende  ',
    'X-APPLE-STRUCTURED-LOCATION;VALUE=URI;X-ADDRESS="Markt 1\\n04109 Leipzig";X-APPL',
    ' E-RADIUS=70.58;X-TITLE="Altes Rathaus; Saal":geo:51.340632,12.374729',
    "X-ALT-DESC;FMTTYPE=text/html:<html><body>a, b; c</body></html>",
    "x-lower-case:kept",
    'ATTENDEE;CN="Ä, B";PARTSTAT=NEEDS-ACTION:mailto:a@example.com',
    "BEGIN:VALARM",
    "ACTION:DISPLAY",
    "TRIGGER:-PT15M",
    "DESCRIPTION:Erinnerung",
    "END:VALARM",
)

#: A weekly series in a zone, one date left out, one moved.
SERIES = calendar(
    "BEGIN:VTIMEZONE",
    "TZID:Europe/Berlin",
    "BEGIN:STANDARD",
    "DTSTART:19961027T030000",
    "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10",
    "TZOFFSETFROM:+0200",
    "TZOFFSETTO:+0100",
    "END:STANDARD",
    "BEGIN:DAYLIGHT",
    "DTSTART:19960331T020000",
    "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3",
    "TZOFFSETFROM:+0100",
    "TZOFFSETTO:+0200",
    "END:DAYLIGHT",
    "END:VTIMEZONE",
    "BEGIN:VEVENT",
    "UID:series",
    "DTSTAMP:20260101T000000Z",
    "DTSTART;TZID=Europe/Berlin:20260106T090000",
    "DTEND;TZID=Europe/Berlin:20260106T100000",
    "RRULE:FREQ=WEEKLY;COUNT=6",
    "EXDATE;TZID=Europe/Berlin:20260113T090000",
    "SUMMARY:Team",
    "END:VEVENT",
    "BEGIN:VEVENT",
    "UID:series",
    "DTSTAMP:20260101T000000Z",
    "RECURRENCE-ID;TZID=Europe/Berlin:20260120T090000",
    "DTSTART;TZID=Europe/Berlin:20260121T140000",
    "DTEND;TZID=Europe/Berlin:20260121T150000",
    "SUMMARY:Team (moved)",
    "END:VEVENT",
)

#: A day, not an instant.
ALL_DAY = calendar(
    "BEGIN:VEVENT",
    "UID:all-day",
    "DTSTAMP:20260101T000000Z",
    "DTSTART;VALUE=DATE:20260105",
    "DTEND;VALUE=DATE:20260107",
    "SUMMARY:Messe",
    "END:VEVENT",
)
