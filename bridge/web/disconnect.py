"""Disconnect an account: three choices for the bookings over there, their effect in numbers first."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from bridge import errors
from bridge.service import disconnecting
from bridge.store.accounts import AccountRow
from bridge.web import forms, own
from bridge.web.security import the_bridge

pages = Blueprint("disconnect", __name__, url_prefix="/calendar/settings/accounts/<int:account>/disconnect")


@pages.get("")
def ask(account: int) -> ResponseReturnValue:
    """The choices."""
    return _page(own.account(account), forms.Disconnect(formdata=None))


@pages.post("")
def submit(account: int) -> ResponseReturnValue:
    """Do it."""
    row, form = own.account(account), forms.Disconnect()
    if not form.validate():
        return _page(row, form), 422
    try:
        removed = disconnecting.remove(the_bridge(), row.id, pushed=form.pushed.data)
    except errors.BridgeError as error:
        form.pushed.errors = [str(error)]
        return _page(row, form), 422
    flash(f"{removed.label} is disconnected.")
    for sentence in removed.left:
        flash(sentence, "warn")
    return redirect(url_for("calendar_settings.show"), 303)


def _page(row: AccountRow, form: forms.Disconnect) -> str:
    effect = disconnecting.removal(the_bridge(), row.id)
    return render_template("disconnect.html", account=row, form=form, effect=effect)
