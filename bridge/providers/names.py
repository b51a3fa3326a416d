"""Questions to the name servers that tell where a mail domain keeps its calendars and its mail.

Bounded in time and remembered for a while; trouble with the name servers is an answer of its own, because
it must never block a form. What the answers mean is left to ``detect``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import dns.exception
import dns.name
import dns.nameserver
import dns.resolver

#: How long all questions about one domain may take together.
SECONDS = 3.0


class Silent(Exception):
    """The name servers do not answer, or not usefully."""


@dataclass(frozen=True, slots=True)
class Service:
    """Where a domain says its CalDAV server is (RFC 6764 section 3): target, port, and the path of its TXT
    record."""

    host: str
    port: int
    path: str


class Names:
    """The system's name servers, or the given ones (``host`` or ``host:port``)."""

    def __init__(self, servers: Iterable[str] = (), seconds: float = SECONDS):
        given = list(servers)
        self._seconds = seconds
        self._cache = dns.resolver.Cache()
        self._resolver: dns.resolver.Resolver | None = None
        try:
            self._resolver = dns.resolver.Resolver(configure=not given)
        except dns.exception.DNSException:
            return  # this machine has none
        self._resolver.cache = self._cache
        if given:
            places = [urlsplit(f"//{server}") for server in given]
            self._resolver.nameservers = [
                dns.nameserver.Do53Nameserver(place.hostname or "", place.port or 53) for place in places
            ]

    def asking(self) -> Asking:
        """Questions about one domain, all within the time."""
        return Asking(self._resolver, monotonic() + self._seconds)


class Asking:
    """Questions that share one deadline."""

    def __init__(self, resolver: dns.resolver.Resolver | None, deadline: float):
        self._resolver = resolver
        self._deadline = deadline

    def calendar_service(self, domain: str) -> Service | None:
        """The best SRV record for CalDAV over TLS, with its path. The plain one is never asked for. None if
        there is none, or the domain says that it offers no such service. Raises ``Silent``."""
        name = f"_caldavs._tcp.{domain}"
        records = sorted(self._ask(name, "SRV"), key=lambda record: (record.priority, -record.weight))
        if not records or records[0].target == dns.name.root:
            return None
        best = records[0]
        path = ""
        for record in self._ask(name, "TXT"):
            text = b"".join(record.strings).decode("utf-8", "replace")
            if text.startswith("path=/"):
                path = text.removeprefix("path=")
        return Service(_plain(best.target), int(best.port), path)

    def mail_servers(self, domain: str) -> list[str]:
        """The names of the mail servers, the preferred ones first. Raises ``Silent``."""
        records = sorted(self._ask(domain, "MX"), key=lambda record: int(record.preference))
        return [_plain(record.exchange) for record in records if record.exchange != dns.name.root]

    def _ask(self, name: str, kind: str) -> list[Any]:
        left = self._deadline - monotonic()
        if self._resolver is None or left <= 0:
            raise Silent
        try:
            return list(self._resolver.resolve(name, kind, lifetime=left, search=False))
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except (dns.exception.DNSException, OSError, ValueError) as error:
            raise Silent from error


def _plain(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True).lower()
