"""The guard: every address a user can type passes here before a single byte leaves the studio's server.

A self-hosted server sits inside the studio's network, so a typed address must not reach what only that
network can see. ``Guard.check`` looks at the form of an address, ``Guard.addresses`` at what its name
resolves to; ``PinnedBackend`` connects to exactly the addresses that were checked (one DNS answer for the
check and the connection, so a name that changes its answer gains nothing). The administrator opens private
hosts by name (``allow_hosts``: ``host`` or ``host:port``), and plain ``http://`` goes only to those.

Redirects, sizes and sign-in are left to ``http.py``. Source: the providers' facts, section 7 (measured:
``ipaddress.is_global`` lets NAT64 and 6to4 through, and the system's resolver understands ``127.1``).
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterable
from queue import Empty, Queue
from threading import Thread
from time import monotonic
from typing import Any

import httpcore2
import httpx2

from bridge.errors import Blocked, Unreachable

#: Name and port to numeric addresses, as the system's resolver gives them.
Resolve = Callable[[str, int], list[str]]

#: How long the name servers may take.
RESOLVE_SECONDS = 5.0

DEFAULT_PORTS = {"http": 80, "https": 443}

#: Ranges that lead somewhere else than they say: NAT64 (RFC 6052, 8215), 6to4 (RFC 3056), Teredo (RFC 4380).
_TUNNELS = tuple(
    ipaddress.ip_network(text) for text in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")
)


def system_resolve(host: str, port: int) -> list[str]:
    """Every address of the name, ``/etc/hosts`` included. Raises ``OSError``.

    The system's resolver knows no time limit, so it is asked in a thread that we stop waiting for.
    """
    answers: Queue[list[str] | OSError] = Queue()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answers.put(list(dict.fromkeys(str(address[0]) for *_, address in found)))
        except (OSError, UnicodeError) as error:
            answers.put(OSError(str(error)))

    Thread(target=ask, name=f"resolve {host}", daemon=True).start()
    try:
        answer = answers.get(timeout=RESOLVE_SECONDS)
    except Empty:
        raise OSError("the name servers do not answer") from None
    if isinstance(answer, OSError):
        raise answer
    return answer


def is_public(address: str) -> bool:
    """Whether a numeric address belongs to the public internet and to nothing else."""
    ip = ipaddress.ip_address(address.split("%", 1)[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return is_public(str(ip.ipv4_mapped))
        if any(ip in network for network in _TUNNELS) or ip.is_site_local or int(ip) >> 32 == 0:
            return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host (as ``ascii_host``, no brackets) and port of an address. Raises ``Blocked`` for nonsense.

    Read by the parser that the connection is made with, so that there are no two opinions about an address.
    """
    parts = _parsed(url)
    if parts.scheme not in DEFAULT_PORTS or not parts.host:
        raise Blocked(f"“{_shown(url)}” is not an address that starts with https://.")
    port = DEFAULT_PORTS[parts.scheme] if parts.port is None else parts.port
    if not 0 < port < 65536:
        raise Blocked(f"“{_shown(url)}” names a port that does not exist.")
    return parts.scheme, ascii_host(parts.raw_host.decode("ascii")), port


def ascii_host(host: str) -> str:
    """The name as DNS and allow-lists spell it: lower case, IDNA-encoded, no brackets, no final dot."""
    host = host.strip("[]").lower().rstrip(".")
    if host.isascii():
        return host
    return ascii_host(_parsed(f"https://{host}/").raw_host.decode("ascii"))


def _parsed(url: str) -> httpx2.URL:
    try:
        return httpx2.URL(url)
    except httpx2.InvalidURL:
        raise Blocked(f"“{_shown(url)}” is not an address.") from None


def _shown(url: str) -> str:
    """An address for people: without the password somebody may have put into it."""
    scheme, separator, rest = url.partition("//")
    return scheme + separator + rest.rpartition("@")[2]


class Guard:
    """What may be called. ``allow_hosts`` holds ``host`` or ``host:port`` (IPv6 in brackets or bare)."""

    def __init__(self, allow_hosts: Iterable[str] = (), resolve: Resolve = system_resolve):
        self._allowed = frozenset(name.strip().lower().rstrip(".") for name in allow_hosts if name.strip())
        self._resolve = resolve

    def allows(self, host: str, port: int) -> bool:
        """Whether the administrator opened this host by name."""
        spellings = (host, f"[{host}]") if ":" in host else (host,)
        return any(name in self._allowed or f"{name}:{port}" in self._allowed for name in spellings)

    def check(self, url: str) -> None:
        """Refuse an address by its form. Raises ``Blocked``; resolves nothing."""
        scheme, host, port = origin(url)
        if _parsed(url).userinfo:
            raise Blocked(f"Give the address of {host} without a user name or password in it.")
        if scheme != "https" and not self.allows(host, port):
            raise Blocked(
                f"{host} was asked for over plain http://, which anybody on the way can read. Use https://."
            )

    def addresses(self, host: str, port: int) -> list[str]:
        """The addresses to connect to, all of them checked. Raises ``Blocked`` or ``Unreachable``."""
        host = ascii_host(host)
        try:
            found = self._resolve(host, port)
        except OSError:
            found = []
        if not found:
            raise Unreachable(f"There is no host named {host}. Check the spelling, or try again later.")
        if not self.allows(host, port) and not all(is_public(address) for address in found):
            raise Blocked(
                f"{host} is inside a private network, where this server does not call on a user's word. "
                "The administrator can allow it by name in PICSELLO_BRIDGE_ALLOW_HOSTS."
            )
        return found


class PinnedBackend(httpcore2.NetworkBackend):
    """Connects to the checked addresses only, and lets nothing run past ``deadline`` (``monotonic()``)."""

    def __init__(self, guard: Guard):
        self._guard = guard
        self._plain = httpcore2.SyncBackend()
        self.deadline = float("inf")

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        failure: Exception | None = None
        for address in self._guard.addresses(host, port):
            left = self.left(timeout, httpcore2.ConnectTimeout)
            try:
                stream = self._plain.connect_tcp(address, port, left, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
            else:
                return _TimedStream(stream, self)
        assert failure is not None  # addresses() gives at least one
        raise failure

    def left(self, timeout: float | None, too_late: type[Exception]) -> float:
        """The seconds this step may take. Raises ``too_late`` when none are left."""
        left = self.deadline - monotonic()
        if left <= 0:
            raise too_late("the time for this request is over")
        return left if timeout is None else min(left, timeout)


class _TimedStream(httpcore2.NetworkStream):
    """A stream whose every step ends at the backend's deadline, however slowly the far side drips."""

    def __init__(self, stream: httpcore2.NetworkStream, backend: PinnedBackend):
        self._stream = stream
        self._backend = backend

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._backend.left(timeout, httpcore2.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._backend.left(timeout, httpcore2.WriteTimeout))

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        left = self._backend.left(timeout, httpcore2.ConnectTimeout)
        return _TimedStream(self._stream.start_tls(ssl_context, server_hostname, left), self._backend)

    def close(self) -> None:
        self._stream.close()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
