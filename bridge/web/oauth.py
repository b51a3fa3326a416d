"""Back from signing in on a provider's own page.

Open to all, since a sign-in that was begun on the command line comes back in a browser without a session of
ours; its ``state`` decides what it may do (``bridge.service.oauth``). The way there begins in ``connect``.
"""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from flask_login import current_user

from bridge import errors
from bridge.service import oauth
from bridge.store import accounts, links
from bridge.web import roles
from bridge.web.connect import MAKING
from bridge.web.security import limiter, the_bridge
from bridge.web.session import visitor

pages = Blueprint("oauth", __name__)


@pages.get("/oauth/<kind>/callback")
@limiter.limit("30 per 15 minutes")
def come_back(kind: str) -> ResponseReturnValue:
    """With a code, or with a no."""
    me = visitor().user.id if current_user.is_authenticated else None
    making = cookie.pop(MAKING, None)
    told = request.args
    try:
        added = oauth.finish(
            the_bridge(),
            kind,
            state=told.get("state", ""),
            code=told.get("code"),
            error=told.get("error"),
            visitor=me,
        )
    except errors.BridgeError as error:
        if me is None:
            return render_template("oauth_back.html", title="That did not work", said=str(error)), 400
        flash(str(error), "bad")
        if making is not None:  # another calendar will do
            return redirect(url_for("roles.choose", account=making), 303)
        return redirect(url_for("calendar_settings.show"), 303)
    if me is None or not _owns(me, added.account_id):
        said = "You can close this window and go on where you began."
        return render_template("oauth_back.html", title=f"Connected: {added.label}", said=said)
    if making == added.account_id:
        return roles.made(added.account_id)
    if _in_use(added.account_id):
        flash(f"Signed in again at {added.label}. Syncing goes on.")
        return redirect(url_for("calendar_settings.show"), 303)
    flash(f"Connected to {added.label}. Now choose what to do with its calendars.")
    return redirect(url_for("roles.choose", account=added.account_id), 303)


def _in_use(account_id: int) -> bool:
    """Whether its calendars were chosen before."""
    with the_bridge().db.reading() as tx:
        return any(link.reads or link.writes for link in links.of_account(tx, account_id))


def _owns(user_id: int, account_id: int) -> bool:
    with the_bridge().db.reading() as tx:
        return any(row.id == account_id for row in accounts.of_user(tx, user_id))
