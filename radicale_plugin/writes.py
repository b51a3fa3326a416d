"""PUT, DELETE and MOVE of single objects: from a request to ``bridge.service.client_writes`` and back.

Conditions are checked and the change is made in one transaction; what takes time (reading the text) is
done before it.
"""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import quote

from radicale.pathutils import sanitize_path
from sqlalchemy import Connection

from bridge.errors import Invalid, NotAllowed, NotFound, Stale, TooLarge
from bridge.ical.check import check_resource
from bridge.service import client_writes
from bridge.store import calendars, contents
from bridge.store.calendars import COMPONENTS, CalendarRow
from bridge.store.people import user_by_email
from radicale_plugin import answers, paths
from radicale_plugin.answers import Answer
from radicale_plugin.conditions import calendar_text
from radicale_plugin.item import quoted
from radicale_plugin.properties import Asking
from radicale_plugin.request import Request, Target

#: An event has tens of lines, a long series with many overrides thousands; each costs time to read.
MOST_LINES = 50_000

_NO_CALENDAR = answers.refused(HTTPStatus.CONFLICT, "There is no such calendar.")


def put(asking: Asking) -> Answer:
    """RFC 4791 5.3.2, RFC 4918 9.7: 201 or 204, with an ETag only if the bytes kept are the bytes sent.

    A text that is refused anyway need not be valid: whether the calendar may be changed comes first.
    """
    request, runtime = asking.request, asking.runtime
    target = request.target()
    text, exact = calendar_text(request.body, request.content_type)
    if len(request.body) > runtime.max_object:
        raise TooLarge(
            f"The event is larger than this server keeps ({runtime.max_object} bytes). "
            "Are there files attached to it?",
            "max-resource-size",
        )
    if request.body.count(b"\n") > MOST_LINES:
        raise TooLarge(f"An event may have {MOST_LINES} lines here.", "max-resource-size")
    try:
        check_resource(text, max_bytes=runtime.max_object, components=COMPONENTS)
    except Invalid:
        with runtime.transaction("r") as tx:
            calendar = find_calendar(tx, target.owner, target.calendar)
        if calendar is not None and calendar.editable:
            raise
        if calendar is not None:
            raise NotAllowed("This calendar is read-only here.") from None
        return _NO_CALENDAR
    try:
        with runtime.transaction("w") as tx:
            calendar = find_calendar(tx, target.owner, target.calendar)
            if calendar is None:
                return _NO_CALENDAR
            done = client_writes.put(
                tx,
                user_by_email(tx, target.owner),
                calendar,
                target.href,
                text,
                actor=asking.actor,
                now=runtime.bridge.clock.now(),
                condition=request.conditions.check,
            )
            runtime.changed(calendar.id)
    except Stale:
        if not request.representation:
            raise
        return _shown(asking, target, HTTPStatus.PRECONDITION_FAILED)
    except client_writes.SourceRefuses as error:
        with runtime.transaction("w") as tx:
            owner = user_by_email(tx, target.owner)
            client_writes.note_refusal(tx, owner, error, runtime.bridge.clock.now())
        raise
    except client_writes.UidInUse as error:
        return answers.refused(
            HTTPStatus.FORBIDDEN, str(error), error.precondition, [_href(request, target, error.href)]
        )
    if request.representation:
        return _shown(asking, target, HTTPStatus.CREATED if done.created else HTTPStatus.OK)
    headers = {"ETag": quoted(done.stored.etag)} if exact and not done.changed_bytes else {}
    return (HTTPStatus.CREATED if done.created else HTTPStatus.NO_CONTENT).value, headers, None, None


def _shown(asking: Asking, target: Target, status: HTTPStatus) -> Answer:
    """What is there now, for a client that would ask for it next (RFC 8144 2.2, 3.2); 404 if nothing is."""
    with asking.runtime.transaction("r") as tx:
        calendar = find_calendar(tx, target.owner, target.calendar)
        stored = contents.get(tx, calendar.id, target.href) if calendar else None
    if stored is None:
        raise NotFound("There is nothing at this address (any more).")
    headers = {
        "ETag": quoted(stored.etag),
        "Content-Type": "text/calendar; charset=utf-8",
        "Content-Location": _href(asking.request, target, target.href),
        "Preference-Applied": "return=representation",
    }
    return status.value, headers, stored.text.encode(), None


def delete(asking: Asking) -> Answer:
    """RFC 4918 9.6: 204, whatever became of a booking; a refusal makes some phones stall (design 4.4)."""
    request, runtime = asking.request, asking.runtime
    target = request.target()
    with runtime.transaction("w") as tx:
        calendar = find_calendar(tx, target.owner, target.calendar)
        if calendar is None:
            raise NotFound("There is no such calendar.")
        client_writes.delete(
            tx,
            user_by_email(tx, target.owner),
            calendar,
            target.href,
            actor=asking.actor,
            now=runtime.bridge.clock.now(),
            condition=request.conditions.check,
        )
        runtime.changed(calendar.id)
    return HTTPStatus.NO_CONTENT.value, {}, None, None


def move(asking: Asking) -> Answer:
    """RFC 4918 9.9, of one object within the user's own calendars: 201, or 204 if it replaced its copy."""
    request, runtime = asking.request, asking.runtime
    target = request.target()
    goal = request.target(sanitize_path(paths.destination(request.environ, request.prefix)))
    with runtime.transaction("w") as tx:
        source = find_calendar(tx, target.owner, target.calendar)
        there = find_calendar(tx, goal.owner, goal.calendar)
        if source is None:
            raise NotFound("There is no such calendar.")
        if there is None:
            return answers.refused(HTTPStatus.CONFLICT, "There is no such calendar to move it to.")
        replaced = client_writes.move(
            tx,
            source,
            target.href,
            there,
            goal.href,
            actor=asking.actor,
            now=runtime.bridge.clock.now(),
            overwrite=request.environ.get("HTTP_OVERWRITE", "T").upper() != "F",
            condition=request.conditions.check,
        )
        for calendar in (source, there):
            runtime.changed(calendar.id)
    return (HTTPStatus.NO_CONTENT if replaced else HTTPStatus.CREATED).value, {}, None, None


def find_calendar(tx: Connection, owner: str, name: str) -> CalendarRow | None:
    """The calendar at ``/<owner>/<name>/``."""
    return next(iter(calendars.of_email(tx, owner, name)), None)


def _href(request: Request, target: Target, href: str) -> str:
    return quote(f"{request.prefix}/{target.owner}/{target.calendar}/{href}")
