"""Watch channels of the Google stand-in (Google's manual, "Push notifications"): headers, no content; the
first notice says only that the channel works; none can be prolonged; a repeated id is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.standins.google_calendar import Json, Refusal
from tests.standins.telling import Teller

LIFE = timedelta(days=7)


class Channels:
    """``open`` by id, as they were asked for. ``https_only`` is Google's rule; tests listen without it."""

    def __init__(self) -> None:
        self.open: dict[str, Json] = {}
        self.stopped: list[str] = []
        self.life = LIFE
        self.https_only = False
        self.teller = Teller()
        self._used: set[str] = set()

    def watch(self, calendar: str, asked: Json) -> Json:
        if asked.get("type") not in ("web_hook", "webhook") or not asked.get("id"):
            raise Refusal(400, "required", "Missing type or id.")
        if self.https_only and not asked["address"].startswith("https://"):
            raise Refusal(400, "push.webhookUrlNotHttps", "WebHook callback must be HTTPS.")
        if asked["id"] in self._used:
            raise Refusal(400, "channelIdNotUnique", "Channel id not unique")
        if len(asked.get("token", "")) > 256 or len(asked["id"]) > 64:
            raise Refusal(400, "invalid", "Token or id too long.")
        self._used.add(asked["id"])
        ends = datetime.now(UTC) + self.life
        made = {
            **asked,
            "calendar": calendar,
            "ends": ends,
            "number": 0,
            "resource": f"resource-of-{calendar}",
        }
        self.open[asked["id"]] = made
        self._tell(made, "sync")
        return {
            "kind": "api#channel",
            "id": asked["id"],
            "resourceId": made["resource"],
            "resourceUri": f"https://www.googleapis.com/calendar/v3/calendars/{calendar}/events?alt=json",
            "token": asked.get("token", ""),
            "expiration": str(int(ends.timestamp() * 1000)),
        }

    def stop(self, asked: Json) -> None:
        made = self.open.get(asked.get("id", ""))
        if made is None or made["resource"] != asked.get("resourceId"):
            raise Refusal(404, "notFound", "Channel not found")
        self.stopped.append(asked["id"])
        del self.open[asked["id"]]

    def changed(self, calendar: str) -> None:
        """Something in the calendar did."""
        for made in list(self.open.values()):
            if made["calendar"] == calendar and made["ends"] > datetime.now(UTC):
                self._tell(made, "exists")

    def _tell(self, made: Json, state: str) -> None:
        made["number"] += 1
        headers = {
            "X-Goog-Channel-ID": made["id"],
            "X-Goog-Channel-Token": made.get("token", ""),
            "X-Goog-Channel-Expiration": f"{made['ends']:%a, %d %b %Y %H:%M:%S GMT}",
            "X-Goog-Resource-ID": made["resource"],
            "X-Goog-Resource-URI": "https://www.googleapis.com/calendar/v3/calendars/-/events?alt=json",
            "X-Goog-Resource-State": state,
            "X-Goog-Message-Number": str(made["number"]),
        }
        self.teller.later(made["address"], headers)
