"""The guard of Microsoft's stand-in finds what the official contract does not allow, on both sides."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.standins.microsoft_contract import violations

EVENTS = "/v1.0/me/calendars/c/events"


def sent(body: dict[str, Any]) -> list[str]:
    return violations("POST", EVENTS, json.dumps(body).encode(), 201, b'{"id": "x"}')


def answered(body: dict[str, Any], url: str = EVENTS) -> list[str]:
    return violations("GET", url, b"", 200, json.dumps(body).encode())


def test_what_is_allowed_passes():
    assert sent({"subject": "a", "start": {"dateTime": "2026-01-01T09:00:00", "timeZone": "UTC"}}) == []
    assert (
        answered({"value": [{"id": "x", "@odata.etag": "1", "subject": None}], "@odata.nextLink": "u"}) == []
    )
    delta = "/v1.0/me/calendars/c/calendarView/delta?$deltatoken=1"
    assert answered({"value": [{"id": "x", "@removed": {"reason": "deleted"}}]}, delta) == []


@pytest.mark.parametrize(
    "body",
    [
        {"subjekt": "misspelt"},
        {"subject": 5},
        {"showAs": "away"},
        {"start": {"datetime": "2026-01-01T09:00:00"}},
        {"recurrence": {"pattern": {"type": "hourly"}}},
        {"location": "Café"},
    ],
)
def test_what_is_not_allowed_is_found_whoever_says_it(body: dict[str, Any]):
    assert sent(body)
    assert answered({"value": [body]})


@pytest.mark.parametrize(
    "url",
    [
        f"{EVENTS}?$limit=5",
        f"{EVENTS}?$top=many",
        "/v1.0/me/calendars/c/calendarView/delta",
        "/v1.0/me/calendars/c/happenings",
    ],
)
def test_a_wrong_address_or_parameter_is_found(url: str):
    assert answered({"value": []}, url)


def test_an_error_without_graphs_envelope_is_found():
    assert violations("GET", EVENTS, b"", 404, b'{"message": "gone"}')
    assert not violations("GET", EVENTS, b"", 404, b'{"error": {"code": "gone", "message": "gone"}}')
