"""One guarded HTTP session, shared by every provider: bounded in time, bytes and redirects.

``Http.request`` sends one request and gives the whole answer, whatever its status; reading meaning into
statuses is left to the providers. Failures to get an answer become the kinds of ``bridge.errors``. Nothing of
the process environment (proxies, netrc) is used. Redirects are followed by hand, each through the guard, and
credentials, and everything that changes something, stay with the origin they were meant for (iCloud's own
hosts are one house). Whether an answer from elsewhere is believed is left to the providers: ``Answer.url``.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from ssl import PROTOCOL_TLS_CLIENT, SSLContext
from time import monotonic
from urllib.parse import urljoin

import httpcore2
import httpx2

from bridge import __version__, traces
from bridge.errors import Blocked, Invalid, NotACalendarServer, ProviderError, UnknownOutcome, Unreachable
from bridge.providers.guard import Guard, PinnedBackend, origin
from bridge.providers.pace import Pace

#: Methods that change nothing, so that they may be sent again on a fresh connection (RFC 9110 9.2.1).
SAFE = frozenset({"GET", "HEAD", "OPTIONS", "PROPFIND", "REPORT"})

#: The longest wait we take a server's word for, in seconds.
PATIENCE = 24 * 3600.0

AGENT = f"picsello-bridge/{__version__}"

Credentials = httpx2.Auth


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one request, its redirects and repetitions included."""

    connect: float = 10.0  # seconds for one connection
    seconds: float = 60.0  # for everything together
    bytes: int = 64 * 1024 * 1024  # of one answer, after decompression
    redirects: int = 5


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. ``url`` is where it came from, after redirects."""

    status: int
    headers: Mapping[str, str]  # looked up without regard to case
    body: bytes
    url: str


@cache
def _trusted() -> SSLContext:
    """Whom this machine trusts. Read once in a process, and only for https: it takes longer than all the rest
    of a pass with nothing new. What an administrator adds counts from the next start."""
    return httpx2.create_ssl_context(trust_env=False)


class GuardedTransport(httpx2.HTTPTransport):
    """The only way out: checks each address, pins its DNS answer, and bounds what comes back. It trusts whom
    ``verify`` says, else whom the machine trusts."""

    def __init__(
        self, guard: Guard, limits: Limits, verify: SSLContext | None = None, pace: Pace | None = None
    ):
        super().__init__(trust_env=False, verify=SSLContext(PROTOCOL_TLS_CLIENT))  # its pool is replaced
        self._guard = guard
        self._limits = limits
        self._pace = pace
        self._backend = PinnedBackend(guard)
        self._pool = httpcore2.ConnectionPool(
            ssl_context=verify, network_backend=self._backend, max_connections=4, keepalive_expiry=20.0
        )
        self.requests = 0

    def start(self) -> None:
        """Begin a request's time; what follows belongs to it until the next start."""
        self._backend.deadline = monotonic() + self._limits.seconds

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        self._guard.check(str(request.url))
        if self._pace is not None:
            self._backend.deadline += self._pace.wait()
        if request.url.scheme == "https" and self._pool._ssl_context is None:
            self._pool._ssl_context = _trusted()
        self.requests += 1
        response = super().handle_request(request)
        coding = response.headers.pop("Content-Encoding", "identity").strip().lower()
        response.headers.pop("Content-Length", None)
        assert isinstance(response.stream, httpx2.SyncByteStream)
        stream = _Bounded(response.stream, coding, self._limits.bytes, request.url.host)
        return httpx2.Response(
            response.status_code, headers=response.headers, stream=stream, extensions=response.extensions
        )


class _Bounded(httpx2.SyncByteStream):
    """The body, decompressed here so that a small bomb cannot become a large one unseen."""

    def __init__(self, stream: httpx2.SyncByteStream, coding: str, limit: int, host: str):
        self._stream = stream
        self._coding = coding
        self._limit = limit
        self._host = host

    def __iter__(self) -> Iterator[bytes]:
        total = 0
        for chunk in self._decoded():
            total += len(chunk)
            if total > self._limit:
                raise Blocked(
                    f"{self._host} sent more than {self._limit // 1048576} MB in one answer. "
                    "We stopped reading."
                )
            yield chunk

    def _decoded(self) -> Iterator[bytes]:
        if self._coding in ("identity", ""):
            yield from self._stream
            return
        if self._coding not in ("gzip", "x-gzip", "deflate"):
            raise NotACalendarServer(f"{self._host} packs its answers in a way we did not ask for.")
        unpacker = zlib.decompressobj(wbits=47)  # gzip or zlib, told apart by the header
        for chunk in self._stream:
            while chunk:
                try:
                    yield unpacker.decompress(chunk, 65536)
                except zlib.error:
                    raise Unreachable(
                        f"The answer of {self._host} arrived damaged. Try again later."
                    ) from None
                chunk = unpacker.unconsumed_tail

    def close(self) -> None:
        self._stream.close()


