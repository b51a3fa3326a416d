"""Requests to Graph, and what its statuses mean for us.

Every call asks for immutable ids, UTC and text bodies: ids of both kinds mixed look like deletions
(providers.md section 3). Calls are made one after the other, and links of one account too, so Graph's four at
once are never reached.
Statuses and codes are prose, not contract; sources: providers.md section 3, sync-engines.md 2.5.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from bridge.errors import (
    Blocked,
    CalendarGone,
    CursorLost,
    NotACalendarServer,
    NotPermitted,
    ObjectGone,
    ObjectRefused,
    ProviderError,
    RetryLater,
    TagMismatch,
    UnknownOutcome,
)
from bridge.providers.http import SAFE, Answer, same_house
from bridge.providers.oauth import Session
from bridge.providers.patience import Patience

Json = dict[str, Any]

LABEL = "Outlook"

#: Objects of one page: large enough to be few, small enough to hold their notes.
PAGE = 200
_PREFER = 'IdType="ImmutableId", outlook.timezone="UTC", outlook.body-content-type="text"'
#: The longest wait we take a server's word for, in seconds.
PATIENCE = 24 * 3600.0

_LOST_STATE = ("syncstate", "resync")


class Graph:
    """A signed-in mailbox at ``api_url`` (https://graph.microsoft.com/v1.0)."""

    def __init__(self, session: Session, api_url: str):
        self.session = session
        self._patience = Patience()
        self._api = api_url.rstrip("/")

    def url(self, *segments: str, **query: str) -> str:
        """An address below ``/me``; names of query options go without their ``$``."""
        path = "".join("/" + quote(segment, safe="") for segment in segments)
        # the two that OData did not invent have none
        options = (
            f"{name if name.endswith('DateTime') else '$' + name}={quote(value, safe='')}"
            for name, value in query.items()
        )
        joined = "&".join(options)
        return f"{self._api}/me{path}{'?' + joined if joined else ''}"

    def outside(self, *segments: str) -> str:
        """An address that is not below ``/me``."""
        return self._api + "".join("/" + quote(segment, safe="") for segment in segments)

    def read(self, url: str) -> Json:
        """One answer. Raises ``ObjectGone`` for 404."""
        answer = self._send("GET", url)
        if answer.status in (404, 410):
            raise ObjectGone(f"The entry no longer exists in {LABEL}.")
        if answer.status != 200:
            raise _read_refused(answer)
        return _json(answer)

    def pages(self, url: str) -> Iterator[Json]:
        """Answers, page by page; the links between them are Graph's own, called unchanged."""
        following: str | None = url
        while following:
            if not self.is_ours(following):
                raise Blocked(f"{LABEL} sends us to another address, where we do not follow.")
            answer = self._send("GET", following)
            if answer.status in (404, 410) and not _lost_state(answer):
                raise CalendarGone(f"This calendar no longer exists in {LABEL}. Choose another one.")
            if answer.status != 200:
                raise _read_refused(answer)
            page = _json(answer)
            yield page
            following = page.get("@odata.nextLink")

    def write(self, method: str, url: str, body: Json | None = None, tag: str | None = None) -> Json:
        """POST, PATCH or DELETE; ``tag``: the version it must still have."""
        answer = self._send(method, url, body, {"If-Match": tag} if tag else {})
        if 200 <= answer.status < 300:
            return _json(answer) if answer.body else {}
        raise _write_refused(answer, create=method == "POST")

    def is_ours(self, url: str) -> bool:
        """Whether our token may go there."""
        return same_house(self._api, url)

    def _send(
        self, method: str, url: str, body: Json | None = None, more: Mapping[str, str] | None = None
    ) -> Answer:
        """One request; a 403 is confirmed by a second, a 401 is the session's affair."""
        headers = {
            "Accept": "application/json",
            "Prefer": f"{_PREFER}, odata.maxpagesize={PAGE}",
            **(more or {}),
        }
        data = b""
        if body is not None:
            data = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"

        def send() -> Answer:
            return self.session.request(method, url, body=data, headers=headers)

        answer = self._patience.through(send, lambda answer: answer.status == 429)
        if answer.status == 403:
            answer = send()
        if answer.status in (502, 504) and method not in SAFE:
            raise UnknownOutcome(f"{LABEL} lost its answer to a change. We look at it again first.")
        if answer.status == 429 or answer.status in (500, 502, 503, 504):
            raise _retry_later(answer)
        return answer


def _retry_later(answer: Answer) -> RetryLater:
    value = (answer.headers.get("Retry-After") or "").strip()
    busy = "asks us to slow down" if answer.status == 429 else "has trouble at the moment"
    after = min(float(value), PATIENCE) if value.isdigit() else None
    return RetryLater(f"{LABEL} {busy}. We try again by ourselves.", after)


def _read_refused(answer: Answer) -> ProviderError:
    if _lost_state(answer):
        return CursorLost(f"{LABEL} no longer knows where we left off. We list everything again.")
    if answer.status == 403:
        return NotPermitted(f"{LABEL} no longer lets us read this calendar. Ask its owner, or disconnect it.")
    return NotACalendarServer(f"{LABEL} does not answer as expected (status {answer.status}).")


def _write_refused(answer: Answer, *, create: bool) -> ProviderError:
    code, _ = _error(answer)
    match answer.status:
        case 412:
            return TagMismatch(f"The entry has changed in {LABEL} in the meantime.")
        case 409:  # to a create: a transaction that it knows
            return TagMismatch(f"The entry has changed in {LABEL} in the meantime.")
        case 404 | 410 if create:
            return CalendarGone(f"This calendar no longer exists in {LABEL}. Choose another one.")
        case 404 | 410:
            return ObjectGone(f"The entry no longer exists in {LABEL}.")
        case 403 | 405 | 423 | 507:
            if "quota" in code:
                return NotPermitted(f"The mailbox of {LABEL} is full. Make room there.")
            return NotPermitted(f"{LABEL} does not let us change this calendar. It may be read-only there.")
        case 413:
            return ObjectRefused(f"{LABEL} refuses this entry: it is too large.")
        case _:
            return ObjectRefused(f"{LABEL} refuses this entry ({code or answer.status}).")


def _lost_state(answer: Answer) -> bool:
    """410 ``SyncStateNotFound``, also ``resyncRequired``, also 400 for a token it cannot read."""
    code, message = _error(answer)
    return answer.status in (400, 410) and any(word in code + message for word in _LOST_STATE)


def _error(answer: Answer) -> tuple[str, str]:
    """Code and message of Graph's error envelope, in small letters."""
    try:
        said = json.loads(answer.body)["error"]
        return str(said["code"]).lower(), str(said["message"]).lower()
    except (ValueError, KeyError, TypeError):
        return "", ""


def _json(answer: Answer) -> Json:
    try:
        said = json.loads(answer.body)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise NotACalendarServer(f"{LABEL} answers with something else than a calendar.")
    return said
