"""From what a person types to their calendar home (RFC 6764 section 6, RFC 4791 6.2.1, RFC 5397).

Takes a bare host, a server's address, or the address of a principal, a home or one calendar. An answer
that is no calendar server's is told apart from a refused password and from silence. DNS records (SRV, TXT)
are left to ``bridge.providers.detect``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from bridge.errors import Blocked, NotACalendarServer, ProviderError, SignInNeeded
from bridge.providers.caldav.calendars import is_calendar
from bridge.providers.caldav.client import Client
from bridge.providers.caldav.xml import CAL, DAV, Multistatus, Response, propfind
from bridge.providers.guard import Guard, origin
from bridge.providers.http import same_house

WELL_KNOWN = "/.well-known/caldav"
#: Where servers keep their calendars whose administrator set up no signpost: SOGo (mailcow; first, since it
#: answers to the others too), Nextcloud and ownCloud, Baikal, DAViCal, Zimbra and others.
USUAL = ("/SOGo/dav/", "/remote.php/dav/", "/dav.php/", "/caldav.php/", "/dav/", "/caldav/")
_PROBE = propfind(DAV + "resourcetype", DAV + "current-user-principal", CAL + "calendar-home-set")


@dataclass(frozen=True, slots=True)
class Home:
    """Where the calendars are. ``single``: the address is one calendar, and no home was to be found.
    ``others``: further homes of the same user (RFC 4791 6.2.1 allows for several)."""

    url: str
    single: bool = False
    others: tuple[str, ...] = ()


def starts(typed: str, guard: Guard) -> list[str]:
    """The server addresses that a typed text may mean, most likely first: https, and plain http only where
    the administrator allowed the host. Raises ``Blocked`` for nonsense."""
    text = typed.strip()
    for old, new in (("caldavs://", "https://"), ("caldav://", "https://")):
        if text.lower().startswith(old):
            text = new + text[len(old) :]
    if "://" in text:
        guard.check(text)
        return [text]
    if "/" not in text:
        text = text.rpartition("@")[2]  # a mail address stands for its domain (RFC 6764 section 6)
    if not text:
        raise Blocked("Give the address of the calendar server.")
    secure, plain = "https://" + text, "http://" + text
    guard.check(secure)
    _, host, port = origin(plain)
    return [secure, plain] if guard.allows(host, port) else [secure]


def find_home(client: Client, start: str) -> Home:
    """Follow the server's own signs from ``start`` to the calendar home.

    Raises ``SignInNeeded``, ``Unreachable``, ``RetryLater``, ``Blocked``, ``NotACalendarServer``.
    """
    blocked: Blocked | None = None
    for place in _places(start):
        try:
            home = _look(client, place)
        except NotACalendarServer:
            continue
        except Blocked as error:
            blocked = error
            continue
        if home is not None:
            return home
    if blocked is None and urlsplit(start).path in ("", "/"):
        home = _guess(client, start.rstrip("/"))
        if home is not None:
            return home
    raise blocked or NotACalendarServer(
        f"There is no calendar server at {start}: what answers is perhaps a web page. "
        "Look up “CalDAV address” in your provider's help."
    )


def _places(start: str) -> Iterator[str]:
    parts = urlsplit(start)
    root = f"{parts.scheme}://{parts.netloc}"
    if parts.path not in ("", "/"):
        yield start
    yield root + WELL_KNOWN
    yield root + "/"


def _guess(client: Client, root: str) -> Home | None:
    """The home of a server without a signpost. A refused password is no guess any more."""
    for path in USUAL:
        try:
            home = _look(client, root + path)
        except SignInNeeded:
            raise
        except ProviderError:
            continue
        if home is not None:
            return home
    return None


def _look(client: Client, place: str) -> Home | None:
    found = _probe(client, place)
    if found is None:
        return None
    base, response = found
    if DAV + "unauthenticated" in response.names(DAV + "current-user-principal"):
        client.insist()
        found = _probe(client, base)
        if found is None:
            return None
        base, response = found
    home = _home(client, base, response)
    if home is not None:
        return home
    for principal in response.hrefs(DAV + "current-user-principal")[:1]:
        there = _probe(client, client.url(base, principal))
        home = _home(client, *there) if there else None
        if home is not None:
            return home
    if is_calendar(response):
        return Home(base, single=True)
    return None


def _home(client: Client, base: str, response: Response) -> Home | None:
    """The homes that the resource names, in its order. Raises ``Blocked`` if the first is elsewhere."""
    hrefs = response.hrefs(CAL + "calendar-home-set")
    if not hrefs:
        return None
    first = _folder(client.url(base, hrefs[0]))
    others = {_folder(urljoin(base, href)) for href in hrefs[1:]} - {first}
    return Home(first, others=tuple(sorted(url for url in others if same_house(base, url))))


def _probe(client: Client, url: str) -> tuple[str, Response] | None:
    """The resource's own response, and the address it came from; None if it is none of WebDAV's."""
    answer = client.xml("PROPFIND", url, _PROBE)
    if answer.status != 207:
        return None
    for response in Multistatus(answer):
        if response.status in (None, 200):  # of depth 0 there is one, however its href is spelt
            return answer.url, response
    return None


def _folder(url: str) -> str:
    return url if url.endswith("/") else url + "/"
