"""A stand-in for Microsoft Graph's calendars, on a free loopback port, held to the official contract.

Every exchange is checked in both directions (``microsoft_contract``); what the contract does not allow is
kept in ``violations``, which is empty at the end of a test. Prose behaviours (tokens, 410, throttling,
versions) are switches, with the notes' section beside each. It also answers for tokens, as far as a session
needs it: the sign-in itself is tested elsewhere, against a real implementation.
"""

from __future__ import annotations

import json
import re
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from tests.standins.microsoft_contract import violations
from tests.standins.microsoft_mailbox import Json, Mailbox, Refused, Stored
from tests.standins.microsoft_subscriptions import Subscriptions

_PROPERTY = re.compile(r"ep/id eq '([^']+)' and ep/value eq '([^']+)'")
_NAVIGATION = frozenset({"singleValueExtendedProperties", "exceptionOccurrences"})
#: At most so many requests of one mailbox at a time (providers.md section 3).
AT_ONCE = 4


class Graph:
    """``with Graph() as graph: ...``; ``graph.api_url`` is the base, ``public`` what links begin with."""

    def __init__(self) -> None:
        self.mailbox = Mailbox()
        self.subscriptions = Subscriptions()
        self.mailbox.told = self.subscriptions.changed
        self.violations: list[str] = []
        self.expired: set[str] = set()  # access tokens that are good no longer
        self.revoked = False  # the consent was taken back: 401, and no new token
        self.forgets_tokens_before = 0  # 410 SyncStateNotFound (sync-engines.md 2.5)
        self.patch_honours_if_match = True  # documented on deletes only (contracts/README.md)
        self._busy = 0
        self._lock = threading.RLock()
        graph = self

        class Handler(_Handler):
            standin = graph

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        self.public = self.url

    def __enter__(self) -> Graph:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def api_url(self) -> str:
        return f"{self.public}v1.0"

    # --- one exchange ------------------------------------------------------------------------------

    def handle(self, method: str, path: str, headers: Any, body: bytes) -> tuple[int, dict[str, str], bytes]:
        if path.startswith("/oauth/"):
            return self._oauth(path, body)
        path = path.replace("/delta()", "/delta")  # Microsoft's own client calls a function by its brackets
        with self._lock:
            self._busy += 1
        try:
            status, found = self._checked(method, path, headers, body)
        finally:
            with self._lock:
                self._busy -= 1
        answer = b"" if found is None else json.dumps(found).encode()
        self.violations += violations(method, path, body, status, answer)
        return status, {"Content-Type": "application/json"}, answer

    def _checked(self, method: str, path: str, headers: Any, body: bytes) -> tuple[int, Json | None]:
        try:
            if self._busy > AT_ONCE:
                self.violations.append("more than four requests at a time")
                raise Refused(429, "ApplicationThrottled")
            prefer = headers.get("Prefer", "")
            for wanted in ('IdType="ImmutableId"', 'outlook.timezone="UTC"', 'body-content-type="text"'):
                if wanted not in prefer:
                    self.violations.append(f"{method} {path}: no Prefer {wanted}")
            token = headers.get("Authorization", "").removeprefix("Bearer ")
            if self.revoked or not token or token in self.expired:
                raise Refused(401, "InvalidAuthenticationToken")
            if path.startswith("/v1.0/subscriptions"):  # without the lock: it asks us back
                steps = [step for step in path.removeprefix("/v1.0/subscriptions").split("/") if step]
                return self.subscriptions.answer(method, steps, json.loads(body) if body else {})
            with self._lock:
                return self._answer(method, path, headers, body)
        except Refused as refused:
            return refused.status, {"error": {"code": refused.code, "message": str(refused)}}

    def _answer(self, method: str, url: str, headers: Any, body: bytes) -> tuple[int, Json | None]:
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query))
        steps = [unquote(step) for step in parts.path.removeprefix("/v1.0/me/").split("/")]
        sent: Json = json.loads(body) if body else {}
        if sent.get("attendees") is not None:
            self.violations.append("attendees were written")
        size = int(re.search(r"maxpagesize=(\d+)", headers.get("Prefer", ""))[1])  # type: ignore[index]
        match method, steps:
            case "GET", ["calendars"]:
                return 200, {"value": [_chosen(one, query) for one in self.mailbox.calendars.values()]}
            case "POST", ["calendars"]:
                return 201, self.mailbox.calendars[self.mailbox.add_calendar(sent["name"], "")]
            case "GET", ["calendars", calendar, "calendarView", "delta"]:
                return 200, self._delta(self._calendar(calendar), query, parts.path, size)
            case "GET", ["calendars", calendar, "events"]:
                return 200, self._list(self._calendar(calendar), query, parts.path)
            case "POST", ["calendars", calendar, "events"]:
                self._may_edit(calendar)
                return 201, _chosen(self.mailbox.whole(self.mailbox.add(calendar, sent)), {})
            case "GET", ["calendars", calendar, "events", event, "instances"]:
                window = (_moment(query[name]) for name in ("startDateTime", "endDateTime"))
                stored, _ = self._event(calendar, event)
                return 200, {
                    "value": [_chosen(one, query) for one in self.mailbox.occurrences(stored, *window)]
                }
            case _, ["calendars", calendar, "events", event]:
                return self._one(method, calendar, event, query, sent, headers.get("If-Match"))
        raise Refused(404, "ResourceNotFound", url)

    # --- events ------------------------------------------------------------------------------------

    def _one(
        self, method: str, calendar: str, event: str, query: Json, sent: Json, expected: str | None
    ) -> tuple[int, Json | None]:
        stored, day = self._event(calendar, event)
        if method == "GET":
            found = self.mailbox.whole(stored) if day is None else self.mailbox.occurrence(stored, day)
            return 200, _chosen(found, query)
        self._may_edit(calendar)
        heard = method == "DELETE" or self.patch_honours_if_match
        if heard and day is None and expected not in (None, stored.etag):
            raise Refused(412, "ErrorIrresolvableConflict")
        if method == "DELETE":
            if day is None:
                self.mailbox.remove(stored)
            else:
                self.mailbox.cancel_date(stored, day)
            return 204, None
        if "transactionId" in sent:
            raise Refused(400, "ErrorInvalidPropertySet", "transactionId cannot be changed (docs #9322)")
        if day is None:
            self.mailbox.change(stored, sent)
            return 200, _chosen(self.mailbox.whole(stored), {})
        self.mailbox.change_date(stored, day, sent)
        return 200, _chosen(self.mailbox.occurrence(stored, day), {})

    def _list(self, calendar: str, query: Json, path: str) -> Json:
        found = [one for one in self.mailbox.events.values() if one.calendar == calendar and not one.gone]
        if condition := query.get("$filter"):
            match = _PROPERTY.search(condition)
            if match is None:
                raise Refused(400, "ErrorInvalidUrlQueryFilter", condition)
            found = [one for one in found if one.properties.get(match[1]) == match[2]]
        size, skip = int(query.get("$top", 10)), int(query.get("$skip", 0))
        page: Json = {"value": [_chosen(self.mailbox.whole(one), query) for one in found[skip : skip + size]]}
        if skip + size < len(found):
            rest = "&".join(f"{k}={quote(v)}" for k, v in {**query, "$skip": str(skip + size)}.items())
            page["@odata.nextLink"] = f"{self.public.rstrip('/')}{path}?{rest}"
        return page

    def _delta(self, calendar: str, query: Json, path: str, size: int) -> Json:
        """Tokens hold the window for good (providers.md section 3): ``seq.skip.target.begin.end``."""
        base = f"{self.public.rstrip('/')}{path}?"
        token = query.get("$deltatoken") or query.get("$skiptoken")
        if token is None:
            since, skip, target = 0, 0, self.mailbox.seq
            begin, end = query["startDateTime"], query["endDateTime"]
        else:
            try:
                since, skip, target = (int(part) for part in token.split("_")[:3])
                begin, end = token.split("_")[3:]
            except ValueError:
                raise Refused(410, "SyncStateNotFound") from None
            if "$deltatoken" in query:
                target = self.mailbox.seq
            if since < self.forgets_tokens_before:
                raise Refused(410, "SyncStateNotFound")
        found = self.mailbox.delta(calendar, _moment(begin), _moment(end), since)
        if skip + size < len(found):
            link = f"$skiptoken={since}_{skip + size}_{target}_{begin}_{end}"
            return {"value": found[skip : skip + size], "@odata.nextLink": base + link}
        link = f"$deltatoken={target}_0_0_{begin}_{end}"
        return {"value": found[skip:], "@odata.deltaLink": base + link}

    def _calendar(self, calendar: str) -> str:
        if calendar not in self.mailbox.calendars:
            raise Refused(404, "ErrorItemNotFound")
        return calendar

    def _may_edit(self, calendar: str) -> None:
        if not self.mailbox.calendars[self._calendar(calendar)]["canEdit"]:
            raise Refused(403, "ErrorAccessDenied")

    def _event(self, calendar: str, event: str) -> tuple[Stored, Any]:
        """The event or master, and the date if an occurrence was meant."""
        name, _, digits = event.partition(".")
        stored = self.mailbox.events.get(name)
        if stored is None or stored.gone or stored.calendar != self._calendar(calendar):
            raise Refused(404, "ErrorItemNotFound")
        if not digits:
            return stored, None
        day = datetime.strptime(digits, "%Y%m%d").date()
        if day in stored.cancelled or day not in self.mailbox.dates(stored, day):
            raise Refused(404, "ErrorItemNotFound")
        return stored, day

    # --- tokens ------------------------------------------------------------------------------------

    def _oauth(self, path: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        base = f"{self.public}oauth"
        if path.endswith("/.well-known/openid-configuration"):
            said: Json = {"authorization_endpoint": f"{base}/authorize", "token_endpoint": f"{base}/token"}
        elif self.revoked:
            return 400, {"Content-Type": "application/json"}, b'{"error": "invalid_grant"}'
        else:
            said = {"access_token": "next", "refresh_token": "r", "token_type": "Bearer", "expires_in": 3600}
        return 200, {"Content-Type": "application/json"}, json.dumps(said).encode()


def _chosen(found: Json, query: Json) -> Json:
    """``$select`` and ``$expand``: what is neither is not answered; id and version always are."""
    expanded = query.get("$expand", "")
    names = set(query["$select"].split(",")) if "$select" in query else found.keys()
    kept = {
        name: value
        for name, value in found.items()
        if name in ("id", "@odata.etag")
        or (name in expanded if name in _NAVIGATION else name in names and name != "cancelledOccurrences")
        or (name == "cancelledOccurrences" and name in query.get("$select", ""))
    }
    return json.loads(json.dumps(kept))


def _moment(said: str) -> datetime:
    moment = datetime.fromisoformat(said)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


class _Handler(BaseHTTPRequestHandler):
    standin: Graph
    protocol_version = "HTTP/1.1"

    def _do(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, headers, answer = self.standin.handle(self.command, self.path, self.headers, body)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST = do_PATCH = do_DELETE = _do

    def log_message(self, *_: Any) -> None:
        """Silent."""
