"""The test bed of Google Calendar: the stand-in that is held to Google's contract, with the fault proxy
before it. Tokens are renewed past the proxy."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping
from types import SimpleNamespace
from uuid import uuid4

from bridge.ports import Provider
from bridge.providers import connect
from bridge.providers.oauth import App, endpoints, session_http
from tests.contracts.stand import Calendar, Stand
from tests.servers.fault import FaultProxy
from tests.standins.google import GoogleStandIn
from tests.standins.google_hands import Hands
from tests.standins.google_rights import APP_CREATED


class GoogleStand(Stand):
    """``google`` is the far side itself, for tests of what only Google does."""

    reads = ("GET",)
    creates = "POST"
    surveys = False

    def __init__(self, google: GoogleStandIn, faults: FaultProxy):
        self.google = google
        self.faults = faults
        self.hands: dict[str, Hands] = {}
        self.app = App(google.url, faults.url, "client", "secret")
        self.secrets = [self.secret()]
        http = session_http(self.app, frozenset())
        endpoints(self.app.issuer, http)  # asked once a process: not a request of any test
        http.close()
        google.rights.granted.add(APP_CREATED)
        google.make_calendar("nur-lesen@example.com", summary="Nur lesen", accessRole="reader")

    def secret(self) -> str:
        """What an account would hold after signing in."""
        token = {"access_token": self.google.new_token(), "refresh_token": "refresh", "token_type": "Bearer"}
        return json.dumps({**token, "expires_at": int(time.time()) + 3600})

    def provider(self, *, mail: bool = False) -> Provider:
        """Each counts its requests for itself: a test bed is in a hurry."""
        account = SimpleNamespace(provider="google", url="", username=f"{self.google.email} {uuid4()}")
        return connect(account, self.secrets[-1], app=self.app, keep=self.secrets.append, mail=mail)

    def make_calendar(self, name: str, *, title: str, color: str) -> tuple[str, Calendar]:
        id_ = f"{name}@group.calendar.example.com"
        made = self.google.make_calendar(id_, summary=title, backgroundColor=color)
        self.hands[id_] = Hands(self.google, made)
        return id_, self.hands[id_]

    def read_only_calendar(self) -> str | None:
        return "nur-lesen@example.com"

    def seed(self, calendar: str, texts: Mapping[str, str]) -> None:
        self.hands[calendar].fill(dict(texts))

    def lost_cursor(self, cursor: str) -> str:
        state = json.loads(base64.urlsafe_b64decode(cursor))
        return base64.urlsafe_b64encode(json.dumps({**state, "generation": 0}).encode()).decode()
