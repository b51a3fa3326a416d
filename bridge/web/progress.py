"""Live progress: what moves on the settings page, as server-sent events (WHATWG HTML 9.2).

``count``: how far each calendar's pass is; ``look``: something else changed, fetch the page again; ``rest``:
nothing is under way any more. A stream lasts a few seconds and is opened anew by the browser, and there are
only so many at a time, so that no number of open pages keeps the server from its other work: whoever finds
none free looks again by itself now and then, as a page without a script does.
"""

from __future__ import annotations

import hashlib
import json
import math
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, Response, current_app, request, stream_with_context
from flask.sansio.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue

from bridge.store import accounts, links, pairings
from bridge.web import health_words
from bridge.web.security import the_bridge
from bridge.web.session import Visitor, now, visitor

pages = Blueprint("progress", __name__, url_prefix="/calendar/settings")

LASTS_SECONDS = 20.0
LOOK_SECONDS = 0.5
#: Of the threads that serve requests, how many may be busy with streams: one in so many, rounded up.
ONE_IN = 3


@pages.record_once
def _count(state: BlueprintSetupState) -> None:
    """How many streams an application has room for."""
    threads = state.app.extensions["bridge"].settings.threads
    state.app.extensions["streams"] = threading.BoundedSemaphore(math.ceil(threads / ONE_IN))


@pages.get("/progress")
def stream() -> ResponseReturnValue:
    """The stream; 503 if there are too many already."""
    room = current_app.extensions["streams"]
    if not room.acquire(blocking=False):
        return Response(
            "Too many pages look on. This one looks again by itself.\n", 503, mimetype="text/plain"
        )
    seen = request.headers.get("Last-Event-ID") or request.args.get("seen", "")
    body = stream_with_context(_events(visitor(), seen))
    response = Response(body, mimetype="text/event-stream")
    response.call_on_close(room.release)
    response.headers["X-Accel-Buffering"] = "no"  # a proxy that collects an answer would never pass this on
    return response


def _events(me: Visitor, seen: str) -> Iterator[str]:
    yield "retry: 1000\n\n"
    ends, counts = time.monotonic() + LASTS_SECONDS, ""
    while True:
        at = now()
        sight = look(me, at)
        if sight.state != seen:
            seen = sight.state
            yield f"event: look\nid: {seen}\ndata: {seen}\n\n"
        if (told := json.dumps(sight.counts)) != counts:
            counts = told
            yield f"event: count\ndata: {counts}\n\n"
        if not sight.busy:
            yield "event: rest\ndata: \n\n"
            return
        if time.monotonic() > ends:
            return
        time.sleep(LOOK_SECONDS)


@dataclass(frozen=True, slots=True)
class Sight:
    """What is under way. ``state`` changes when the page does; ``counts``: by link, done and to do."""

    state: str
    counts: Mapping[int, tuple[int, int]]
    busy: bool


def look(me: Visitor, at: datetime) -> Sight:
    """How things are right now."""
    states: list[object] = []
    counts: dict[int, tuple[int, int]] = {}
    busy = False
    with the_bridge().db.reading() as tx:
        owners = {row.id: row for row in accounts.of_user(tx, me.user.id)}
        states += [(row.id, row.state, row.state_reason) for row in owners.values()]
        for link in links.of_user(tx, me.user.id):
            if not health_words.concerns(link):
                continue
            owner = owners[link.account_id]
            state = health_words.of_link(link, owner, at, me.zone)
            states.append((link.id, state.tone, state.words.partition(" in agreement")[0], link.released))
            busy = busy or health_words.busy(link, owner, at)
            if health_words.running(link, at) and link.to_do:
                done = link.done or 0
                if link.agreed_at is None:  # finer than what the pass itself says: each object counts at once
                    done = max(done, pairings.count_agreed(tx, link.id))
                counts[link.id] = (min(done, link.to_do), link.to_do)
    return Sight(hashlib.sha256(repr(states).encode()).hexdigest()[:16], counts, busy)
