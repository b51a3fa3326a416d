"""Signing in on a provider's own page: begin, come back, wait.

``begin`` gives an address to open and remembers what is needed to finish; ``finish`` is the callback's work,
in whichever process it arrives; who began without a browser of ours (the command line) waits with
``outcome``. A sign-in makes a new account, or renews the one it belongs to: never a second one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge import providers
from bridge.config import Settings
from bridge.errors import AlreadyThere, BridgeError, NotFound, Refused
from bridge.service import Bridge, audit
from bridge.service.accounts import Added, keep_sign_in, wake
from bridge.store import accounts, oauth_requests, people
from bridge.store.accounts import AccountRow
from bridge.store.oauth_requests import RequestRow

if TYPE_CHECKING:
    from bridge.providers.oauth import App

#: What a request's outcome says when it went well.
DONE = "done"

UNKNOWN = (
    "This sign-in is not one that we began, or it took longer than a quarter of an hour. Please begin again."
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A sign-in under way: its number, and the address to open."""

    request_id: int
    url: str


def app_of(settings: Settings, kind: str) -> App | None:
    """Who we are at an OAuth provider; None for a kind that needs no such thing. Raises Refused if the
    administrator has not said it."""
    row = providers.KINDS.get(kind)
    if row is None or not row.oauth:
        return None
    told = {name: getattr(settings, f"{kind}_{name}") for name in ("issuer", "api_url", "client_id")}
    if not told["client_id"]:
        raise Refused(
            f"{row.label} is not set up on this server: the administrator registers it there and gives "
            f"PICSELLO_BRIDGE_{kind.upper()}_CLIENT_ID and PICSELLO_BRIDGE_{kind.upper()}_CLIENT_SECRET."
        )
    from bridge.providers.oauth import App

    return App(**told, client_secret=getattr(settings, f"{kind}_client_secret"))


def begin(
    bridge: Bridge,
    user_id: int,
    kind: str,
    *,
    account_id: int | None = None,
    by_browser: bool,
    to_make: bool = False,
) -> Waiting:
    """An address for the user's browser. ``account_id``: the account that is to sign in again; ``to_make``:
    and to allow that a calendar is made there.

    Raises Refused, NotFound, ProviderError kinds.
    """
    app = _app(bridge, kind)
    with bridge.db.reading() as tx:
        user = people.user_by_id(tx, user_id)
        known = None if account_id is None else accounts.mine(tx, user_id, account_id)
    redirect_uri = f"{bridge.public_url}/oauth/{kind}/callback"
    hint = known.username if known else user.email
    hosts = bridge.settings.allow_hosts
    begun = providers.begin(kind, app, redirect_uri, hosts, hint, to_make=to_make)
    state_mac = bridge.vault.mac(begun.state)
    with bridge.db.writing() as tx:
        request_id = oauth_requests.add(
            tx,
            state_mac=state_mac,
            user_id=user_id,
            provider=kind,
            account_id=account_id,
            verifier=bridge.vault.seal(begun.verifier, oauth_requests.bind(state_mac)),
            redirect_uri=redirect_uri,
            by_browser=by_browser,
            now=bridge.clock.now(),
        )
    return Waiting(request_id, begun.url)


def finish(
    bridge: Bridge, kind: str, *, state: str, code: str | None, error: str | None, visitor: int | None
) -> Added:
    """The callback: trade the code for a secret, list the calendars, and only then save.

    ``visitor`` is the user signed in to our pages, if any. Raises NotFound for a state that is unknown, used,
    too old or somebody else's, Refused and ProviderError kinds for the rest; whoever waits is told too.
    """
    from bridge.providers.oauth import denied

    request = _claimed(bridge, kind, state, visitor)
    try:
        if not code:
            raise denied(providers.KINDS[kind].label, error or "")
        verifier = bridge.vault.unseal(request.verifier, oauth_requests.bind(request.state_mac))
        app, hosts = _app(bridge, kind), bridge.settings.allow_hosts
        arrived = providers.finish(kind, app, request.redirect_uri, hosts, code=code, verifier=verifier)
        account_id = _keep(bridge, request, arrived)
    except BridgeError as failure:
        with bridge.db.writing() as tx:
            oauth_requests.end(tx, request.id, str(failure))
        raise
    return Added(account_id, arrived.signed_in.label, arrived.signed_in.calendars)


