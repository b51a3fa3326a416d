"""Houses that nobody can run at home, as habits of the fault proxy before a server that one can.

Each habit is a behaviour reported in public (providers.md, sections 4 and 5), switched on for every request.
What a habit cannot imitate (hidden limits, what a UID in a second calendar does) is on the live checklist.
"""

from __future__ import annotations

import re
import time
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from tests.servers.fault import Fault, Forward, Reply, Seen, answer

DAV, CAL = "DAV:", "urn:ietf:params:xml:ns:caldav"
_TAG = re.compile(r"\{(.*)\}(.*)")


# --- what several houses do ------------------------------------------------------------------------------


def changing(change):
    """A habit that rewrites every multistatus; ``change`` gets the request and the root element."""

    def habit(seen: Seen, forward: Forward) -> Reply:
        reply = forward()
        if reply.status == 207:
            root = etree.fromstring(reply.body)
            change(seen, root)
            reply.body = etree.tostring(root, xml_declaration=True, encoding="utf-8")
        return reply

    return habit


def without_property(*names: str) -> Fault:
    """Properties that the house does not know."""

    def change(_seen: Seen, root: etree._Element) -> None:
        for name in names:
            for element in root.findall(f".//{name}"):
                element.getparent().remove(element)

    return changing(change)


def refuses_report(name: str) -> Fault:
    """A report that the house does not do."""

    def habit(seen: Seen, forward: Forward) -> Reply:
        if seen.method == "REPORT" and name.encode() in seen.body:
            return Reply(403, [("Content-Type", "application/xml")], _SUPPORTED_REPORT)
        return forward()

    return habit


_SUPPORTED_REPORT = b"<d:error xmlns:d='DAV:'><d:supported-report/></d:error>"


def loses(header: str, method: str) -> Fault:
    """A header that never comes with the answers to a method."""

    def habit(seen: Seen, forward: Forward) -> Reply:
        reply = forward()
        if seen.method == method:
            reply.headers = [(k, v) for k, v in reply.headers if k.lower() != header.lower()]
        return reply

    return habit


def challenge(*offers: str) -> Fault:
    """How strangers are asked to sign in; not at all, if there is nothing to offer."""

    def habit(seen: Seen, forward: Forward) -> Reply:
        if not any(name.lower() == "authorization" for name in seen.headers):
            return Reply(401, [("WWW-Authenticate", offer) for offer in offers])
        return forward()

    return habit


# --- iCloud (section 5) ------------------------------------------------------------------------------------


def _foreign_xml(_seen: Seen, forward: Forward) -> Reply:
    """No prefixes, and calendar-data in CDATA."""
    reply = forward()
    if reply.status == 207:
        reply.body = b"<?xml version='1.0' encoding='UTF-8'?>" + _bare(etree.fromstring(reply.body)).encode()
    return reply


def _bare(element: etree._Element) -> str:
    space, name = _TAG.fullmatch(element.tag).groups()
    attributes = "".join(f" {key}={quoteattr(value)}" for key, value in element.attrib.items())
    text = element.text or ""
    if name == "calendar-data" and "]]>" not in text:
        inner = f"<![CDATA[{text}]]>"
    else:
        inner = escape(text) + "".join(_bare(child) + escape(child.tail or "") for child in element)
    return f'<{name} xmlns="{space}"{attributes}>{inner}</{name}>'


def _lists_itself(seen: Seen, root: etree._Element) -> None:
    """The collection is a member of its own sync report."""
    if seen.method == "REPORT" and b"sync-collection" in seen.body:
        itself = etree.fromstring(
            f"<d:response xmlns:d='DAV:'><d:href>{escape(seen.path)}</d:href><d:propstat><d:prop>"
            '<d:getetag>"collection"</d:getetag></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat>'
            "</d:response>"
        )
        root.insert(0, itself)


#: Where everybody begins, and where this account's calendars are.
START, PARTITION = "caldav.icloud.com", "p42-caldav.icloud.com"


def _whole_addresses(seen: Seen, root: etree._Element) -> None:
    """The home, with its port, and members are at the partition, whichever host was asked."""
    for path in (f"./{{{DAV}}}response/{{{DAV}}}href", f".//{{{CAL}}}calendar-home-set/{{{DAV}}}href"):
        port = ":443" if "home-set" in path else ""
        for href in root.findall(path):
            if (href.text or "").startswith("/") and (port or seen.method == "REPORT"):
                href.text = f"https://{PARTITION}{port}{href.text}"


def as_icloud_shows(text: str) -> str:
    """What was stored, as it is read: a stamp that is there twice."""
    return re.sub(r"(?m)^(DTSTAMP[^\r\n]*)(\r?\n)", r"\1\2\1\2", text)


