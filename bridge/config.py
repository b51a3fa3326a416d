"""Settings: read from the environment or one TOML file, checked once at start, never changed after.

An option given on the command line beats ``PICSELLO_BRIDGE_<NAME>`` in the environment, which beats the
file, which beats the default. The file's keys are the same names in small letters. Opening databases,
folders and keys is left to the wiring.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bridge.errors import Invalid

PREFIX = "PICSELLO_BRIDGE_"
#: The least a body limit may be: a single event with a description must fit.
SMALLEST_RESOURCE = 10_000
_NAME_SERVER = re.compile(r"(?:[0-9.]+|\[[0-9a-f:]+\])(?::\d{1,5})?", re.ASCII)


@dataclass(frozen=True)
class Settings:
    """Everything an administrator can set. Durations are in seconds, sizes in bytes."""

    data: Path
    database_url: str = ""  # filled in below: SQLite in the data folder
    queue_url: str = ""  # likewise; or redis://host:port/number
    public_url: str = ""  # in every link we print or hand out; empty: the address of the last serve
    key_file: Path = Path()  # the master key; filled in below
    allow_hosts: frozenset[str] = field(default_factory=frozenset)  # private hosts that may be contacted
    name_servers: frozenset[str] = field(default_factory=frozenset)  # for detection; empty: the system's
    trusted_proxies: frozenset[str] = field(default_factory=frozenset)  # whose X-Forwarded-* count
    smtp_url: str = ""  # smtp://[user:password@]host[:port] or smtps://…; empty: no mail is sent
    mail_from: str = ""  # the sender of mails; needed with smtp_url
    poll_seconds: int = 300  # how often a calendar is looked at when nothing happens here
    push: str = "auto"  # auto | on | off: let Google and Microsoft tell us of changes, at public_url
    worker_threads: int = 2  # passes at the same time, in one process
    server_threads: int = 10  # requests at the same time, in one process
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

    @classmethod
    def load(cls, data: str | None, config: str | None, environ: Mapping[str, str]) -> Settings:
        """Read and check. Raises Invalid, naming the setting, where it was found, and what is wanted."""
        config = config or environ.get(PREFIX + "CONFIG") or None
        found: dict[str, Any] = {}
        if config:
            for name, value in _read_file(Path(config)).items():
                found[name] = _CHECKS[name](f"{name} in {config}", value)
        for name, check in _CHECKS.items():
            if value := environ.get(PREFIX + name.upper()):
                found[name] = check(PREFIX + name.upper(), value)
        if data:
            found["data"] = _path("--data", data)
        found.setdefault("data", _default_data(environ))
        return cls(**found)


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
    for key in values:
        if key not in _CHECKS:
            known = ", ".join(sorted(_CHECKS))
            raise Invalid(f"The settings file {path} has an unknown setting “{key}”. Known are: {known}.")
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


def _name_servers(where: str, value: Any) -> frozenset[str]:
    servers = _names(where, value)
    for server in servers:
        if not _NAME_SERVER.fullmatch(server):
            raise Invalid(f"{where} must be addresses like 192.168.1.1 or 192.168.1.1:53, not “{server}”.")
    return servers


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
    "trusted_proxies": _names,
    "smtp_url": _url("smtp", "smtps"),
    "mail_from": _text,
    "poll_seconds": _number(10, 86_400),
    "push": _one_of("auto", "on", "off"),
    "worker_threads": _number(1, 64),
    "server_threads": _number(2, 256),
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
