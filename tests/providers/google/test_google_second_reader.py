"""Google's own Python client as a second reader: of what the stand-in answers, and of what we send."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from tests.contracts.google_stand import GoogleStand
from tests.contracts.samples import ALL_DAY, AWKWARD, SERIES, event
from tests.providers.google.place import Place
from tests.servers.google_client import discovery_document, python

SCRIPT = Path(__file__).with_name("second_reader.py")


def test_googles_client_reads_the_same_and_would_have_sent_the_same(place: Place, stand: GoogleStand):
    place.provider.calendars()
    cursor = place.provider.changes(place.calendar, None).cursor
    for key, text in {"s": SERIES, "d": ALL_DAY, "a": AWKWARD, "x": event("x")}.items():
        place.create(key, text)
    place.provider.changes(place.calendar, cursor)
    entries = {entry.href: entry for entry in place.provider.changes(place.calendar, None).entries}
    series = entries[place.provider.new_href(place.calendar, "s")]
    series = place.update(series, SERIES.replace("(moved)", "(elsewhere)").replace("COUNT=6", "COUNT=8"))
    day = entries[place.provider.new_href(place.calendar, "d")]
    place.update(day, ALL_DAY.replace("Messe", "Messe, Halle 3"))
    place.provider.delete(
        place.calendar,
        day.href,
        place.provider.put(
            place.calendar,
            day.href,
            ALL_DAY,
            next(iter(place.provider.fetch(place.calendar, [day.href]))).tag,
        ).tag,
    )

    root = stand.google.contract.root
    sent = [
        [
            seen.method,
            parts.path.removeprefix(root),
            dict(parse_qsl(parts.query)),
            json.loads(seen.body or "null"),
        ]
        for seen in place.sent
        for parts in [urlsplit(seen.path)]
    ]
    asked = {
        "root": stand.google.url,
        "document": str(discovery_document()),
        "token": json.loads(stand.secrets[-1])["access_token"],
        "calendar": place.calendar,
        "sent": sent,
    }
    done = subprocess.run(
        [python(), SCRIPT], input=json.dumps(asked), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    read = json.loads(done.stdout)

    assert place.calendar in read["calendars"]
    stored = {event["id"]: event for event in place.events()}
    assert {event["id"] for event in read["events"]} == {
        id_ for id_, e in stored.items() if e["status"] != "cancelled"
    }
    assert all(event == stored[event["id"]] for event in read["events"])
    assert read["got"] == stored[series.href]
    assert read["dates"] == 8 - 1  # one is left out
    assert len(sent) > 10
    for (method, path, query, body), (their_method, uri, their_body) in zip(sent, read["sent"], strict=True):
        theirs = urlsplit(uri)
        assert (their_method, theirs.path.removeprefix(root), their_body) == (method, path, body)
        assert {k: v for k, v in parse_qsl(theirs.query) if k != "alt"} == query
