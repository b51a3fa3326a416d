"""The address of a published calendar, as people paste it.

Such an address is often a secret in itself (Google calls one so), and may need a user name and a password
beside it. So all three are kept as one secret text, and what is shown of it names the host alone.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

import httpx2

from bridge.errors import Invalid
from bridge.providers.guard import origin

#: Schemes that mean: a calendar to subscribe to, fetched over https.
SUBSCRIBE = ("webcal", "webcals", "ics", "feed")


@dataclass(frozen=True, slots=True)
class Address:
    """``url`` is what is fetched; the user name and password are not in it."""

    url: str
    username: str = ""
    password: str = ""

    @classmethod
    def read(cls, text: str, username: str = "", password: str = "") -> Address:
        """From a pasted text, which may hold a user name and password. Raises ``Invalid``, ``Blocked``."""
        text = text.strip()
        scheme, separator, rest = text.partition("://")
        if not separator:
            text = f"https://{text}"
        elif scheme.lower() in SUBSCRIBE:
            text = f"https://{rest}"
        try:
            parts = urlsplit(text)
        except ValueError:
            raise Invalid("This is not the address of a calendar. Copy it once more.") from None
        if parts.username and not password:
            username, password = unquote(parts.username), unquote(parts.password or "")
        url = parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment="").geturl()
        origin(url)  # is it one at all?
        return cls(url, username if password else "", password)

    @property
    def secret(self) -> str:
        """Everything as one text, to be kept sealed and read again."""
        if not self.password:
            return self.url
        scheme, _, rest = self.url.partition("://")
        return f"{scheme}://{quote(self.username, safe='')}:{quote(self.password, safe='')}@{rest}"

    @property
    def shown(self) -> str:
        """What may be shown: the host, and a mark that tells two addresses at it apart."""
        mark = hashlib.sha256(self.url.encode()).hexdigest()[:12]
        scheme, host, port = origin(self.url)
        plain = {"https": 443, "http": 80}[scheme] == port
        host = f"[{host}]" if ":" in host else host
        return f"{scheme}://{host}{'' if plain else f':{port}'}/#{mark}"

    @property
    def auth(self) -> httpx2.Auth | None:
        """The credentials to send; None if there are none."""
        return httpx2.BasicAuth(self.username, self.password) if self.password else None
