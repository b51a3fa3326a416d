"""Providers: where a user's other calendars live. One table row, one file (or package) each.

``KINDS`` is the table (``kinds.py``). The first contact is ``sign_in`` where a password is typed, ``begin``
and ``finish`` where the user signs in on the provider's own page (``oauth``); every later one is
``connect``. All give nothing but the port of ``bridge.ports``. Which kind an address belongs to is left to
``detect``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast

from bridge.errors import Invalid
from bridge.ports import Provider, RemoteCalendar
from bridge.providers.kinds import KINDS, Kind

if TYPE_CHECKING:
    from bridge.providers.oauth import App, Begun, Identity, Session, Terms
    from bridge.providers.pace import Turns


class AccountLike(Protocol):
    """What of an account's row is needed to call its provider."""

    @property
    def provider(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def username(self) -> str: ...


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A first contact that went well: what the account's row should remember, and what it can choose from.
    ``secret`` is to be kept in place of the password that was typed, where there is such a thing."""

    home_url: str
    label: str
    profile: dict[str, Any]
    calendars: list[RemoteCalendar]
    secret: str | None = None


def sign_in(kind: str, url: str, username: str, password: str, allow_hosts: Iterable[str] = ()) -> SignedIn:
    """Find the calendars behind an address, and list them.

    ``url`` may be empty where the kind knows its own address. Raises ``Invalid`` for an unknown kind, else
    the kinds of ``bridge.errors.ProviderError``.
    """
    row = _row(kind)
    if row.oauth:
        raise Invalid(f"{row.label} takes no password of ours: sign in on its own page.")
    start = row.begin(url)
    if not start:
        raise Invalid(f"Give the address of the calendar server: {row.label} can be anywhere.")
    signed_in: SignedIn = _connection(row).first_contact(row.label, start, username, password, allow_hosts)
    return signed_in


@dataclass(frozen=True, slots=True)
class Arrived:
    """An OAuth sign-in that went well. ``identity`` says whose account it is, ``secret`` is for the vault."""

    secret: str
    identity: Identity
    signed_in: SignedIn


class OAuthPackage(Protocol):
    """What the package of an OAuth kind exports."""

    TERMS: Terms

    def identify(self, session: Session, app: App) -> Identity:
        """Who signed in."""

    def open_account(
        self,
        session: Session,
        app: App,
        profile: Mapping[str, Any],
        *,
        mail: bool,
        learnt: Callable[[Mapping[str, Any]], None],
    ) -> Provider:
        """The provider of a signed-in account; sends nothing yet."""


def begin(
    kind: str,
    app: App,
    redirect_uri: str,
    allow_hosts: Iterable[str] = (),
    hint: str = "",
    *,
    to_make: bool = False,
) -> Begun:
    """Begin a sign-in on the provider's own page; with ``to_make`` one that also allows a calendar to be made
    there. Raises ``ProviderError`` kinds."""
    from bridge.providers import oauth

    http = oauth.session_http(app, frozenset(allow_hosts))
    try:
        return oauth.begin(app, _package(kind).TERMS, redirect_uri, http, hint, to_make=to_make)
    finally:
        http.close()


def finish(
    kind: str, app: App, redirect_uri: str, allow_hosts: Iterable[str] = (), *, code: str, verifier: str
) -> Arrived:
    """What came of it: the code is turned into a secret, and the calendars are listed with it."""
    from bridge.providers import oauth

    package, label = _package(kind), KINDS[kind].label
    http = oauth.session_http(app, frozenset(allow_hosts))
    kept: list[str] = []
    try:
        kept.append(oauth.finish(app, package.TERMS, redirect_uri, http, code=code, verifier=verifier))
        session = oauth.Session(app, label, kept[0], http, kept.append)
        identity = package.identify(session, app)
        profile: dict[str, Any] = {"subject": identity.subject}
        provider = package.open_account(session, app, profile, mail=False, learnt=profile.update)
        calendars = provider.calendars()
    finally:
        http.close()
    signed_in = SignedIn("", f"{identity.name} at {label}", profile, calendars)
    return Arrived(kept[-1], identity, signed_in)


def connect(
    account: AccountLike,
    secret: str,
    *,
    allow_hosts: Iterable[str] = (),
    profile: Mapping[str, Any] | None = None,
    app: App | None = None,
    keep: Callable[[str], None] = lambda _: None,
    learnt: Callable[[Mapping[str, Any]], None] = lambda _: None,
    mail: bool = False,
    turns: Turns | None = None,
) -> Provider:
    """A provider for an account that signed in before; sends nothing yet.

    ``app``: who we are there, for an OAuth kind, whose changed secrets go to ``keep``.
    What is found out about the server later goes to ``learnt``, as the new profile. ``mail``: the provider
    may mail guests about our changes. ``turns``: when the account's requests may be made."""
    row = _row(account.provider)
    if row.oauth:
        from bridge.providers import oauth
        from bridge.providers.pace import Pace, rate_of

        assert app is not None
        pace = Pace(rate_of(account.provider), turns)
        http = oauth.session_http(app, frozenset(allow_hosts), pace)
        session = oauth.Session(app, row.label, secret, http, keep)
        package = _package(account.provider)
        return package.open_account(session, app, profile or {}, mail=mail, learnt=learnt)
    provider: Provider = _connection(row).reconnect(
        account.url, account.username, secret, allow_hosts, profile or {}, learnt, turns
    )
    return provider


def revoke(kind: str, secret: str, app: App, allow_hosts: Iterable[str] = ()) -> bool:
    """Give an OAuth sign-in back to the provider; False where it offers no such thing. Raises
    ``ProviderError`` kinds."""
    from bridge.providers import oauth

    http = oauth.session_http(app, frozenset(allow_hosts))
    try:
        return oauth.Session(app, KINDS[kind].label, secret, http, lambda _: None).revoke()
    finally:
        http.close()


def _connection(row: Kind) -> Any:
    return import_module(f"bridge.providers.{row.package}.connection")


def _package(kind: str) -> OAuthPackage:
    return cast(OAuthPackage, import_module(f"bridge.providers.{_row(kind).package}"))


def _row(kind: str) -> Kind:
    try:
        return KINDS[kind]
    except KeyError:
        raise Invalid(f"“{kind}” is no provider we know. Choose one of: {', '.join(KINDS)}.") from None


__all__ = [
    "KINDS",
    "AccountLike",
    "Arrived",
    "Kind",
    "OAuthPackage",
    "SignedIn",
    "begin",
    "connect",
    "finish",
    "revoke",
    "sign_in",
]