def _stamps_twice(seen: Seen, forward: Forward) -> Reply:
    """It takes back what it shows."""
    if seen.method == "PUT":
        seen.body = re.sub(rb"(?m)^(DTSTAMP[^\r\n]*\r?\n)\1", rb"\1", seen.body)
    reply = forward()
    if seen.method == "GET" and reply.status == 200:
        reply.body = as_icloud_shows(reply.body.decode()).encode()
    elif reply.status == 207:
        root = etree.fromstring(reply.body)
        for data in root.iter(f"{{{CAL}}}calendar-data"):
            data.text = as_icloud_shows(data.text or "")
        reply.body = etree.tostring(root, xml_declaration=True, encoding="utf-8")
    return reply


def _wants_an_end(seen: Seen, forward: Forward) -> Reply:
    """An event with neither DTEND nor DURATION is refused with 403, and no word why."""
    endless = not any(name in seen.body for name in (b"\nDTEND", b"\nDURATION"))
    if seen.method == "PUT" and b"BEGIN:VEVENT" in seen.body and endless:
        return Reply(403)
    return forward()


def _principal_is_not_listed(seen: Seen, forward: Forward) -> Reply:
    """Depth 1 is a bad request on anything but the home and its calendars."""
    depth = next((value for name, value in seen.headers.items() if name.lower() == "depth"), "")
    searching = b"current-user-principal" in seen.body or b"calendar-home-set" in seen.body
    if seen.method == "PROPFIND" and depth == "1" and searching:
        return Reply(400)
    return forward()


def _no_star(seen: Seen, forward: Forward) -> Reply:
    """``If-Match: *`` works the wrong way round."""
    if seen.headers.get("If-Match") == "*":
        return Reply(412)
    return forward()


ICLOUD: tuple[Fault, ...] = (
    challenge('X-MobileMe-AuthToken realm="Newcastle"', 'Basic realm="Newcastle"'),
    _no_star,
    _wants_an_end,
    _principal_is_not_listed,
    loses("ETag", "PUT"),
    _foreign_xml,
    changing(_lists_itself),
    changing(_whole_addresses),
    _stamps_twice,
)

# --- GMX, WEB.DE, mail.com (section 4) ---------------------------------------------------------------------


def _weak_on_put(seen: Seen, forward: Forward) -> Reply:
    """A weak tag on PUT, which equals nothing that is said later."""
    reply = forward()
    if seen.method == "PUT":
        reply.headers = [(k, f'W/"{abs(hash(v))}"' if k.lower() == "etag" else v) for k, v in reply.headers]
    return reply


def _leads_nowhere(seen: Seen, forward: Forward) -> Reply:
    """The well-known address is none."""
    return Reply(404) if seen.path.startswith("/.well-known/") else forward()


def _any_version_will_do(seen: Seen, forward: Forward) -> Reply:
    """``If-Match: *`` is not looked at."""
    if seen.headers.get("If-Match") == "*":
        del seen.headers["If-Match"]
    return forward()


GMX: tuple[Fault, ...] = (
    _any_version_will_do,
    _leads_nowhere,
    refuses_report("sync-collection"),
    without_property(f"{{{DAV}}}sync-token"),
    _weak_on_put,
)

# --- Yahoo, AOL (section 4) --------------------------------------------------------------------------------


def _no_filter(seen: Seen, forward: Forward) -> Reply:
    """The component filter of a query is not looked at."""
    if seen.method == "REPORT" and b"calendar-query" in seen.body:
        seen.body = re.sub(rb"<[^>]*comp-filter name=\"VEVENT\"[^>]*/>", b"", seen.body)
    return forward()


def _numbers_calendars(seen: Seen, forward: Forward) -> Reply:
    """A new calendar gets a number for a name, whatever was asked for."""
    if seen.method == "MKCALENDAR":
        home = seen.path.rstrip("/").rpartition("/")[0]
        seen.path = f"{home}/{time.time_ns()}/"
    return forward()


YAHOO: tuple[Fault, ...] = (
    challenge(),
    _numbers_calendars,
    refuses_report("sync-collection"),
    without_property(f"{{{DAV}}}sync-token"),
    _no_filter,
    without_property(f"{{{DAV}}}current-user-privilege-set"),
)

# --- what stands before any of them ------------------------------------------------------------------------


def hiccups(every: int) -> Fault:
    """Each so many-th request that reads is answered by a proxy that has lost its server."""
    count = 0

    def habit(seen: Seen, forward: Forward) -> Reply | None:
        nonlocal count
        if seen.method in ("PROPFIND", "REPORT", "GET"):
            count += 1
            if count % every == 0:
                return answer(503)(seen, forward)
        return forward()

    return habit
