"""The provider table: one row a kind, with where sign-in starts and the words that its form needs.

The rows are data (``kinds.toml``). What a server can do is not written there but found out
(``bridge.ports.Capabilities``); a row is for what no request can tell.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType

PASSWORD = "password"  # noqa: S105 (what a form calls it)
APP_PASSWORD = "app-specific password"  # noqa: S105 (what a form calls it)
ADDRESS = "address"  # it is its own secret
OAUTH = "oauth"  # nothing to type here: the user signs in on the provider's own page


@dataclass(frozen=True, slots=True)
class Kind:
    """One row. ``start``: where discovery begins, empty where the user has to say. ``path``: what then
    follows the host that was typed. ``secret``: what the form calls the password. ``help``: where to get
    one. ``note``: what to know before signing in. ``domains``: mail domains whose calendars are surely
    there. ``mx``: ends of the names of its mail servers. ``package``: who speaks to it. ``every``: the
    seconds between two requests that it asks for. ``per_minute``: the requests of one account that it allows
    in a minute; 0: it does not say."""

    label: str
    start: str = ""
    path: str = ""
    secret: str = PASSWORD
    help: str = ""
    note: str = ""
    domains: frozenset[str] = frozenset()
    mx: frozenset[str] = frozenset()
    package: str = "caldav"
    every: float = 0.0
    per_minute: int = 0

    @property
    def read_only(self) -> bool:
        """Whether there is nothing to sign in to: an address that can be read."""
        return self.secret == ADDRESS

    @property
    def oauth(self) -> bool:
        """Whether the user signs in on the provider's own page."""
        return self.secret == OAUTH

    def begin(self, typed: str) -> str:
        """Where discovery begins, given what the user typed; empty if that is nothing."""
        typed = typed.strip() or self.start
        scheme, separator, rest = typed.rpartition("://")
        host = rest.rstrip("/")
        if not typed or not self.path or "/" in host:
            return typed
        if not separator:
            host = host.rpartition("@")[2]  # a mail address stands for its domain (RFC 6764 section 6)
        port, slash, path = self.path.partition("/")
        named = host.rpartition(":")[2].isdigit()
        return f"{scheme}{separator}{host}{'' if named else port}{slash}{path}"


def _read() -> Mapping[str, Kind]:
    rows = tomllib.loads(files(__package__).joinpath("kinds.toml").read_text(encoding="utf-8"))
    lists = ("domains", "mx")
    return MappingProxyType(
        {
            name: Kind(**{**row, **{key: frozenset(row.get(key, ())) for key in lists}})
            for name, row in rows.items()
        }
    )


#: Kind's name to its row, in the order of the table.
KINDS = _read()
