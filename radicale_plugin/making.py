"""Calendars that clients make and delete: MKCALENDAR, extended MKCOL, DELETE of a whole calendar.

Only calendars of the user's own beside the bookings; see ``bridge.service.own_calendars``.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from http import HTTPStatus

from sqlalchemy import Connection

from bridge.errors import Invalid, NotAllowed, NotFound
from bridge.service import own_calendars
from bridge.store import calendars
from bridge.store.calendars import COMPONENTS
from bridge.store.people import user_by_email
from radicale_plugin import answers, deadprops, proppatch, xmlbody
from radicale_plugin.answers import Answer
from radicale_plugin.conditions import WrongMedia, media
from radicale_plugin.deadprops import DISPLAYNAME
from radicale_plugin.properties import COMPONENT_SET, RESOURCE_TYPE, Asking
from radicale_plugin.request import Request
from radicale_plugin.xmlbody import CALDAV, DAV


def make(asking: Asking) -> Answer:
    """RFC 4791 5.3.1, RFC 5689 3: 201, with all the properties that were asked for, or nothing is made."""
    owner, name, *deeper = _place(asking.request)
    _check_media(asking.request)
    if deeper:
        return _not_there(asking, owner, name, deeper)
    said = _properties(asking.request)
    kinds = _components(said.pop(COMPONENT_SET, None))
    updates: dict[str, str | None] = {
        sent.tag: deadprops.value_of(sent) for sent in said.values() if sent.tag != RESOURCE_TYPE
    }
    refused = proppatch.refusals(updates)
    if refused:
        return proppatch.told(asking.request.address(owner, name), updates, refused)
    with asking.runtime.transaction("w") as tx:
        if calendars.of_email(tx, owner, name):
            return _taken(asking.request)
        now = asking.runtime.bridge.clock.now()
        title = deadprops.plain(updates.get(DISPLAYNAME) or "").strip()
        props = deadprops.changed({}, updates, asking.actor)
        user = user_by_email(tx, owner)
        own_calendars.make(tx, user, name, title=title, components=kinds, props=props, now=now)
    return HTTPStatus.CREATED.value, {"Cache-Control": "no-cache"}, None, None


def delete(asking: Asking, tx: Connection, owner: str, name: str) -> Answer:
    """RFC 4918 9.6.1. Raises NotFound, NotAllowed, Stale by If-Match."""
    found = calendars.of_email(tx, owner, name)
    if not found:
        raise NotFound("There is no such calendar.")
    row = calendars.lock(tx, found[0].id)
    asking.request.conditions.check(f"{row.id}-{row.generation}-{row.seq}")
    own_calendars.remove(tx, row)
    return HTTPStatus.NO_CONTENT.value, {}, None, None


def _place(request: Request) -> list[str]:
    """Raises NotAllowed for all places but below the user's home."""
    match request.segments:
        case [owner, _, *_] if owner == request.user:
            return request.segments
    raise NotAllowed("Calendars are made in your own home only.")


def _check_media(request: Request) -> None:
    """RFC 4918 9.3: a body that is not understood makes nothing. Raises WrongMedia."""
    kind = media(request.content_type)[0]
    if request.body.strip() and kind not in ("", "text/xml", "application/xml"):
        raise WrongMedia(f"What to make is said in XML, not in {kind}.")


def _not_there(asking: Asking, owner: str, name: str, deeper: list[str]) -> Answer:
    """RFC 4918 9.3.1 where nothing lies above it, RFC 4791 5.3.1.2 inside of a calendar."""
    with asking.runtime.transaction("r") as tx:
        inside = len(deeper) == 1 and bool(calendars.of_email(tx, owner, name))
    if not inside:
        return answers.refused(HTTPStatus.CONFLICT, "There is nothing above this address yet.")
    raise Invalid(
        "A calendar lies directly in your home, not in another one.", "calendar-collection-location-ok"
    )


def _taken(request: Request) -> Answer:
    """What is there stays: RFC 4918 9.3.1 for MKCOL, RFC 4791 5.3.1.2 for MKCALENDAR."""
    sentence = "There is a calendar at this address already."
    if request.environ["REQUEST_METHOD"] == "MKCOL":
        return answers.refused(HTTPStatus.METHOD_NOT_ALLOWED, sentence, headers={"Allow": answers.ALLOW})
    return answers.refused(HTTPStatus.FORBIDDEN, sentence, "resource-must-be-null")


def _properties(request: Request) -> dict[str, ET.Element]:
    """What the body sets, by name. Raises Invalid, NotAllowed for a collection that is no calendar."""
    root = xmlbody.read(request.body)
    plain = request.environ["REQUEST_METHOD"] == "MKCOL"
    if root is None and not plain:
        return {}
    if root is None or root.tag != (DAV + "mkcol" if plain else CALDAV + "mkcalendar"):
        if root is None:
            raise NotAllowed("Folders are calendars here: ask for one by MKCALENDAR.")
        raise Invalid("The request to make a calendar is not understood.")
    said = {sent.tag: sent for sent in root.iterfind(f"{DAV}set/{DAV}prop/*")}
    types = said.get(RESOURCE_TYPE)
    if plain and (types is None or types.find(CALDAV + "calendar") is None):
        raise Invalid("Only calendars are kept here.", "valid-resourcetype")
    return said


def _components(sent: ET.Element | None) -> tuple[str, ...]:
    """The kinds of objects it is for; all of them, if the client does not say."""
    if sent is None:
        return COMPONENTS
    return tuple((comp.get("name") or "").upper() for comp in sent.findall(CALDAV + "comp"))
