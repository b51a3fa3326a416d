"""Finding people (RFC 3744 9.4, 9.5): everybody finds themselves, and nobody else."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from radicale_plugin import multistatus
from radicale_plugin.answers import Answer
from radicale_plugin.deadprops import DISPLAYNAME
from radicale_plugin.lines import names
from radicale_plugin.multistatus import element
from radicale_plugin.properties import PRINCIPAL, Asking
from radicale_plugin.propfind import folder
from radicale_plugin.xmlbody import CALDAV, DAV

_ADDRESSES = CALDAV + "calendar-user-address-set"
_PARTS = {DAV + "property-search", DAV + "prop", DAV + "apply-to-principal-collection-set"}
_SEARCHED = {DISPLAYNAME: "Name", _ADDRESSES: "Address"}


def search(asking: Asking, root: ET.Element) -> Answer:
    """principal-property-search: the user, if each (or, by ``test``, any) of the searches fits them; nothing
    searched for is everybody. python-caldav writes the wanted properties beside an empty DAV:prop."""
    fits = [_fits(asking, rule) for rule in root.findall(DAV + "property-search")]
    found = any(fits) if root.get("test") == "anyof" and fits else all(fits)
    wanted = names(root.find(DAV + "prop")) or tuple(name for name in names(root) if name not in _PARTS)
    return multistatus.answer([folder(asking, asking.home, PRINCIPAL, wanted)] if found else [])


def _fits(asking: Asking, rule: ET.Element) -> bool:
    looked_for = (rule.findtext(DAV + "match") or "").casefold()
    held = {DISPLAYNAME: asking.request.user, _ADDRESSES: f"mailto:{asking.request.user} {asking.home}"}
    properties = names(rule.find(DAV + "prop"))
    return (
        bool(properties)
        and all(looked_for in held.get(name, "").casefold() for name in properties)
        and all(name in held for name in properties)
    )


def searched() -> Answer:
    """principal-search-property-set: what can be looked for."""
    described = "".join(
        f"<principal-search-property><prop>{element(name)}</prop>"
        f'<description xml:lang="en">{said}</description></principal-search-property>'
        for name, said in _SEARCHED.items()
    )
    body = multistatus.document("principal-search-property-set", described)
    return 200, {"Content-Type": "text/xml; charset=utf-8"}, body.encode(), None
