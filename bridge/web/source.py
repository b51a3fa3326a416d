"""Where the user's bookings live, and what Picsello's own retired sync left behind.

A database is named by the administrator alone, on the command line: an address typed here could be any
machine behind this server (design.md section 5). A calendar link goes through the guard.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from bridge.errors import BridgeError
from bridge.service import leftovers, sources
from bridge.store import accounts, links
from bridge.store.accounts import AccountRow
from bridge.store.links import LinkRow
from bridge.web import forms, health_words
from bridge.web.security import limiter, the_bridge
from bridge.web.session import now, visitor

pages = Blueprint("source", __name__, url_prefix="/calendar/settings")

#: Every try fetches from somewhere else.
TRIES = "30 per 15 minutes"


def _who() -> str:
    return f"user:{visitor().user.id}"


@pages.get("/source")
def show() -> ResponseReturnValue:
    """Where the bookings live now, how that is, and the other places."""
    return _page()


@pages.post("/source/studio")
def studio() -> ResponseReturnValue:
    """From now on the bookings live here."""
    sources.set_(the_bridge(), visitor().user.email, "studio")
    flash("Your bookings live here now. Nothing was deleted anywhere.")
    return redirect(url_for("source.show"), 303)


@pages.post("/source/feed")
@limiter.limit(TRIES, key_func=_who)
def feed() -> ResponseReturnValue:
    """From now on they come from Picsello's calendar link."""
    form = forms.FeedSource()
    if not form.validate():
        return _page(feed=form), 422
    chosen = {"edits": form.edits.data}
    try:
        sources.set_(the_bridge(), visitor().user.email, "feed", url=form.url.data, options=chosen)
    except BridgeError as error:
        form.url.errors = [str(error)]
        return _page(feed=form), 422
    flash("Your bookings come from Picsello's calendar link now. The first ones are on their way.")
    return redirect(url_for("source.show"), 303)


@pages.post("/source/choices")
@limiter.limit(TRIES, key_func=_who)
def choices() -> ResponseReturnValue:
    """Other choices for the Picsello database that is in use."""
    form = forms.SourceChoices()
    if not form.validate():
        return _page(choices=form), 422
    chosen = {name: form.data[name] for name in ("mode", "titles", "leads", "holds", "contact")}
    try:
        saved = sources.set_(the_bridge(), visitor().user.email, "picsello", options=chosen)
    except BridgeError as error:
        flash(str(error), "bad")
        return _page(choices=form), 422
    for sentence in saved.told:
        flash(sentence, "info")
    flash("Saved. Your bookings are read again with these choices.")
    return redirect(url_for("source.show"), 303)


@pages.get("/leftovers")
def left_behind() -> ResponseReturnValue:
    """What Picsello's own sync left in the calendars that are read."""
    me = visitor()
    return render_template("leftovers.html", leftovers=leftovers.of_user(the_bridge(), me.user.email))


@pages.post("/leftovers")
def clear() -> ResponseReturnValue:
    """Adopt or remove those that were ticked."""
    form = forms.Leftovers()
    if not form.validate() or not form.entry.data:
        flash("Tick the entries first, then choose what becomes of them.", "warn")
        return redirect(url_for("source.left_behind"), 303)
    act = leftovers.adopt if form.act.data == "adopt" else leftovers.remove
    done = act(the_bridge(), visitor().user.email, form.entry.data)
    for sentence in done.left:
        flash(sentence, "warn")
    if done.gone:
        flash("1 entry is gone there." if done.gone == 1 else f"{done.gone} entries are gone there.")
    return redirect(url_for("source.left_behind"), 303)


def _page(feed: forms.FeedSource | None = None, choices: forms.SourceChoices | None = None) -> str:
    me, at = visitor(), now()
    link: LinkRow | None
    account: AccountRow | None = None
    with the_bridge().db.reading() as tx:
        link = links.of_source(tx, me.user.id)
        if link is not None:
            account = accounts.get(tx, link.account_id)
    state = None
    if link is not None and account is not None:
        state = health_words.of_link(link, account, at, me.zone)
    kept: Mapping[str, Any] = account.profile if account is not None else {}
    return render_template(
        "source.html",
        source=me.user.source,
        link=link,
        account=account,
        state=state,
        feed=feed or forms.FeedSource(formdata=None, edits=kept.get("edits")),
        choices=choices or forms.SourceChoices(formdata=None, data=kept),
    )
