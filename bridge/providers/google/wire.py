"""Requests to the Calendar API, and what its refusals mean (Google Calendar API v3, "Handle API errors").

Google says "wait" in several ways, one of them a 403: the reason inside decides, not the status alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from bridge.errors import (
    CalendarGone,
    NotACalendarServer,
    NotPermitted,
    ObjectGone,
    ObjectRefused,
    ProviderError,
    RetryLater,
    SignInNeeded,
    TagMismatch,
    UnknownOutcome,
)
from bridge.providers.http import SAFE, Answer
from bridge.providers.oauth import Session
from bridge.providers.patience import Patience

#: Reasons inside a 403 that mean: later (Google's manual, and the providers' facts, section 2.2).
BUSY = frozenset(
    {
        "rateLimitExceeded",
        "userRateLimitExceeded",
        "quotaExceeded",
        "dailyLimitExceeded",
        "calendarUsageLimitsExceeded",
        "concurrentLimitExceeded",
    }
)
#: Of these, the ones that are over in seconds.
HURRIED = frozenset({"rateLimitExceeded", "userRateLimitExceeded", "concurrentLimitExceeded"})
#: Reasons that concern this one event.
THIS_EVENT = frozenset(
    {
        "forbiddenForNonOrganizer",
        "eventTypeRestriction",
        "cannotChangeOrganizer",
        "malformedWorkingLocationEvent",
    }
)
NO_SCOPE = frozenset({"insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"})
NOT_SET_UP = frozenset({"accessNotConfigured", "SERVICE_DISABLED"})

BUSY_WORDS = "Google Calendar asks us to slow down. We go on by ourselves."
GONE_WORDS = "This calendar no longer exists at Google, or is no longer shared with you. Choose another one."

Json = dict[str, Any]


class Duplicate(TagMismatch):
    """The id of a new event is taken, perhaps by a deleted one: an id is never free again."""


class Stale(ProviderError):
    """Google gave a 400 or 410 to a listing: the sync token, or the page, is no longer good."""


class ScopeMissing(SignInNeeded):
    """The user has not allowed this, or no longer does."""


class Wire:
    """The API below ``api_url``, for one signed-in account."""

    def __init__(self, session: Session, api_url: str):
        self.session = session
        self._patience = Patience()
        # the root alone will do: the rest is the service's own (discovery document, servicePath)
        self._root = api_url if urlsplit(api_url).path.strip("/") else api_url.rstrip("/") + "/calendar/v3"

    def pages(self, path: str, params: Mapping[str, str]) -> Iterator[Json]:
        """Every page of a listing."""
        asked = dict(params)
        while True:
            page = self.call("GET", path, asked)
            yield page
            if not page.get("nextPageToken"):
                return
            asked["pageToken"] = page["nextPageToken"]

    def call(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None = None,
        body: Json | None = None,
        etag: str | None = None,
    ) -> Json:
        """One request, answered with a JSON object (an empty one where there is nothing to say).

        Raises the kinds of ``bridge.errors.ProviderError``; a 403 is confirmed by a second try, because a
        single one proves nothing."""

        def send() -> Answer:
            return self._once(method, path, params, body, etag)

        answer = self._patience.through(send, _hurried, unasked=True)
        if answer.status == 403 and not _reasons(answer) & (BUSY | THIS_EVENT):
            answer = send()
        if answer.status >= 400:
            raise refusal(method, answer, creates=method == "POST", listing=_lists(method, path))
        if not answer.body.strip():
            return {}
        try:
            said = json.loads(answer.body)
        except ValueError:
            said = None
        if not isinstance(said, dict):
            raise NotACalendarServer("What answers in Google Calendar's place does not speak like it.")
        return said

    def _once(
        self, method: str, path: str, params: Mapping[str, str] | None, body: Json | None, etag: str | None
    ) -> Answer:
        url = f"{self._root}/{path}" + (f"?{urlencode(params)}" if params else "")
        headers = {"Accept": "application/json"}
        sent = b""
        if body is not None:
            headers["Content-Type"] = "application/json; charset=utf-8"
            sent = json.dumps(body, ensure_ascii=False).encode()
        if etag is not None:
            headers["If-Match"] = etag
        return self.session.request(method, url, body=sent, headers=headers)


def _lists(method: str, path: str) -> bool:
    return method == "GET" and path.endswith(("/events", "/calendarList"))


def segment(name: str) -> str:
    """An id as a part of a path."""
    return quote(name, safe="")


def refusal(method: str, answer: Answer, *, creates: bool, listing: bool) -> ProviderError:
    """What an answer from 400 on means."""
    reasons, status = _reasons(answer), answer.status
    if _busy(answer):
        return RetryLater(BUSY_WORDS, _after(answer))
    if status in (502, 504) and method not in SAFE:
        return UnknownOutcome("Google did not confirm a change. We look at it again before anything else.")
    if status >= 500:
        return RetryLater(
            "Google Calendar has trouble at the moment. We try again by ourselves.", _after(answer)
        )
    if status == 404:
        return (
            CalendarGone(GONE_WORDS) if creates or listing else ObjectGone("It no longer exists at Google.")
        )
    if status == 410:
        return Stale("no longer good") if listing else ObjectGone("It no longer exists at Google.")
    if status == 412:
        return TagMismatch("It was changed at Google in the meantime.")
    if status == 409:
        return Duplicate("Google knows this entry already.")
    if status == 403:
        return _forbidden(reasons, answer)
    if listing:
        return Stale(_message(answer))
    return ObjectRefused(f"Google Calendar does not take this entry: {_message(answer)}")


def _busy(answer: Answer) -> bool:
    """Whether it refuses because of too many requests: nothing was applied."""
    return answer.status == 429 or (answer.status == 403 and bool(_reasons(answer) & BUSY))


def _hurried(answer: Answer) -> bool:
    """Whether a short pause will do."""
    return answer.status == 429 or (answer.status == 403 and bool(_reasons(answer) & HURRIED))


def _forbidden(reasons: frozenset[str], answer: Answer) -> ProviderError:
    if reasons & THIS_EVENT:
        return ObjectRefused(f"Google Calendar does not let us change this entry: {_message(answer)}")
    if reasons & NO_SCOPE:
        return ScopeMissing(
            "Google was not allowed to share everything we need. Sign in again, and tick all boxes."
        )
    if reasons & NOT_SET_UP:
        return NotPermitted(
            "The administrator has to switch on the Google Calendar API for this server in Google's console."
        )
    return NotPermitted("Google says that you may only read this calendar. Choose one that is yours.")


def _error(answer: Answer) -> Mapping[str, Any]:
    try:
        error = json.loads(answer.body)["error"]
    except (ValueError, KeyError, TypeError):
        return {}
    return error if isinstance(error, dict) else {}


def _reasons(answer: Answer) -> frozenset[str]:
    """Both of Google's error forms: the old list, and the details of the new one."""
    error = _error(answer)
    parts = [*error.get("errors", ()), *error.get("details", ())]
    return frozenset(part["reason"] for part in parts if isinstance(part, dict) and "reason" in part)


def _message(answer: Answer) -> str:
    return str(_error(answer).get("message") or f"it answered {answer.status}")[:200]


def _after(answer: Answer) -> float | None:
    told = answer.headers.get("Retry-After", "")
    return float(told) if told.isdigit() else None
