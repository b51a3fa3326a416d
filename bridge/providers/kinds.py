"""The provider table: one row a kind, with where sign-in starts and the words that its form needs.

Public facts of 2026-11, not tried on live accounts. What a server can do is not written here but found out
(``bridge.ports.Capabilities``); a row is for what no request can tell.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

PASSWORD = "password"  # noqa: S105 (what a form calls it)
APP_PASSWORD = "app-specific password"  # noqa: S105 (what a form calls it)
ADDRESS = "address"  # it is its own secret
OAUTH = "oauth"  # nothing to type here: the user signs in on the provider's own page


@dataclass(frozen=True, slots=True)
class Kind:
    """One row. ``start``: where discovery begins, empty where the user has to say. ``secret``: what the form
    calls the password. ``help``: where to get one. ``note``: what to know before signing in.
    ``domains``: mail domains whose calendars are surely there. ``package``: who speaks to it."""

    label: str
    start: str = ""
    secret: str = PASSWORD
    help: str = ""
    note: str = ""
    domains: frozenset[str] = frozenset()
    package: str = "caldav"

    @property
    def read_only(self) -> bool:
        """Whether there is nothing to sign in to: an address that can be read."""
        return self.secret == ADDRESS

    @property
    def oauth(self) -> bool:
        """Whether the user signs in on the provider's own page."""
        return self.secret == OAUTH


def _domains(*names: str) -> frozenset[str]:
    """``fastmail.com|de`` is short for two."""
    found = set()
    for name in names:
        first, _, rest = name.partition("|")
        found.add(first)
        found.update(first.split(".", 1)[0] + "." + ending for ending in rest.split("|") if rest)
    return frozenset(found)


KINDS: Mapping[str, Kind] = {
    "caldav": Kind("Another calendar server (CalDAV)"),
    "ics": Kind(
        "A published calendar (ICS address)",
        secret=ADDRESS,
        note="Its events appear here; nothing can be written there. Its address is often a secret: "
        "we keep it encrypted.",
        package="ics",
    ),
    "google": Kind(
        "Google Calendar",
        "https://accounts.google.com/",
        OAUTH,
        "https://myaccount.google.com/connections",
        "Google asks what we may see and change: your events, and the list of your calendars. Tick both.",
        _domains("gmail.com", "googlemail.com"),
        "google",
    ),
    "microsoft": Kind(
        "Outlook",
        "https://outlook.office.com/",
        OAUTH,
        "https://account.live.com/consent/Manage",
        "Microsoft 365, Outlook.com, Hotmail and Live. Some companies have to agree to it once.",
        _domains(
            "outlook.com|de|at|fr|it|es|dk|ie|be|pt|cz|com.au|com.br",
            "hotmail.com|de|fr|it|es|be|nl|se|no|dk|co.uk|com.br",
            "live.com|de|at|fr|it|nl|be|se|no|dk|ie|co.uk|com.au",
            "msn.com",
        ),
        "microsoft",
    ),
    "icloud": Kind(
        "Apple iCloud",
        "https://caldav.icloud.com/",
        APP_PASSWORD,
        "https://account.apple.com/account/manage",
        "An app-specific password opens the whole Apple account; we keep it encrypted. "
        "Changing the Apple password revokes it.",
        _domains("icloud.com", "me.com", "mac.com"),
    ),
    "fastmail": Kind(
        "Fastmail",
        "https://caldav.fastmail.com/",
        APP_PASSWORD,
        "https://app.fastmail.com/settings/security",
        domains=_domains("fastmail.com|fm|de|es|in|jp|mx|net|nl|org|se|to|uk|us|co.uk|com.au", "sent.com"),
    ),
    "mailbox-org": Kind(
        "mailbox.org",
        "https://dav.mailbox.org/",
        APP_PASSWORD,
        "https://login.mailbox.org/",
        "With two-step sign-in switched on, mailbox.org wants an app-specific password; else the usual one.",
        _domains("mailbox.org"),
    ),
    "posteo": Kind(
        "Posteo",
        "https://posteo.de:8443/",
        PASSWORD,
        "https://posteo.de/en/help",
        domains=_domains("posteo.de|at|be|ch|com|dk|es|eu|fr|it|lu|net|nl|org|pl|se|uk"),
    ),
    "gmx": Kind(
        "GMX (gmx.net, gmx.de, gmx.at, gmx.ch)",
        "https://caldav.gmx.net/",
        APP_PASSWORD,
        "https://www.gmx.net/mail/sicherheit/",
        "With two-step sign-in switched on, GMX wants an app-specific password; else the usual one. "
        "GMX is slow: it takes one request every two seconds.",
        _domains("gmx.net|de|at|ch|eu|org|info"),
    ),
    "web-de": Kind(
        "WEB.DE",
        "https://caldav.web.de/",
        APP_PASSWORD,
        "https://web.de/email/sicherheit/",
        "With two-step sign-in switched on, WEB.DE wants an app-specific password; else the usual one.",
        _domains("web.de"),
    ),
    "yahoo": Kind(
        "Yahoo",
        "https://caldav.calendar.yahoo.com/",
        APP_PASSWORD,
        "https://login.yahoo.com/account/security",
        domains=_domains(
            "yahoo.com|ca|de|es|fr|it|se|co.uk|co.in|com.au|com.br", "ymail.com", "rocketmail.com"
        ),
    ),
    "aol": Kind(
        "AOL",
        "https://caldav.aol.com/",
        APP_PASSWORD,
        "https://login.aol.com/account/security",
        domains=_domains("aol.com|de|es|fr|it|se|co.uk", "aim.com"),
    ),
    "zoho-eu": Kind(
        "Zoho (Europe)",
        "https://calendar.zoho.eu/caldav",
        APP_PASSWORD,
        "https://accounts.zoho.eu/",
        domains=_domains("zoho.eu", "zohomail.eu"),
    ),
    "zoho-com": Kind(
        "Zoho",
        "https://calendar.zoho.com/caldav",
        APP_PASSWORD,
        "https://accounts.zoho.com/",
        domains=_domains("zoho.com", "zohomail.com"),
    ),
}
