"""The calendar settings: which accounts are connected, how they are, and what waits for the user."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from bridge import providers
from bridge.service import first_sync
from bridge.store import accounts, feeds, links, notices, pairings
from bridge.store.accounts import AccountRow
from bridge.store.links import LinkRow
from bridge.web import forms, health_words, own, progress
from bridge.web.security import the_bridge
from bridge.web.session import now, visitor

pages = Blueprint("calendar_settings", __name__, url_prefix="/calendar/settings")

#: Objects with a problem that are listed per calendar; the rest is counted.
PROBLEMS_SHOWN = 10


@dataclass(frozen=True, slots=True)
class LinkView:
    """One calendar as the page shows it. ``problems``: a sentence for each object that is at odds;
    ``count``: how far a pass that is under way has come, done and to do."""

    row: LinkRow
    state: health_words.State
    roles: str
    problems: list[str]
    count: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class AccountView:
    """One account as the page shows it."""

    row: AccountRow
    kind: providers.Kind
    state: health_words.State
    links: list[LinkView]

    @property
    def stopped(self) -> bool:
        """Whether the user stopped it."""
        return any(not link.row.released and link.row.state == "stopped" for link in self.links)

    @property
    def is_source(self) -> bool:
        """Whether the bookings come from there."""
        return any(link.row.source for link in self.links)

    @property
    def to_start(self) -> bool:
        """Whether a first plan waits to be looked at."""
        return not self.stopped and any(not link.row.released and not link.row.held for link in self.links)

    @property
    def beginning(self) -> bool:
        """Whether a first sync is under way, which may be long enough to be stopped."""
        return any(link.state.tone == "busy" and link.row.agreed_at is None for link in self.links)


@pages.get("")
def show() -> ResponseReturnValue:
    """The page."""
    return page()


def page(
    again: forms.SignInAgain | None = None, again_for: int | None = None, status: int = 200
) -> ResponseReturnValue:
    """The page; ``again`` is a sign-in form with an error to show at that account."""
    me, at = visitor(), now()
    with the_bridge().db.reading() as tx:
        rows = accounts.of_user(tx, me.user.id)
        told = notices.standing(tx, me.user.id)
        shared = feeds.of_user(tx, me.user.id)
        all_links = [link for link in links.of_user(tx, me.user.id) if health_words.concerns(link)]
        problems = {
            link.id: [pair.problem for pair in pairings.unsettled(tx, link.id, given_up=True) if pair.problem]
            for link in all_links
        }
    sight = progress.look(me, at)
    views = []
    for row in rows:
        shown = []
        for link in all_links:
            if link.account_id == row.id:
                state = health_words.of_link(link, row, at, me.zone)
                count = sight.counts.get(link.id)
                shown.append(LinkView(link, state, health_words.roles(link), problems[link.id], count))
        kind = providers.KINDS.get(row.provider) or providers.Kind(row.provider)
        views.append(AccountView(row, kind, health_words.of_account(row, at, me.zone), shown))
    rendered = render_template(
        "calendar_settings.html",
        accounts=views,
        sight=sight,
        notices=told,
        feeds=shared,
        again=again,
        again_for=again_for,
        blank=forms.SignInAgain(formdata=None),
        problems_shown=PROBLEMS_SHOWN,
        now=at,
        zone=me.zone,
    )
    return rendered, status


@pages.post("/accounts/<int:account>/sync")
def sync(account: int) -> ResponseReturnValue:
    """Run its calendars as soon as the worker comes to it; a rest after failures ends, and what was given up
    is tried again."""
    row, bridge = own.account(account), the_bridge()
    with bridge.db.writing() as tx:
        asked = [link for link in links.of_account(tx, row.id) if health_words.takes_part(link)]
        accounts.set_(tx, row.id, next_try=None)
        for link in asked:
            pairings.try_again(tx, link.id)
            links.make_due(tx, link.id, now())
    for link in asked:
        bridge.enqueue(link.id)
    flash("Syncing now. This takes a few seconds.", "info")
    return redirect(url_for("calendar_settings.show"), 303)


@pages.post("/accounts/<int:account>/stop")
def stop(account: int) -> ResponseReturnValue:
    """Let nothing more be done until the user says so; what is done stays."""
    row = own.account(account)
    first_sync.stop(the_bridge(), row.id)
    flash("Stopped. What was done until now stays; press “Go on” whenever you like.", "info")
    return redirect(url_for("calendar_settings.show"), 303)


@pages.get("/calendars/<int:link>/held")
def held(link: int) -> ResponseReturnValue:
    """What a held plan would do, in sentences; nothing is done."""
    row = own.link(link)
    report = the_bridge().engine().run(row.id, dry_run=True, by_hand=True)
    return render_template("preview.html", account=own.account(row.account_id), reports=[report], held=row)


@pages.post("/calendars/<int:link>/go-on")
def go_on(link: int) -> ResponseReturnValue:
    """Let a held plan go ahead, as ``sync --confirm`` does."""
    row = own.link(link)
    report = the_bridge().engine().run(row.id, confirm=True, by_hand=True)
    for sentence in report.errors:
        flash(sentence, "bad")
    if not report.errors:
        flash(f"“{row.name}” is going on.")
    return redirect(url_for("calendar_settings.show"), 303)
