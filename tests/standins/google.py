"""A stand-in for Google Calendar: it remembers, it is strict, and it answers as Google's manual says.

Every exchange is held against Google's discovery document (``google_contract``); what breaks it lands in
``violations``, which every test ends by looking at. Behaviours that are prose, not contract (sync tokens,
410, tombstones, ids that are never free again, ETags), follow the providers' notes, section 2.2. It also
renews tokens; signing in is tested with another server (``emulate``).
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Mapping
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.standins.google_calendar import Calendar, Refusal
from tests.standins.google_channels import Channels
from tests.standins.google_contract import Contract, contract
from tests.standins.google_rights import Rights

#: With a sync token these are refused (Google's manual on events.list).
NOT_WITH_TOKEN = {
    "iCalUID",
    "orderBy",
    "privateExtendedProperty",
    "q",
    "sharedExtendedProperty",
    "timeMin",
    "timeMax",
    "updatedMin",
}


class GoogleStandIn:
    """``with GoogleStandIn(document) as google: ...``; ``google.url`` is its origin."""

    def __init__(self, document: Path, *, email: str = "anna@example.com"):
        self.contract: Contract = contract(document)
        self.email = email
        self.calendars: dict[str, Calendar] = {}
        self.violations: list[str] = []
        self.mails: list[str] = []  # events about which guests were mailed
        self.expired: set[str] = set()  # access tokens that ran out
        self.seen: set[str] = set()  # access tokens that were shown
        self.rights = Rights()
        self.page = 2500  # entries of a page, at most
        self.channels = Channels()
        self.lock = threading.RLock()
        self._tokens = 0
        standin = self

        class Handler(_Handler):
            google = standin

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> GoogleStandIn:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def make_calendar(self, id_: str, **entry: Any) -> Calendar:
        """A calendar in the user's list."""
        made = self.calendars[id_] = Calendar(id_, self.email, entry)
        made.told = lambda: self.channels.changed(id_)
        return made

    def expire_tokens(self) -> None:
        """Every access token shown so far has run out."""
        self.expired |= self.seen

    def new_token(self) -> str:
        self._tokens += 1
        return f"access-{self._tokens}"

    # --- one exchange ----------------------------------------------------------------------------

    def exchange(
        self, method: str, target: str, headers: Message, body: bytes
    ) -> tuple[int, Any | None, dict[str, str]]:
        """Answer a request: status, JSON or nothing, headers."""
        parts = urlsplit(target)
        if not parts.path.startswith(self.contract.root):
            return self._sign_in(method, parts.path)
        token = headers.get("Authorization", "").removeprefix("Bearer ")
        self.seen.add(token)
        scopes = self.rights.of(token)
        if not token or token in self.expired:
            return (
                401,
                _error(401, "authError", "Invalid Credentials"),
                {"WWW-Authenticate": 'Bearer realm="https://accounts.google.com/"'},
            )
        with self.lock:
            try:
                answer = self.call(
                    method,
                    parts.path.removeprefix(self.contract.root),
                    dict(parse_qsl(parts.query, keep_blank_values=True)),
                    json.loads(body) if body else None,
                    headers.get("If-Match"),
                    scopes,
                )
            except Refusal as refusal:
                return refusal.status, _error(refusal.status, refusal.reason, str(refusal)), {}
        return (204, None, {}) if answer is None else (200, answer, {})

    def call(
        self,
        method: str,
        path: str,
        query: dict[str, str] | None = None,
        body: Any | None = None,
        if_match: str | None = None,
        scopes: frozenset[str] | None = None,
    ) -> Any:
        """One call by path, checked in both directions; ``scopes``: its token's, None for the user's own
        hands. Raises Refusal."""
        query = query or {}
        found = self.contract.find(method, path)
        if found is None:
            self.violations.append(f"{method} {path}: there is no such method")
            raise Refusal(404, "notFound", "Not Found")
        operation, place = found
        self.violations += self.contract.request(operation, query, body)
        if scopes is not None:
            self.rights.check(operation, place.get("calendarId"), scopes)
        answer = self._carry_out(operation.id.removeprefix("calendar."), place, query, body, if_match)
        self.violations += self.contract.answer(operation, answer)
        return answer

    def _carry_out(
        self, name: str, place: dict[str, str], query: dict[str, str], body: Any, if_match: str | None
    ) -> Any:
        if name == "calendarList.list":
            return self._calendar_list(query)
        if name == "channels.stop":
            return self.channels.stop(body)
        if name == "calendars.insert":
            return self._insert_calendar(body)
        calendar = self._calendar(place["calendarId"])
        if calendar is None:
            raise Refusal(404, "notFound", "Not Found")
        if name == "calendarList.get":
            return calendar.entry
        if name == "events.list":
            return self._listing(calendar, query)
        if name == "events.watch":
            return self.channels.watch(calendar.id, body)
        if name == "events.get":
            return calendar.get(place["eventId"])
        if name == "events.instances":
            return calendar.page_of(calendar.instances(place["eventId"], query.get("originalStart")))
        if calendar.entry["accessRole"] not in ("owner", "writer"):
            raise Refusal(403, "requiredAccessLevel", "You need to have writer access to this calendar.")
        if query.get("sendUpdates", "all") != "none":
            self.mails.append(place.get("eventId") or body.get("id", ""))
        match name:
            case "events.insert":
                return calendar.insert(body)
            case "events.import":
                return calendar.import_(body)
            case "events.patch":
                return calendar.patch(place["eventId"], body, if_match)
            case "events.delete":
                return calendar.delete(place["eventId"], if_match)
        raise Refusal(501, "notImplemented", name)

    def _calendar(self, id_: str) -> Calendar | None:
        if id_ == "primary":
            return next((one for one in self.calendars.values() if one.entry.get("primary")), None)
        return self.calendars.get(id_)

    def _insert_calendar(self, asked: Any) -> Any:
        """It is in the user's list at once, as their own."""
        id_ = f"made{len(self.rights.made) + 1}@group.calendar.google.com"
        self.rights.made.append(id_)
        kept = {name: asked[name] for name in ("summary", "timeZone") if name in asked}
        made = self.make_calendar(id_, **{"timeZone": "UTC", **kept})
        told = {name: made.entry[name] for name in ("id", "etag", "summary", "timeZone")}
        return {"kind": "calendar#calendar", **told, "dataOwner": self.email}

    def _calendar_list(self, query: dict[str, str]) -> Any:
        ranks = ["freeBusyReader", "reader", "writer", "owner"]
        least = ranks.index(query.get("minAccessRole", "freeBusyReader"))
        shown = [c.entry for c in self.calendars.values() if ranks.index(c.entry["accessRole"]) >= least]
        items, rest = _cut(shown, query, self.page)
        return {"kind": "calendar#calendarList", "etag": '"list"', "items": items, **rest}

    def _listing(self, calendar: Calendar, query: dict[str, str]) -> Any:
        """Pages, and after the last one the token to go on with. All parameters but the tokens must stay."""
        if query.get("singleEvents", "false") != "false":
            raise Refusal(501, "notImplemented", "singleEvents")
        asked = {k: v for k, v in query.items() if k not in ("syncToken", "pageToken")}
        if "pageToken" in query:
            state = _opened(query["pageToken"])
        elif "syncToken" in query:
            if query.keys() & NOT_WITH_TOKEN:
                raise Refusal(400, "invalid", "Sync token cannot be used with request restrictions.")
            state = _opened(query["syncToken"])
            if state.get("calendar") != calendar.id or state.get("generation") != calendar.generation:
                raise Refusal(
                    410, "fullSyncRequired", "Sync token is no longer valid, a full sync is required."
                )
            state = {**state, "since": state["seq"], "seq": calendar.seq, "at": 0}
        else:
            state = {"calendar": calendar.id, "generation": calendar.generation, "since": None, "at": 0}
            state |= {"seq": calendar.seq, "asked": asked}
        if state["asked"] != asked:
            raise Refusal(400, "invalid", "Sync token was made with other parameters.")
        events = list(calendar.listed(state["since"], state["seq"], query.get("iCalUID")))
        size = min(self.page, int(query.get("maxResults", "250")))
        at = state["at"]
        page = calendar.page_of(events[at : at + size])
        if at + size < len(events):
            page["nextPageToken"] = _sealed({**state, "at": at + size})
        elif "iCalUID" not in query:
            page["nextSyncToken"] = _sealed({k: state[k] for k in ("calendar", "generation", "seq", "asked")})
        return page

    def _sign_in(self, method: str, path: str) -> tuple[int, Any, dict[str, str]]:
        if path == "/.well-known/openid-configuration":
            names = ("authorization", "token", "userinfo", "revocation")
            return 200, {f"{name}_endpoint": f"{self.url}/{name}" for name in names}, {}
        if (method, path) == ("POST", "/token"):
            return 200, {"access_token": self.new_token(), "expires_in": 3600, "token_type": "Bearer"}, {}
        return 404, _error(404, "notFound", "Not Found"), {}


def _cut(entries: list[Any], query: dict[str, str], most: int) -> tuple[list[Any], dict[str, str]]:
    at, size = int(query.get("pageToken") or 0), min(most, int(query.get("maxResults", "100")))
    more = at + size < len(entries)
    return entries[at : at + size], {"nextPageToken": str(at + size)} if more else {"nextSyncToken": "list"}


def _error(status: int, reason: str, message: str) -> Any:
    errors = [{"domain": "global", "reason": reason, "message": message}]
    return {"error": {"code": status, "message": message, "errors": errors}}


def _sealed(state: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(state, sort_keys=True).encode()).decode()


def _opened(token: str) -> dict[str, Any]:
    try:
        found = json.loads(base64.urlsafe_b64decode(token))
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Refusal(400, "invalid", "Invalid sync token value.")
    return found


class _Handler(BaseHTTPRequestHandler):
    google: GoogleStandIn
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        status, said, headers = self.google.exchange(
            self.command, self.path, self.headers, self.rfile.read(length)
        )
        body = b"" if said is None else json.dumps(said).encode()
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Type", "application/json; charset=UTF-8")
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _answer

    def log_message(self, *_: Any) -> None:
        """Silent."""
