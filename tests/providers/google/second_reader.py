"""Run by an interpreter that has Google's own client: reads a calendar with it, and builds our requests.

Standard input: ``{"root", "document", "token", "calendar", "sent": [[method, path, query, body]]}``. Standard
output: what the client read, and per request of ours the address and body that Google's client would send.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from urllib.parse import unquote

import httplib2
from googleapiclient.discovery import build_from_document

asked = json.load(sys.stdin)


class Signed(httplib2.Http):
    """With the bearer token of an account."""

    def request(self, uri, method="GET", body=None, headers=None, **more):
        return super().request(
            uri, method, body, {**(headers or {}), "Authorization": f"Bearer {asked['token']}"}, **more
        )


document = json.loads(Path(asked["document"]).read_text())
document["rootUrl"] = asked["root"] + "/"
document["baseUrl"] = asked["root"] + "/" + document["servicePath"]
service = build_from_document(document, http=Signed())


def everything():
    """All events, page by page, as Google's client pages."""
    found = []
    request = service.events().list(calendarId=asked["calendar"], maxResults=2)
    while request is not None:
        page = request.execute()
        found += page["items"]
        request = service.events().list_next(request, page)
    return found


def named(name):
    """A parameter as the client calls it."""
    return {"import": "import_"}.get(name, name)


def built(method, path, query, body):
    """The same call by Google's client, which refuses what it does not know."""
    for resource, at in (("events", service.events()), ("calendarList", service.calendarList())):
        for name, spec in document["resources"][resource]["methods"].items():
            pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(spec["path"]))
            match = re.fullmatch(pattern, path)
            if spec["httpMethod"] != method or not match:
                continue
            arguments = {key: unquote(value) for key, value in match.groupdict().items()}
            for key, value in query.items():
                kind = spec["parameters"][key]["type"]
                arguments[key] = {"integer": int, "boolean": lambda v: v == "true"}.get(kind, str)(value)
            if body is not None:
                arguments["body"] = body
            request = getattr(at, named(name))(**arguments)
            return [request.method, request.uri, json.loads(request.body) if request.body else None]
    raise SystemExit(f"Google's client knows no {method} {path}")


events = everything()
first = next(event for event in events if "recurrence" in event)
json.dump(
    {
        "calendars": [entry["id"] for entry in service.calendarList().list().execute()["items"]],
        "events": events,
        "got": service.events().get(calendarId=asked["calendar"], eventId=first["id"]).execute(),
        "dates": len(
            service.events().instances(calendarId=asked["calendar"], eventId=first["id"]).execute()["items"]
        ),
        "sent": [built(*one) for one in asked["sent"]],
    },
    sys.stdout,
)
