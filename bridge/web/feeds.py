"""1-way sync: the links that others subscribe to; make, copy, renew and remove them."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from bridge.errors import AlreadyThere, Invalid
from bridge.service import feeds
from bridge.web import forms
from bridge.web.security import the_bridge
from bridge.web.session import now, visitor

#: The window of a link.
PAST = {"1": "from a month back", "3": "from three months back", "12": "from a year back"}
AHEAD = {
    "all": "all that is coming",
    "12": "a year ahead",
    "6": "six months ahead",
    "3": "three months ahead",
}

pages = Blueprint("feeds", __name__, url_prefix="/calendar/feeds")


@pages.get("")
def show() -> ResponseReturnValue:
    """The links there are, and the form for one more."""
    return _page(forms.Feed(formdata=None, detail="full", past="12", ahead="all"))


@pages.post("")
def add() -> ResponseReturnValue:
    """Make a link."""
    form = forms.Feed()
    if not form.validate():
        return _page(form), 422
    try:
        feeds.add(the_bridge(), visitor().user.email, form.name.data, _shows(form))
    except (Invalid, AlreadyThere) as error:
        form.name.errors = [str(error)]
        return _page(form), 422
    flash("The link is ready. Copy it, or add it to a calendar right here.")
    return redirect(url_for("feeds.show"), 303)


@pages.post("/<int:feed>/change")
def change(feed: int) -> ResponseReturnValue:
    """Let a link show more or less, under the same address."""
    form = forms.FeedShows()
    if not form.validate():
        raise Invalid("Please choose what the link shows.")
    row = feeds.change(the_bridge(), visitor().user.email, feed, _shows(form))
    flash(f"“{row.name}” is changed. Whoever subscribed to it sees that within hours.")
    return redirect(url_for("feeds.show"), 303)


@pages.post("/<int:feed>/renew")
def renew(feed: int) -> ResponseReturnValue:
    """Another address for the same link."""
    made = feeds.rotate(the_bridge(), visitor().user.email, feed)
    flash(f"“{made.row.name}” has a new address. The old one shows nothing any more.")
    return redirect(url_for("feeds.show"), 303)


@pages.post("/<int:feed>/remove")
def remove(feed: int) -> ResponseReturnValue:
    """Take it back."""
    row = feeds.revoke(the_bridge(), visitor().user.email, feed)
    flash(f"“{row.name}” is removed. Whoever subscribed to it sees nothing new any more.")
    return redirect(url_for("feeds.show"), 303)


def _shows(form: forms.FeedShows) -> feeds.Shows:
    ahead = None if form.ahead.data == "all" else int(form.ahead.data)
    return feeds.Shows(form.detail.data, int(form.past.data), ahead)


def subscribe_addresses(url: str, name: str) -> list[tuple[str, str]]:
    """``(calendar, address)``: where each big calendar takes a subscription."""
    webcal = "webcal://" + url.partition("://")[2]
    outlook = f"https://outlook.live.com/calendar/0/addfromweb?url={quote(url, '')}&name={quote(name, '')}"
    return [
        ("Apple", webcal),
        ("Google", f"https://calendar.google.com/calendar/render?cid={quote(webcal, '')}"),
        ("Outlook", outlook),
    ]


def _now(feed: feeds.Feed) -> forms.FeedShows:
    """The form for what a link shows, filled in."""
    row = feed.row
    return forms.FeedShows(
        formdata=None, detail=row.detail, past=str(row.past_months), ahead=str(row.ahead_months or "all")
    )


def _page(form: forms.Feed) -> str:
    listed = feeds.list_(the_bridge(), visitor().user.email)
    host = urlsplit(the_bridge().public_url).hostname or ""
    return render_template(
        "feeds.html",
        form=form,
        feeds=[(feed, subscribe_addresses(feed.url, feed.row.name), _now(feed)) for feed in listed],
        past_words=PAST,
        ahead_words=AHEAD,
        only_here=host in ("localhost", "127.0.0.1", "::1"),
        now=now(),
        zone=visitor().zone,
    )