def outcome(bridge: Bridge, request_id: int) -> AccountRow | None:
    """What came of a sign-in: its account, or None while it is under way. Raises Refused with the reason if
    it failed, and when it took too long."""
    with bridge.db.reading() as tx:
        row = oauth_requests.get(tx, request_id)
        if row is None or (row.taken is None and bridge.clock.now() > row.created + oauth_requests.LIFE):
            raise Refused("Nobody came back from the sign-in page. Begin again when you have the time.")
        if row.outcome is None:
            return None
        if row.outcome != DONE or row.account_id is None:
            raise Refused(row.outcome)
        return accounts.get(tx, row.account_id)


def revoke(bridge: Bridge, row: AccountRow) -> bool:
    """Give the account's sign-in back to its provider, where it came from there; False if it has to be ended
    there by hand. Raises BridgeError kinds."""
    app = app_of(bridge.settings, row.provider)
    if app is None or row.secret is None:
        return True
    secret = bridge.vault.unseal(row.secret, accounts.bind(row.id))
    return providers.revoke(row.provider, secret, app, bridge.settings.allow_hosts)


def _app(bridge: Bridge, kind: str) -> App:
    app = app_of(bridge.settings, kind)
    if app is None:
        raise NotFound("There is no such sign-in.")
    return app


def _claimed(bridge: Bridge, kind: str, state: str, visitor: int | None) -> RequestRow:
    """The request this state belongs to, taken for good."""
    now = bridge.clock.now()
    with bridge.db.writing() as tx:
        row = oauth_requests.find(tx, bridge.vault.mac(state), now)
        # Begun on our pages: only its own user may bring it home, else somebody could be made to connect
        # their calendar to another person's account here (RFC 6749 10.12).
        if row is None or row.provider != kind or (row.by_browser and row.user_id != visitor):
            raise NotFound(UNKNOWN)
        if not oauth_requests.take(tx, row.id, now):
            raise NotFound(UNKNOWN)
    return row


def _keep(bridge: Bridge, request: RequestRow, arrived: providers.Arrived) -> int:
    """A new account, or the old one with a new secret."""
    now, subject = bridge.clock.now(), arrived.identity.subject
    with bridge.db.writing() as tx:
        mine = [row for row in accounts.of_user(tx, request.user_id) if row.provider == request.provider]
        same = next((row for row in mine if row.profile.get("subject") == subject), None)
        asked = next((row for row in mine if row.id == request.account_id), None)
        if asked is not None and (same is None or same.id != asked.id):
            raise Refused(
                f"You signed in as {arrived.identity.name}, but this is the account of {asked.username}. "
                "Choose that one on the sign-in page, or connect the other one as a new account."
            )
        if same is not None and asked is None and same.state == "healthy":
            raise AlreadyThere(f"{same.label} is connected already, as account {same.id}.")
        account_id = same.id if same else None
        if account_id is None:
            signed_in = arrived.signed_in
            account_id = accounts.create(
                tx,
                request.user_id,
                request.provider,
                label=signed_in.label,
                url=signed_in.home_url,
                username=arrived.identity.name,
                profile=signed_in.profile,
                now=now,
            )
        action = "account-signed-in" if same else "account-added"
        audit.note(bridge, tx, request.user_id, action, arrived.signed_in.label)
        learnt = same.profile if same else {}
        profile = {**learnt, **arrived.signed_in.profile}
        due = keep_sign_in(tx, bridge, account_id, arrived.secret, profile)
        oauth_requests.end(tx, request.id, DONE, account_id)
    wake(bridge, due)
    return account_id
