"""Subscriptions of the Graph stand-in ("Set up notifications for changes in resource data", "Reduce missing
subscriptions"): the address has to give a token back before anything is made; notices come as JSON, with the
secret that was agreed; lifecycle notices tell what became of a subscription."""

from __future__ import annotations

import itertools
import json
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from tests.standins.microsoft_mailbox import Json, Refused
from tests.standins.telling import Teller, post

#: "4230 minutes" in older texts, "10,080" (under seven days) in newer ones.
LONGEST = timedelta(minutes=10_080)
_RESOURCE = re.compile(r"/?me/calendars/([^/]+)/events")


class Subscriptions:
    """``open`` by id. ``longest``: what a later end is cut down to."""

    def __init__(self) -> None:
        self.open: dict[str, Json] = {}
        self.longest = LONGEST
        self.teller = Teller()
        self.violations: list[str] = []
        self._numbers = itertools.count(1)

    def answer(self, method: str, steps: list[str], sent: Json) -> tuple[int, Json | None]:
        if method == "POST" and not steps:
            return 201, self._make(sent)
        if len(steps) != 1 or steps[0] not in self.open:
            raise Refused(404, "ResourceNotFound")
        known = self.open[steps[0]]
        if method == "DELETE":
            del self.open[steps[0]]
            return 204, None
        if method == "PATCH":
            if sent.keys() - {"expirationDateTime", "notificationUrl"}:
                raise Refused(400, "InvalidRequest", "only the end and the address can change")
            known["expirationDateTime"] = self._end(sent["expirationDateTime"])
        return 200, known

    def changed(self, calendar: str, event: str) -> None:
        """Something in the calendar did."""
        for one in self.open.values():
            if _RESOURCE.fullmatch(one["resource"])[1] == calendar:  # type: ignore[index]
                resource = f"Users/anna/Events/{event}"
                data = {"@odata.type": "#Microsoft.Graph.Event", "@odata.id": resource, "id": event}
                self._tell(one, {"changeType": "updated", "resource": resource, "resourceData": data})

    def tell_life(self, name: str, event: str) -> None:
        """reauthorizationRequired, subscriptionRemoved or missed."""
        one = self.open.pop(name) if event == "subscriptionRemoved" else self.open[name]
        self._tell(one, {"lifecycleEvent": event})

    def _make(self, asked: Json) -> Json:
        if not _RESOURCE.fullmatch(asked["resource"]) or len(asked.get("clientState", "")) > 128:
            raise Refused(400, "InvalidRequest", "resource or clientState")
        for address in {asked["notificationUrl"], asked.get("lifecycleNotificationUrl")} - {None}:
            token = "Validation: Testing client application reachability <b>&amp; so on</b>"
            status, type_, body = post(f"{address}?validationToken={quote(token)}", {})
            if status != 200 or not type_.startswith("text/plain") or body.decode() != token:
                raise Refused(400, "ValidationError", f"Subscription validation request failed: {status}.")
        made = {
            **asked,
            "id": f"7f105c7d-2dc5-4530-97cd-{next(self._numbers):012}",
            "expirationDateTime": self._end(asked["expirationDateTime"]),
        }
        self.open[made["id"]] = made
        return {**made, "clientState": None}

    def _end(self, asked: str) -> str:
        wanted = datetime.fromisoformat(asked)
        if wanted > datetime.now(UTC) + LONGEST:
            raise Refused(
                400, "InvalidRequest", "Subscription expiration can only be 10080 minutes in the future"
            )
        return f"{min(wanted, datetime.now(UTC) + self.longest):%Y-%m-%dT%H:%M:%S.%f}0Z"

    def _tell(self, one: Json, more: Json) -> None:
        notice = {
            "subscriptionId": one["id"],
            "subscriptionExpirationDateTime": one["expirationDateTime"],
            "clientState": one["clientState"],
            "tenantId": "84bd8158-6d4d-4958-8b9f-9d6445542f95",
            **more,
        }
        body = json.dumps({"value": [notice]}).encode()
        self.teller.later(one["notificationUrl"], {"Content-Type": "application/json"}, body)
