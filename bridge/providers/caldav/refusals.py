"""What a CalDAV server's status means for us: statuses and precondition elements to ``bridge.errors``.

Sources: RFC 4918 section 11, RFC 4791 5.3.2.1, RFC 6578 3.2, and the measured answers in the providers'
facts, section 4.
"""

from __future__ import annotations

from lxml import etree

from bridge.errors import (
    CalendarGone,
    NotACalendarServer,
    NotPermitted,
    ObjectGone,
    ObjectRefused,
    ProviderError,
    RetryLater,
    TagMismatch,
)
from bridge.providers.guard import origin
from bridge.providers.http import Answer, retry_after

#: Preconditions that concern the object, not the right to write (RFC 4791 5.3.2.1, RFC 6638 3.2.4).
_OBJECT = {
    "valid-calendar-data": "it finds the entry malformed",
    "valid-calendar-object-resource": "it finds the entry malformed",
    "supported-calendar-data": "it does not take this kind of entry",
    "supported-calendar-component": "it does not take this kind of entry",
    "no-uid-conflict": "another entry there has the same identity",
    "max-resource-size": "the entry is too large",
    "min-date-time": "the date is too far back",
    "max-date-time": "the date is too far ahead",
    "max-instances": "the series repeats too often",
    "max-attendees-per-instance": "it has too many guests",
    "unique-scheduling-object-resource": "another entry there has the same identity",
    "same-organizer-in-all-components": "its parts name different organisers",
    "allowed-organizer-scheduling-object-change": "only the organiser may change it",
    "allowed-attendee-scheduling-object-change": "only the organiser may change it",
}

_PARSER_OPTIONS = {"resolve_entities": False, "no_network": True, "load_dtd": False, "huge_tree": False}


def preconditions(answer: Answer) -> frozenset[str]:
    """The local names in a ``DAV:error`` body; empty if there is none."""
    if b"error" not in answer.body[:2048]:
        return frozenset()
    try:
        root = etree.fromstring(answer.body, etree.XMLParser(**_PARSER_OPTIONS))
    except etree.XMLSyntaxError:
        return frozenset()
    if root.tag != "{DAV:}error":
        return frozenset()
    return frozenset(etree.QName(child).localname for child in root if isinstance(child.tag, str))


def retry_later(answer: Answer) -> RetryLater:
    """A plea for patience, with the seconds it names."""
    host = origin(answer.url)[1]
    busy = "asks us to slow down" if answer.status == 429 else "has trouble at the moment"
    return RetryLater(f"{host} {busy}. We try again by ourselves.", retry_after(answer))


def read_refused(answer: Answer) -> ProviderError:
    """A listing or report that did not succeed, for reasons of the calendar as a whole."""
    host = origin(answer.url)[1]
    if answer.status in (404, 410):
        return CalendarGone(
            f"This calendar no longer exists at {host}. Choose another one, or disconnect it."
        )
    if answer.status == 403:
        return NotPermitted(f"{host} no longer lets us read this calendar. Ask its owner, or disconnect it.")
    if answer.status >= 500 and answer.status != 501:
        return retry_later(answer)
    return NotACalendarServer(f"{host} does not answer like a calendar server (status {answer.status}).")


def write_refused(answer: Answer, *, create: bool) -> ProviderError:
    """A PUT or DELETE that did not succeed."""
    host = origin(answer.url)[1]
    found = preconditions(answer)
    reasons = [sentence for name, sentence in _OBJECT.items() if name in found]
    match answer.status:
        case _ if reasons:
            return ObjectRefused(f"{host} refuses this entry: {reasons[0]}.")
        case 412:
            return TagMismatch(f"The entry has changed at {host} in the meantime.")
        case 404 | 410 if not create:
            return ObjectGone(f"The entry no longer exists at {host}.")
        case 404 | 410:
            return ObjectRefused(f"{host} has no place for this entry; perhaps the calendar is gone.")
        case 403 | 405 | 423:
            return NotPermitted(f"{host} does not let us change this calendar. It may be read-only there.")
        case 507:
            return NotPermitted(f"The calendar at {host} is full. Make room there.")
        case status if status >= 500 and status != 501:
            return retry_later(answer)
        case 413:
            return ObjectRefused(f"{host} refuses this entry: it is too large.")
        case _:
            return object_refused(answer)


def object_refused(answer: Answer) -> ObjectRefused:
    """The refusal of one entry, for reasons that the server keeps to itself."""
    host = origin(answer.url)[1]
    if answer.status == 409:
        return ObjectRefused(f"{host} refuses this entry; perhaps another one there has the same identity.")
    return ObjectRefused(f"{host} refuses this entry (status {answer.status}).")
