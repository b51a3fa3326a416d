"""Which calendars of an account are read, edited and written; and the look at what that will do."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from bridge import errors
from bridge.providers import KINDS
from bridge.service import dedicated, first_sync, roles
from bridge.store import links
from bridge.store.accounts import AccountRow
from bridge.sync.report import Report
from bridge.web import forms, own
from bridge.web.security import the_bridge
from bridge.web.session import visitor

#: In place of a calendar's id: one to be made.
NEW = "a new calendar"

pages = Blueprint("roles", __name__, url_prefix="/calendar/settings/accounts/<int:account>")


@pages.get("/calendars")
def choose(account: int) -> ResponseReturnValue:
    """Ticks for reading and editing, one choice for writing."""
    row = own.account(account)
    try:
        listed = roles.calendars_of(the_bridge(), row.id)
        may_make = dedicated.can_make(the_bridge(), row.id) and not any(
            one.name == dedicated.NAME and one.writable for one in listed
        )
    except errors.ProviderError as error:
        flash(str(error), "bad")
        return redirect(url_for("calendar_settings.show"), 303)
    with the_bridge().db.reading() as tx:
        writer = links.writer(tx, visitor().user.id)
    elsewhere = writer if writer is not None and writer.account_id != row.id else None
    return render_template(
        "roles.html",
        account=row,
        calendars=listed,
        elsewhere=elsewhere,
        new=NEW if may_make else None,
        dedicated=dedicated.NAME,
    )


@pages.post("/calendars")
def save(account: int) -> ResponseReturnValue:
    """Keep the roles and show what they will do: nothing is written there before the user says so."""
    row, form = own.account(account), forms.Roles()
    bridge, write = the_bridge(), form.write.data or None
    read, edit = form.read.data or [], form.edit.data or []
    try:
        if write == NEW:
            write = dedicated.make(bridge, row.id).id
        selected = roles.select(bridge, row.id, read=read, edit=edit, write=write)
    except errors.ConsentNeeded:
        return _asked_first(row, read, edit)
    except errors.NotFound:
        flash("A calendar you chose is no longer there. Please look at your choice again.", "bad")
        return redirect(url_for("roles.choose", account=row.id), 303)
    except errors.BridgeError as error:
        flash(str(error), "bad")
        return redirect(url_for("roles.choose", account=row.id), 303)
    flash("Calendar settings saved.")
    if not selected.reports:
        return redirect(url_for("calendar_settings.show"), 303)
    return _plan(row, selected.reports)


@pages.get("/new-calendar")
def allow(account: int) -> ResponseReturnValue:
    """Why the provider asks once more before a calendar can be made there, and the way to its page."""
    row = own.account(account)
    if not KINDS[row.provider].oauth:
        raise errors.NotFound("There is nothing to allow.")
    return render_template(
        "roles_allow.html", account=row, kind=KINDS[row.provider], dedicated=dedicated.NAME
    )


def made(account_id: int) -> ResponseReturnValue:
    """Back from there: the calendar is made and chosen, and what that will do is shown."""
    try:
        dedicated.make_and_choose(the_bridge(), account_id)
    except errors.BridgeError as error:
        flash(str(error), "bad")
        return redirect(url_for("roles.choose", account=account_id), 303)
    flash(f"“{dedicated.NAME}” is there now, and your bookings will go into it.")
    return redirect(url_for("roles.preview", account=account_id), 303)


@pages.get("/preview")
def preview(account: int) -> ResponseReturnValue:
    """The plan that waits; nothing is done."""
    row = own.account(account)
    reports = first_sync.preview(the_bridge(), row.id)
    if not reports:
        return redirect(url_for("calendar_settings.show"), 303)
    return _plan(row, reports)


@pages.post("/start")
def start(account: int) -> ResponseReturnValue:
    """Let the plan go ahead."""
    row = own.account(account)
    for report in first_sync.start(the_bridge(), row.id):
        for sentence in report.errors:
            flash(sentence, "bad")
    flash("Syncing has started. You can leave this page; it goes on by itself.")
    return redirect(url_for("calendar_settings.show"), 303)


def _asked_first(row: AccountRow, read: list[str], edit: list[str]) -> ResponseReturnValue:
    """What was ticked is kept; where the bookings go stays as it was until the new calendar is there."""
    bridge = the_bridge()
    try:
        writer = next((one.id for one in roles.calendars_of(bridge, row.id) if one.writes), None)
        roles.select(bridge, row.id, read=read, edit=edit, write=writer, look=False)
    except errors.BridgeError as error:
        flash(str(error), "bad")
        return redirect(url_for("roles.choose", account=row.id), 303)
    return redirect(url_for("roles.allow", account=row.id), 303)


def _plan(row: AccountRow, reports: Sequence[Report]) -> str:
    return render_template("preview.html", account=row, reports=reports)
