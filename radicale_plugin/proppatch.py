"""PROPPATCH of a calendar (RFC 4918 9.2): all changes or none, values with all they hold, honest answers."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from bridge.errors import Invalid, NotAllowed, NotFound
from bridge.store import calendars, objects
from radicale_plugin import deadprops, multistatus, xmlbody
from radicale_plugin.answers import Answer
from radicale_plugin.deadprops import Refused
from radicale_plugin.properties import PROTECTED, Asking
from radicale_plugin.xmlbody import DAV

_PROTECTED = Refused("cannot-modify-protected-property", "This property is the server's to say.")


def answer(asking: Asking) -> Answer | None:
    """None: this is no calendar of the user's, and so Radicale's to refuse. Raises NotAllowed for a calendar
    that is read-only, NotFound."""
    match asking.request.segments:
        case [owner, name] if owner == asking.request.user:
            pass
        case _:
            return None
    root = xmlbody.read(asking.request.body)
    if root is None or root.tag != DAV + "propertyupdate":
        raise Invalid("A PROPPATCH says which properties to set or remove.")
    updates = _updates(root)
    with asking.runtime.transaction("w") as tx:
        found = calendars.of_email(tx, owner, name)
        if not found:
            raise NotFound("There is no such calendar.")
        row = objects.lock(tx, found[0].id)
        if not row.editable:
            raise NotAllowed("This calendar is read-only here, its name and colour too.")
        refused = refusals(updates)
        if not refused:
            kept = deadprops.changed(row.props, updates, asking.actor)
            objects.set_props(tx, row.id, kept, asking.runtime.bridge.clock.now())
    if asking.request.minimal and not refused:
        return 200, {"Preference-Applied": "return=minimal"}, None, None
    return told(asking.calendar(row), updates, refused)


def _updates(root: ET.Element) -> dict[str, str | None]:
    """In document order, the last word on a property counting (9.2)."""
    updates: dict[str, str | None] = {}
    for change in root:
        if change.tag not in (DAV + "set", DAV + "remove"):
            continue
        for sent in change.iterfind(f"{DAV}prop/*"):
            updates.pop(sent.tag, None)
            updates[sent.tag] = deadprops.value_of(sent) if change.tag == DAV + "set" else None
    return updates


def refusals(updates: dict[str, str | None]) -> dict[str, Refused]:
    """The properties that can't be set so, and why."""
    reasons = {
        name: _PROTECTED if name in PROTECTED else deadprops.refused(name, value)
        for name, value in updates.items()
    }
    return {name: reason for name, reason in reasons.items() if reason is not None}


def told(address: str, updates: dict[str, str | None], refused: dict[str, Refused]) -> Answer:
    """What became of each: all were set, or, if any was refused, none."""
    others = "".join(multistatus.element(name) for name in updates if name not in refused)
    parts = []
    if others:
        said = "424 Failed Dependency" if refused else "200 OK"
        parts.append(f"<propstat><prop>{others}</prop><status>HTTP/1.1 {said}</status></propstat>")
    for name, reason in refused.items():
        parts.append(
            f"<propstat><prop>{multistatus.element(name)}</prop><status>HTTP/1.1 403 Forbidden</status>"
            f"<error><{reason.precondition}/></error>"
            f"<responsedescription>{multistatus.escaped(reason.sentence)}</responsedescription></propstat>"
        )
    return multistatus.answer([f"<response>{multistatus.href(address)}{''.join(parts)}</response>"])
