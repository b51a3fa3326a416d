"""The doctor's look outside: our address and certificate, the providers' names, the queue, the clocks,
where traces go.

Nothing is sent to a provider but the question of its name to the name server. Our own public address is
contacted if it is https: its certificate, and what time it says it is, are looked at.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.client import HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from bridge import traces
from bridge.service import Bridge
from bridge.store import accounts

Found = tuple[str, bool, str, Callable[[], str] | None]

PATIENCE_SECONDS = 5.0
#: Certificates are renewed a month before their end; two weeks before it, somebody must look.
TOO_SOON = timedelta(days=14)
#: Leases and sign-ins bear this much.
CLOCKS_APART = timedelta(minutes=1)
#: Names that stand for somebody's own in documents (RFC 2606): nothing is there.
NOBODYS = (".example", ".test", ".invalid", ".localhost")


def look(bridge: Bridge) -> Iterator[Found]:
    """How we are reached, and whom we reach."""
    yield from _public(bridge)
    yield from _names(bridge)
    yield from _queue(bridge)
    if bridge.settings.traces == "on":
        there = traces.installed()
        yield "traces", there, f"go to {traces.destination()}" if there else traces.MISSING, None


def _public(bridge: Bridge) -> Iterator[Found]:
    what, url = "public address", bridge.public_url
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme != "https" or host.endswith(NOBODYS):
        return
    if not _known(host):
        said = f"The name {host} is not found. Check its DNS record, or PICSELLO_BRIDGE_PUBLIC_URL."
        yield what, False, said, None
        return
    try:
        ends, told = _greeting(host, parts.port or 443)
    except ssl.SSLCertVerificationError as error:
        said = f"The certificate of {url} is not good ({error.verify_message}): apps refuse it. Renew it."
        yield what, False, said, None
        return
    except (OSError, HTTPException) as error:
        said = f"{url} is not reached from this machine ({error}); behind a router that may be as it should"
        yield what, True, said, None
        return
    now = bridge.clock.now()
    if ends - now < TOO_SOON:
        yield (
            what,
            False,
            f"The certificate of {url} ends on {ends:%Y-%m-%d}: see why it is not renewed.",
            None,
        )
    else:
        yield what, True, f"{url}, certificate until {ends:%Y-%m-%d}", None
    if told is not None and abs(told - now) > CLOCKS_APART:
        apart = int(abs(told - now).total_seconds())
        said = f"This machine's clock and that of {host} are {apart} s apart. Set both by NTP."
        yield "clock", False, said, None


def _greeting(host: str, port: int) -> tuple[datetime, datetime | None]:
    """When the certificate ends, and what time it says it is."""
    connection = HTTPSConnection(host, port, timeout=PATIENCE_SECONDS, context=ssl.create_default_context())
    with contextlib.closing(connection):
        connection.connect()
        certificate = connection.sock.getpeercert() if isinstance(connection.sock, ssl.SSLSocket) else None
        ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(str((certificate or {})["notAfter"])), UTC)
        connection.request("GET", "/healthz")
        date = connection.getresponse().headers["Date"]
    return ends, parsedate_to_datetime(date) if date else None


def _names(bridge: Bridge) -> Iterator[Found]:
    with bridge.db.reading() as tx:
        rows = accounts.everybody(tx)
    hosts = {host: row.label for row in rows if (host := urlsplit(row.url).hostname)}
    missing = [(host, label) for host, label in sorted(hosts.items()) if not _known(host)]
    for host, label in missing:
        said = f"{host} (of {label}) is not found. Check this machine's name servers and its network."
        yield "names", False, said, None
    if hosts and not missing:
        yield "names", True, f"{len(hosts)} of providers found", None


def _known(host: str) -> bool:
    try:
        return bool(socket.getaddrinfo(host, None))
    except (OSError, UnicodeError):
        return False


def _queue(bridge: Bridge) -> Iterator[Found]:
    url = bridge.settings.queue_url
    if not url.startswith("redis"):
        return
    import redis

    try:
        redis.Redis.from_url(url, socket_timeout=PATIENCE_SECONDS).ping()
    except (redis.RedisError, OSError, ValueError) as error:
        said = f"Redis does not answer ({error}). Passes wait until it does; nothing is lost."
        yield "queue", False, said, None
    else:
        yield "queue", True, "Redis answers", None