class Http:
    """A guarded session. ``requests`` counts every request sent, redirects and repetitions included."""

    def __init__(
        self,
        guard: Guard,
        *,
        limits: Limits | None = None,
        verify: SSLContext | None = None,
        pace: Pace | None = None,
    ):
        self._limits = limits or Limits()
        self._within = traces.here()  # a pass reads ahead in a thread of its own
        self._transport = GuardedTransport(guard, self._limits, verify, pace)
        self._client = httpx2.Client(
            transport=self._transport,
            trust_env=False,
            follow_redirects=False,
            timeout=httpx2.Timeout(self._limits.seconds, connect=self._limits.connect),
            headers={"User-Agent": AGENT, "Accept-Encoding": "gzip"},
        )

    @property
    def requests(self) -> int:
        return self._transport.requests

    def request(
        self,
        method: str,
        url: str,
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        auth: Credentials | None = None,
    ) -> Answer:
        """Send and read to the end, following redirects with the same method and body.

        Raises ``Unreachable`` (nothing was applied), ``UnknownOutcome`` (a write's answer was lost),
        ``Blocked`` and ``NotACalendarServer``.
        """
        self._transport.start()
        target = url
        for _ in range(self._limits.redirects + 1):
            answer = self._send(
                method, target, body, headers or {}, auth if same_house(url, target) else None
            )
            location = answer.headers.get("Location")
            if answer.status not in (301, 302, 307, 308) or not location:
                return answer
            target = urljoin(target, location)
            if method not in SAFE and not same_house(url, target):
                raise Blocked(
                    f"{origin(url)[1]} sends a change on to {origin(target)[1]}, where we do not send it. "
                    "If that is right, give that address instead."
                )
        raise Blocked(f"{origin(url)[1]} sends us from one address to the next without end.")

    def close(self) -> None:
        self._client.close()

    def _send(
        self, method: str, url: str, body: bytes, headers: Mapping[str, str], auth: Credentials | None
    ) -> Answer:
        host = origin(url)[1]
        for last in (False, True):
            try:
                return self._exchange(method, url, body, headers, auth)
            except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as error:
                raise _unreachable(host, error) from error
            except (httpx2.InvalidURL, httpx2.UnsupportedProtocol, httpx2.LocalProtocolError) as error:
                raise Invalid(f"“{url}” is not an address that can be called.") from error
            except httpx2.HTTPError as error:
                closed = isinstance(error, httpx2.RemoteProtocolError | httpx2.NetworkError)
                if method in SAFE and closed and not last:
                    continue  # an idle connection may have been closed under us: once more on a new one
                raise _lost(method, host, error) from error
        raise AssertionError("the second try returns or raises")

    def _exchange(
        self, method: str, url: str, body: bytes, headers: Mapping[str, str], auth: Credentials | None
    ) -> Answer:
        request = self._client.build_request(method, url, content=body, headers=dict(headers))
        with traces.asking(method, url, self._within) as span:
            # httpx2 would fall back on the client's credentials for None; there are none, so None means none
            response = self._client.send(request, auth=auth, stream=True)
            span.answered(method, "", response.status_code)
            try:
                content = b"".join(response.iter_raw())
            finally:
                response.close()
        return Answer(response.status_code, response.headers, content, url)


def retry_after(answer: Answer) -> float | None:
    """The seconds that an answer asks us to wait (RFC 9110 10.2.3: a number, or a date), at most
    ``PATIENCE``."""
    value = (answer.headers.get("Retry-After") or "").strip()
    if value.isascii() and value.isdigit() and len(value) < 10:
        return min(float(value), PATIENCE)
    # a date by the server's own clock, where it shows it: ours may differ
    until, now = _date(value), _date(answer.headers.get("Date")) or datetime.now(UTC)
    return None if until is None else min(max(0.0, (until - now).total_seconds()), PATIENCE)


def _date(text: str | None) -> datetime | None:
    try:
        date = parsedate_to_datetime(text or "")
    except ValueError:
        return None
    return date if date.tzinfo is not None else None


def same_house(first: str, second: str) -> bool:
    """Whether credentials meant for the first address may go to the second: the same origin, its https
    form, or another host of iCloud (whose partition hosts are one service)."""
    a, b = origin(first), origin(second)
    if a == b or (a[1] == b[1] and a[0] == "http" and a[2] == 80 and b[0] == "https" and b[2] == 443):
        return True
    return all(
        scheme == "https" and port == 443 and (host == "icloud.com" or host.endswith(".icloud.com"))
        for scheme, host, port in (a, b)
    )


def _unreachable(host: str, error: Exception) -> ProviderError:
    text = str(error).upper()
    if "CERTIFICATE" in text:
        return Unreachable(f"The certificate of {host} is not valid, so we did not sign in there.")
    if "SSL" in text or "TLS" in text:
        return Unreachable(
            f"{host} does not offer a secure connection at this address. Check the address and its port."
        )
    return Unreachable(
        f"{host} does not answer. Check the address; if it is right, we try again by ourselves."
    )


def _lost(method: str, host: str, error: Exception) -> ProviderError:
    if method not in SAFE:
        return UnknownOutcome(f"{host} did not confirm a change. We look at it again before anything else.")
    if isinstance(error, httpx2.TimeoutException):
        return Unreachable(f"{host} takes too long to answer. We try again by ourselves.")
    if (
        isinstance(error, httpx2.RemoteProtocolError)
        and "disconnect" not in str(error)
        and "closed" not in str(error)
    ):
        return NotACalendarServer(f"What answers at {host} is no web server. Check the address and its port.")
    return Unreachable(f"{host} broke off the connection. We try again by ourselves.")
