"""Microsoft's own Python client as a second reader: of what the stand-in answers, and of what we send."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest

from bridge.ports import Announcing
from bridge.providers.microsoft.stash import KEY
from tests.contracts.microsoft_stand import MicrosoftStand
from tests.contracts.samples import ALL_DAY, AWKWARD, SERIES, event
from tests.providers.microsoft_bed import Bed
from tests.servers.fault import FaultProxy
from tests.servers.microsoft_client import python
from tests.standins.microsoft import Graph
from tests.standins.microsoft_mailbox import Json

SCRIPT = Path(__file__).with_name("microsoft_second_reader.py")
PREFER = 'IdType="ImmutableId", outlook.timezone="UTC", outlook.body-content-type="text", odata.maxpagesize=3'
WINDOW = ("2026-01-01T00:00:00Z", "2026-12-31T00:00:00Z")
OPAQUE = ("$deltatoken", "$skiptoken")


@pytest.fixture
def bed() -> Iterator[Bed]:
    with Graph() as graph, FaultProxy(graph.url) as faults:
        stand = MicrosoftStand(graph, faults)
        made, hands = stand.make_calendar("arbeit", title="Arbeit", color="#1d9bf6")
        yield Bed(stand, made, hands)
        assert graph.violations == []


def test_microsofts_client_reads_the_same_and_would_have_sent_the_same(
    bed: Bed, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("tests.standins.microsoft_subscriptions.post", _echo)
    _work(bed)
    log = [seen for seen in bed.stand.faults.log if seen.path.startswith("/v1.0/")]
    (series,) = (one for one in bed.mailbox.events.values() if one.recurring and not one.gone)
    read = _second_reader(bed, series.id, [_said(seen) for seen in log if not _opaque(seen.path)])

    assert _same(read["calendars"], bed.mailbox.calendars.values())
    there = [one for one in bed.mailbox.events.values() if one.calendar == bed.calendar and not one.gone]
    whole = [bed.mailbox.whole(one) for one in there]
    for one in whole:
        for name in ("exceptionOccurrences", "cancelledOccurrences"):
            one.pop(name, None)  # only where asked for
    assert _same(read["events"], whole)
    window = [datetime.fromisoformat(end) for end in WINDOW]
    assert _same(read["delta"], bed.mailbox.delta(bed.calendar, *window, 0))
    assert read["nothing"] == []
    assert _same(read["dates"], bed.mailbox.occurrences(series, *window))
    master = bed.mailbox.whole(series)
    names = ("id", "subject", "cancelledOccurrences", "exceptionOccurrences")
    assert _same([read["master"]], [{name: master[name] for name in (*names, "@odata.etag")}])

    sent = [_said(seen) for seen in log if not _opaque(seen.path)]
    assert {method for method, *_ in sent} == {"GET", "POST", "PATCH", "DELETE"}
    for (method, path, query, body), (their_method, url, their_body) in zip(sent, read["sent"], strict=True):
        theirs = urlsplit(url.replace("/users/me-token-to-replace/", "/me/"))
        place = unquote(theirs.path).removeprefix("/v1.0").removesuffix("()")
        assert (their_method, place) == (method, unquote(path))
        assert dict(parse_qsl(theirs.query)) == query
        assert _plain(their_body) == _plain(body)


def test_what_the_client_does_not_know_is_found(bed: Bed):
    """The comparison itself: a misspelt field, and one with a value that the client drops."""
    bed.hands.put("s", SERIES)
    (series,) = bed.mailbox.events
    path = f"/me/calendars/{bed.calendar}/events"
    for body in ({"subjekt": "Lunch"}, {"body": {"contentType": "text", "kontent": "x"}}):
        with pytest.raises(AssertionError, match="does not know"):
            _second_reader(bed, series, [["POST", path, {}, body]])
    dropped = {"subject": "Lunch", "showAs": "occupied"}
    read = _second_reader(bed, series, [["POST", path, {}, dropped]])
    assert _plain(read["sent"][0][2]) != _plain(dropped)


def _work(bed: Bed) -> None:
    """One of each request that we know."""
    provider = bed.provider()
    provider.calendars()
    cursor = provider.changes(bed.calendar, None).cursor
    hrefs = {}
    for key, text in {"s": SERIES, "d": ALL_DAY, "a": AWKWARD, "x": event("x")}.items():
        hrefs[key] = provider.put(bed.calendar, provider.new_href(bed.calendar, key), text, None).href
    provider.changes(bed.calendar, cursor)
    entries = bed.entries(provider)
    series = entries[hrefs["s"]]
    text = (series.text or "").replace("(moved)", "(elsewhere)")
    series = provider.put(bed.calendar, series.href, text, series.tag)
    provider.put(bed.calendar, series.href, text.replace("COUNT=6", "COUNT=8"), series.tag)
    day = entries[hrefs["d"]]
    provider.put(bed.calendar, day.href, (day.text or "").replace("Messe", "Messe, Halle 3"), day.tag)
    lunch = entries[hrefs["x"]]
    provider.delete(bed.calendar, lunch.href, lunch.tag)
    assert isinstance(provider, Announcing)
    channel = provider.watch(bed.calendar, "http://127.0.0.1:9/hooks/microsoft", "secret", None)
    provider.unwatch(provider.watch(bed.calendar, "http://127.0.0.1:9/hooks/microsoft", "secret", channel))
    provider.close()


def _echo(address: str, _headers: Any, _body: bytes = b"") -> tuple[int, str, bytes]:
    """Whoever is told of changes gives the token back."""
    return 200, "text/plain", dict(parse_qsl(urlsplit(address).query))["validationToken"].encode()


def _second_reader(bed: Bed, series: str, sent: list[Any]) -> Json:
    asked = {
        "root": bed.stand.graph.api_url,
        "token": "first",
        "prefer": PREFER,
        "calendar": bed.calendar,
        "series": series,
        "window": WINDOW,
        "expand": f"singleValueExtendedProperties($filter=id eq '{KEY}')",
        "sent": sent,
    }
    done = subprocess.run(
        [python(), SCRIPT], input=json.dumps(asked), capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _said(seen: Any) -> list[Any]:
    parts = urlsplit(seen.path)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    return [seen.method, parts.path.removeprefix("/v1.0"), query, json.loads(seen.body or "null")]


def _opaque(path: str) -> bool:
    """A ready-made link, which is called as it came."""
    return any(name in unquote(path) for name in OPAQUE)


def _same(read: Any, stored: Any) -> bool:
    found, wanted = ([_plain(one) for one in side] for side in (read, stored))
    by_id = [sorted(side, key=lambda one: str(one["id"])) for side in (found, wanted)]
    assert by_id[0] == by_id[1]
    return True


_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


def _plain(value: Any) -> Any:
    """Without what says nothing, and moments in one spelling."""
    if isinstance(value, dict):
        kept = {name: _plain(one) for name, one in value.items() if not name.startswith("@odata")}
        return {name: one for name, one in kept.items() if one not in (None, [], {})}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, str) and _MOMENT.fullmatch(value):
        return datetime.fromisoformat(value).astimezone(UTC).isoformat()
    return value
