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

pages = Blueprint("feeds", __name__, url_prefix="/calendar/feeds")


@pages.get("")
def show() -> ResponseReturnValue:
    """The links there are, and the form for one more."""
    return _page(forms.Feed(formdata=None, detail="full"))


@pages.post("")
def add() -> ResponseReturnValue:
    """Make a link."""
    form = forms.Feed()
    if not form.validate():
        return _page(form), 422
    try:
        feeds.add(the_bridge(), visitor().user.email, form.name.data, detail=form.detail.data)
    except (Invalid, AlreadyThere) as error:
        form.name.errors = [str(error)]
        return _page(form), 422
    flash("The link is ready. Copy it, or add it to a calendar right here.")
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


def subscribe_addresses(url: str, name: str) -> list[tuple[str, str]]:
    """``(calendar, address)``: where each big calendar takes a subscription."""
    webcal = "webcal://" + url.partition("://")[2]
    outlook = f"https://outlook.live.com/calendar/0/addfromweb?url={quote(url, '')}&name={quote(name, '')}"
    return [
        ("Apple", webcal),
        ("Google", f"https://calendar.google.com/calendar/render?cid={quote(webcal, '')}"),
        ("Outlook", outlook),
    ]


def _page(form: forms.Feed) -> str:
    listed = feeds.list_(the_bridge(), visitor().user.email)
    host = urlsplit(the_bridge().public_url).hostname or ""
    return render_template(
        "feeds.html",
        form=form,
        feeds=[(feed, subscribe_addresses(feed.url, feed.row.name)) for feed in listed],
        only_here=host in ("localhost", "127.0.0.1", "::1"),
        now=now(),
        zone=visitor().zone,
    )
