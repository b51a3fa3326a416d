"""Programs: API tokens, webhooks, and the log of who changed what may be done in one's name."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from bridge.errors import AlreadyThere, BridgeError, Invalid
from bridge.service import audit, people, tokens, webhooks
from bridge.web import forms, words
from bridge.web.security import the_bridge
from bridge.web.session import now, visitor

pages = Blueprint("programs", __name__, url_prefix="/programs")

#: How much of the log one page shows.
LAST = 200


@pages.get("")
def show() -> ResponseReturnValue:
    """The tokens and webhooks there are, and the forms for more."""
    return _page()


@pages.post("/tokens")
def add_token() -> ResponseReturnValue:
    """Make a token. This answer shows it; nothing keeps it, and a reload can't repeat it."""
    form = forms.Token()
    if not form.validate():
        return _page(token=form), 422
    try:
        made = tokens.add(the_bridge(), visitor().user.email, form.name.data, form.scopes.data)
    except (Invalid, AlreadyThere) as error:
        form.name.errors = [str(error)]
        return _page(token=form), 422
    return render_template("token_added.html", name=made.row.name, token=made.token)


@pages.post("/tokens/<int:token>/revoke")
def revoke(token: int) -> ResponseReturnValue:
    """Take it back."""
    row = tokens.revoke(the_bridge(), visitor().user.email, token)
    flash(f"“{row.name}” no longer lets anybody in.")
    return redirect(url_for("programs.show"), 303)


@pages.post("/webhooks")
def add_webhook() -> ResponseReturnValue:
    """Tell an address from now on."""
    form = forms.Webhook()
    if not form.validate():
        return _page(webhook=form), 422
    try:
        webhooks.add(the_bridge(), visitor().user.email, form.url.data)
    except BridgeError as error:
        form.url.errors = [str(error)]
        return _page(webhook=form), 422
    flash("It is told from now on whenever a booking changes.")
    return redirect(url_for("programs.show"), 303)


@pages.post("/webhooks/<int:webhook>/remove")
def remove(webhook: int) -> ResponseReturnValue:
    """Tell it nothing any more."""
    row = webhooks.remove(the_bridge(), visitor().user.email, webhook)
    flash(f"{row.url} is told nothing any more.")
    return redirect(url_for("programs.show"), 303)


@pages.get("/log")
def log() -> ResponseReturnValue:
    """Who signed in, and who changed devices, tokens, accounts and rules."""
    bridge, me = the_bridge(), visitor()
    devices = {str(row.id): f"the device “{row.name}”" for row in people.list_devices(bridge, me.user.email)}
    rows = [
        row | {"who": words.who(row["actor"], devices)} for row in audit.list_(bridge, me.user.email, LAST)
    ]
    return render_template("audit.html", rows=rows, now=now(), zone=me.zone)


def _page(token: forms.Token | None = None, webhook: forms.Webhook | None = None) -> str:
    bridge, me = the_bridge(), visitor()
    return render_template(
        "programs.html",
        token=token or forms.Token(formdata=None),
        webhook=webhook or forms.Webhook(formdata=None),
        scopes=tokens.SCOPES,
        tokens=tokens.list_(bridge, me.user.email),
        webhooks=webhooks.list_(bridge, me.user.email),
        now=now(),
        zone=me.zone,
    )
