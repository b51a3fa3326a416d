"""Settings: read from the environment or one TOML file, checked once at start, never changed after.

An option given on the command line beats ``PICSELLO_BRIDGE_<NAME>`` in the environment, which beats
``PICSELLO_BRIDGE_<NAME>_FILE`` (a file that holds the value, for secrets), which beats the settings file,
which beats the default. That file's keys are the same names in small letters. All that is wrong is said at
once. Opening databases, folders and keys is left to the wiring.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bridge.errors import Invalid

PREFIX = "PICSELLO_BRIDGE_"
#: The least a body limit may be: a single event with a description must fit.
SMALLEST_RESOURCE = 10_000
#: Unless told otherwise; each takes some 30 MB of its own.
MOST_PROCESSES = 4
_NAME_SERVER = re.compile(r"(?:[0-9.]+|\[[0-9a-f:]+\])(?::\d{1,5})?", re.ASCII)


@dataclass(frozen=True)
class Settings:
    """Everything an administrator can set. Durations are in seconds, sizes in bytes."""

    data: Path
    database_url: str = field(default="", repr=False)  # filled in below: SQLite in the data folder
    queue_url: str = field(default="", repr=False)  # likewise; or redis://host:port/number
    public_url: str = ""  # in every link we print or hand out; empty: the address of the last serve
    key_file: Path = Path()  # the master key; filled in below
    allow_hosts: frozenset[str] = field(default_factory=frozenset)  # private hosts that may be contacted
    name_servers: frozenset[str] = field(default_factory=frozenset)  # for detection; empty: the system's
    trusted_proxies: frozenset[str] = field(default_factory=frozenset)  # whose X-Forwarded-* count
    smtp_url: str = field(
        default="", repr=False
    )  # smtp://[user:password@]host[:port] or smtps://…; empty: no mail is sent
    mail_from: str = ""  # the sender of mails; needed with smtp_url
    log_format: str = "text"  # or json
    log_level: str = "info"
    log_requests: str = "errors"  # or all: a line for each request, or for those that fail by our fault
    traces: str = "off"  # or on: to where the OTEL_… variables say
    metrics_allow: frozenset[str] = frozenset({"127.0.0.1", "::1"})  # who may read /metrics, by address
    metrics_token: str = field(default="", repr=False)  # or by this, as Authorization: Bearer …
    security_contact: str = ""  # mailto: or https: in /.well-known/security.txt; empty: there is none
    poll_seconds: int = 300  # how often a calendar is looked at when nothing happens here
    history_days: int = 400  # how long changes are shown, and can be undone
    changes_days: int = 90  # how long a calendar app may stay away and be told only what changed
    push: str = "auto"  # auto | on | off: let Google and Microsoft tell us of changes, at public_url
    worker_threads: int = 2  # passes at the same time, in one process
    server_threads: int = 0  # requests at the same time, in one process; 0: 10 in all, but 5 in each
    server_processes: int = 0  # that answer requests at one port; 0: as many as cores, MOST_PROCESSES at most
    max_resource_bytes: int = 10_000_000  # the largest object a CalDAV client may store
    # Who we are at the providers that sign in by OAuth, and where these are.
    google_client_id: str = ""
    google_client_secret: str = field(default="", repr=False)
    google_issuer: str = "https://accounts.google.com"
    google_api_url: str = "https://www.googleapis.com/calendar/v3"
    microsoft_client_id: str = ""
    microsoft_client_secret: str = field(default="", repr=False)
    microsoft_issuer: str = "https://login.microsoftonline.com/common/v2.0"
    microsoft_api_url: str = "https://graph.microsoft.com/v1.0"

    def __post_init__(self) -> None:
        defaults = {
            "database_url": f"sqlite:///{self.data / 'bridge.sqlite'}",
            "queue_url": f"sqlite:///{self.data / 'queue.sqlite'}",
            "key_file": self.data / "master.key",
        }
        for name, value in defaults.items():
            if getattr(self, name) in ("", Path()):
                object.__setattr__(self, name, value)

    @property
    def processes(self) -> int:
        """How many processes answer requests."""
        return self.server_processes or min(_cores(), MOST_PROCESSES)

    @property
    def threads(self) -> int:
        """How many requests each of them answers at a time. More than a few get in each other's way."""
        return self.server_threads or max(5, 10 // self.processes)

    @classmethod
    def load(cls, data: str | None, config: str | None, environ: Mapping[str, str]) -> Settings:
        """Read and check. Raises Invalid, naming the setting, where it was found, and what is wanted."""
        config = config or environ.get(PREFIX + "CONFIG") or None
        found: dict[str, Any] = {}
        wrong: list[str] = []

        def take(name: str, where: str, value: Any) -> None:
            try:
                found[name] = _CHECKS[name](where, value)
            except Invalid as error:
                wrong.append(str(error))

        for name, value in (_read_file(Path(config)) if config else {}).items():
            if name in _CHECKS:
                take(name, f"{name} in {config}", value)
            else:
                known = get_close_matches(name, _CHECKS, 1)
                hint = f"Did you mean “{known[0]}”?" if known else "config/bridge.toml shows all there are."
                wrong.append(f"The settings file {config} has an unknown setting “{name}”. {hint}")
        for name in _CHECKS:
            variable = PREFIX + name.upper()
            if value := environ.get(variable):
                take(name, variable, value)
            elif file := environ.get(variable + "_FILE"):
                try:
                    take(name, f"The content of {file}", Path(file).read_text("utf-8").strip())
                except (OSError, UnicodeDecodeError) as error:
                    why = error.strerror if isinstance(error, OSError) else "it is no text"
                    wrong.append(f"{variable}_FILE names {file}, which cannot be read: {why}.")
        if data:
            found["data"] = _path("--data", data)
        if found.get("smtp_url") and not found.get("mail_from"):
            wrong.append(f"With {PREFIX}SMTP_URL, say who mails come from: {PREFIX}MAIL_FROM.")
        if wrong:
            raise Invalid(" ".join(wrong))
        found.setdefault("data", _default_data(environ))
        return cls(**found)


def _cores() -> int:
    """Those this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except (AttributeError, OSError):  # not everywhere, and not in every sandbox
        return os.cpu_count() or 1


def _default_data(environ: Mapping[str, str]) -> Path:
    """The user's data home (XDG Base Directory), so that no two users of a machine share one."""
    home = environ.get("XDG_DATA_HOME")
    return (Path(home) if home else Path.home() / ".local" / "share") / "picsello-bridge"


def _read_file(path: Path) -> dict[str, Any]:
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Invalid(f"The settings file {path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Invalid(f"The settings file {path} is not valid TOML: {error}.") from error
    return values


def _text(where: str, value: Any) -> str:
    if not isinstance(value, str):
        raise Invalid(f"{where} must be text, but it is {value!r}.")
    return value.strip()


def _path(where: str, value: Any) -> Path:
    return Path(os.path.abspath(os.path.expanduser(_text(where, value))))


def _url(*schemes: str) -> Callable[[str, Any], str]:
    def check(where: str, value: Any) -> str:
        url = _text(where, value)
        scheme, colon, _ = url.partition("://")
        if not colon or scheme not in schemes:
            wanted = " or ".join(f"{scheme}://…" for scheme in schemes)
            raise Invalid(f"{where} must be an address like {wanted}.")
        return url

    return check


def _web_url(where: str, value: Any) -> str:
    return _url("http", "https")(where, value).rstrip("/")


def _public_url(where: str, value: Any) -> str:
    url = _web_url(where, value)
    parts = urlsplit(url)
    if not parts.hostname or parts.path or parts.query or parts.fragment:
        raise Invalid(f"{where} must be an origin like https://calendar.example.com, without a path.")
    return url


def _names(where: str, value: Any) -> frozenset[str]:
    """``a,b`` in the environment, ``["a", "b"]`` in the file."""
    parts = value if isinstance(value, list) else _text(where, value).split(",")
    return frozenset(name for part in parts if (name := _text(where, part).lower()))


def _networks(where: str, value: Any) -> frozenset[str]:
    """Addresses and networks: a name would never be compared with anything."""
    networks = _names(where, value)
    for network in networks:
        try:
            ip_network(network, strict=False)
        except ValueError:
            raise Invalid(
                f"{where} must be addresses like 10.0.0.5 or networks like 10.0.0.0/24, not “{network}”."
            ) from None
    return networks


def named(address: str | None, networks: frozenset[str]) -> bool:
    """Whether a numeric address is one of these, or in one of them."""
    try:
        found = ip_address((address or "").partition("%")[0])
    except ValueError:
        return False
    return any(found in network for network in _parsed(networks))


@lru_cache(maxsize=32)
def _parsed(networks: frozenset[str]) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(network, strict=False) for network in networks)


def unknown(environ: Mapping[str, str]) -> list[str]:
    """Names in the environment that look like settings of ours, but are none: a typing error, most likely."""
    known = {PREFIX + name.upper() + end for name in _CHECKS for end in ("", "_FILE")} | {PREFIX + "CONFIG"}
    ours = (name for name in environ if name.startswith(PREFIX) and not name.startswith(PREFIX + "TEST_"))
    return sorted(name for name in ours if name not in known)


def _name_servers(where: str, value: Any) -> frozenset[str]:
    servers = _names(where, value)
    for server in servers:
        if not _NAME_SERVER.fullmatch(server):
            raise Invalid(f"{where} must be addresses like 192.168.1.1 or 192.168.1.1:53, not “{server}”.")
    return servers


def _url_or(*beginnings: str) -> Callable[[str, Any], str]:
    def check(where: str, value: Any) -> str:
        text = _text(where, value)
        if not text.startswith(beginnings) or not text.isprintable():
            raise Invalid(f"{where} must begin with {' or '.join(beginnings)}.")
        return text

    return check


def _number(least: int, most: int) -> Callable[[str, Any], int]:
    def check(where: str, value: Any) -> int:
        try:
            number = int(value)
        except (TypeError, ValueError):
            number = least - 1
        if isinstance(value, (bool, float)) or not least <= number <= most:
            raise Invalid(f"{where} must be a whole number from {least} to {most}, but it is {value!r}.")
        return number

    return check


def _zero_or(check: Callable[[str, Any], int]) -> Callable[[str, Any], int]:
    """Zero leaves it to us."""
    return lambda where, value: 0 if str(value) == "0" else check(where, value)


def _one_of(*words: str) -> Callable[[str, Any], str]:
    def check(where: str, value: Any) -> str:
        word = _text(where, value).lower()
        if word not in words:
            raise Invalid(f"{where} must be one of {', '.join(words)}, but it is {value!r}.")
        return word

    return check


_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "data": _path,
    "database_url": _url("sqlite", "postgresql+psycopg", "postgresql"),
    "queue_url": _url("sqlite", "redis", "rediss"),
    "public_url": _public_url,
    "key_file": _path,
    "allow_hosts": _names,
    "name_servers": _name_servers,
    "trusted_proxies": _networks,
    "smtp_url": _url("smtp", "smtps"),
    "mail_from": _text,
    "log_format": _one_of("text", "json"),
    "log_requests": _one_of("errors", "all"),
    "log_level": _one_of("debug", "info", "warning", "error"),
    "traces": _one_of("on", "off"),
    "metrics_allow": _networks,
    "metrics_token": _text,
    "security_contact": _url_or("mailto:", "https://", "tel:"),
    "poll_seconds": _number(10, 86_400),
    "history_days": _number(7, 3650),
    "changes_days": _number(7, 3650),
    "push": _one_of("auto", "on", "off"),
    "worker_threads": _number(1, 64),
    "server_threads": _zero_or(_number(2, 256)),
    "server_processes": _zero_or(_number(1, 64)),
    "max_resource_bytes": _number(SMALLEST_RESOURCE, 1_000_000_000),
    "google_client_id": _text,
    "google_client_secret": _text,
    "google_issuer": _web_url,
    "google_api_url": _web_url,
    "microsoft_client_id": _text,
    "microsoft_client_secret": _text,
    "microsoft_issuer": _web_url,
    "microsoft_api_url": _web_url,
}
assert set(_CHECKS) == {setting.name for setting in fields(Settings)}
