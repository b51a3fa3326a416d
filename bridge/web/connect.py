"""Connect an account at a provider, and sign in again where a sign-in stopped working.

Where the user signs in on the provider's own page, the way there is a link and not a form: our content
security policy lets a form lead nowhere else. The way back is ``oauth``.

What was typed stays when something is wrong, except the password; the sentence stands beside the field that
it is about.
"""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue

from bridge import errors, providers
from bridge.providers.detect import UNKNOWN, detect
from bridge.providers.names import Names
from bridge.service import accounts, oauth
from bridge.web import calendar_settings, forms, own
from bridge.web.security import limiter, the_bridge
from bridge.web.session import visitor

pages = Blueprint("connect", __name__, url_prefix="/calendar/settings")

#: Every try is a sign-in somewhere else: this server must not become a tool for guessing passwords there.
TRIES = "30 per 15 minutes"

#: Listed at once; all others under "More providers".
USUAL = ("google", "microsoft", "icloud", "fastmail", "caldav", "ics")

#: In the session while somebody is away to allow that a calendar is made: in which account.
MAKING = "making"

CONNECTED_ALREADY = "This account is connected already: you find it in Calendar settings."


def _who() -> str:
    return f"user:{visitor().user.id}"


@pages.get("/connect")
@limiter.limit(TRIES, key_func=_who)
def choose() -> ResponseReturnValue:
    """Which provider? Guessed from ``address``, if one was typed; the guess can always be overruled."""
    kinds = sorted(providers.KINDS.items(), key=lambda kind: not kind[1].start)  # "another server" comes last
    form = forms.Detect(request.args, meta={"csrf": False})
    found = None
    if form.address.data:
        try:
            found = detect(form.address.data, Names(the_bridge().settings.name_servers))
        except errors.Invalid as error:
            form.address.errors = [str(error)]
    return render_template(
        "connect_choose.html", kinds=kinds, usual=USUAL, form=form, found=found, unknown=UNKNOWN
    )


@pages.get("/connect/<kind>")
def ask(kind: str) -> ResponseReturnValue:
    """The form, in that provider's words."""
    if _kind(kind).oauth:
        return render_template("connect_there.html", kind=_kind(kind), name=kind)
    username = request.args.get("username", visitor().user.email)[:254]
    form = forms.Connect(formdata=None, username=username, url=request.args.get("url", "")[:2000])
    return _page(kind, _fitting(form, kind))


@pages.post("/connect/<kind>")
@limiter.limit(TRIES, key_func=_who)
def submit(kind: str) -> ResponseReturnValue:
    """Sign in there and list the calendars; only then is anything kept."""
    form = _fitting(forms.Connect(), kind)
    if not _kind(kind).start and not (form.url.data or ""):
        form.validate()
        form.url.errors = [
            "Please type the address of the calendar server, such as https://cloud.example.com."
        ]
        return _page(kind, form), 422
    if not form.validate():
        return _page(kind, form), 422
    bridge, me = the_bridge(), visitor().user
    url = None if _kind(kind).start else form.url.data
    try:
        accounts.check_kind(bridge, me.email, kind, url)
        added = accounts.add(
            bridge,
            me.email,
            kind,
            url=url,
            username=form.data.get("username"),
            secret=form.data.get("password", ""),
        )
    except errors.BridgeError as error:
        _beside_its_field(form, error)
        return _page(kind, form), 422
    flash(f"Connected to {added.label}. Now choose what to do with its calendars.")
    return redirect(url_for("roles.choose", account=added.account_id), 303)


@pages.get("/connect/<kind>/leave")
@limiter.limit(TRIES, key_func=_who)
def leave(kind: str) -> ResponseReturnValue:
    """To the provider's own page, for a new account."""
    return _leave(kind, None)


@pages.get("/accounts/<int:account>/sign-in/leave")
@limiter.limit(TRIES, key_func=_who)
def leave_again(account: int) -> ResponseReturnValue:
    """To the provider's own page, for an account whose sign-in ended there."""
    row = own.account(account)
    return _leave(row.provider, row.id)


@pages.get("/accounts/<int:account>/new-calendar/leave")
@limiter.limit(TRIES, key_func=_who)
def leave_to_make(account: int) -> ResponseReturnValue:
    """To the provider's own page, to allow that a calendar is made there."""
    row = own.account(account)
    return _leave(row.provider, row.id, to_make=True)


def _leave(kind: str, account: int | None, *, to_make: bool = False) -> ResponseReturnValue:
    cookie.pop(MAKING, None)
    try:
        waiting = oauth.begin(
            the_bridge(), visitor().user.id, kind, account_id=account, by_browser=True, to_make=to_make
        )
    except (errors.ProviderError, errors.Refused) as error:
        flash(str(error), "bad")
        return redirect(url_for("calendar_settings.show"), 303)
    if to_make:
        cookie[MAKING] = account
    return redirect(waiting.url, 302)


@pages.post("/accounts/<int:account>/sign-in")
@limiter.limit(TRIES, key_func=_who)
def sign_in_again(account: int) -> ResponseReturnValue:
    """A new password for an account whose old one stopped working."""
    row, form = own.account(account), forms.SignInAgain()
    if not form.validate():
        return calendar_settings.page(form, row.id, 422)
    try:
        accounts.sign_in(the_bridge(), row.id, form.password.data)
    except errors.BridgeError as error:
        form.password.errors = [str(error)]
        return calendar_settings.page(form, row.id, 422)
    flash(f"Signed in again at {row.label}. Syncing goes on.")
    return redirect(url_for("calendar_settings.show"), 303)


def _kind(name: str) -> providers.Kind:
    if name not in providers.KINDS:
        raise errors.NotFound("There is no such provider.")
    return providers.KINDS[name]


def _fitting(form: forms.Connect, kind: str) -> forms.Connect:
    """The form without what this kind does not ask for: a published calendar wants its address alone."""
    if _kind(kind).read_only:
        del form.username, form.password
    return form


def _page(kind: str, form: forms.Connect) -> str:
    return render_template("connect.html", kind=_kind(kind), name=kind, form=form)


def _beside_its_field(form: forms.Connect, error: errors.BridgeError) -> None:
    match error:
        case _ if form.username is None:
            form.url.errors = [CONNECTED_ALREADY if isinstance(error, errors.AlreadyThere) else str(error)]
        case errors.SignInNeeded():
            form.password.errors = [str(error)]
        case errors.AlreadyThere():
            form.username.errors = [CONNECTED_ALREADY]
        case errors.Unreachable() | errors.NotACalendarServer() | errors.Blocked() | errors.Invalid():
            form.url.errors = [str(error)]
        case _:
            form.form_errors.append(str(error))
