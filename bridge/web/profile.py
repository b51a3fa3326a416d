"""The visitor's own settings: time zone, what calendar apps may do to bookings, password; and the very first
sign-up on a server that knows nobody yet."""

from __future__ import annotations

from zoneinfo import available_timezones

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from bridge.errors import AlreadyThere, Invalid
from bridge.service import people
from bridge.web import forms, session
from bridge.web.security import limiter, the_bridge
from bridge.web.session import visitor

pages = Blueprint("profile", __name__, url_prefix="/profile")

#: Each try may be a guess of the old password, by whoever found the browser open.
TRIES = "10 per 15 minutes"


def _who() -> str:
    return f"user:{visitor().user.id}"


@pages.get("")
def show() -> ResponseReturnValue:
    """Both forms."""
    return _page()


@pages.post("")
def save() -> ResponseReturnValue:
    """Time zone and rules."""
    me, form = visitor().user, forms.Profile()
    if not form.validate():
        return _page(profile=form), 422
    try:
        people.set_user(
            the_bridge(),
            me.email,
            time_zone=form.time_zone.data if form.time_zone.data != me.time_zone else None,
            on_delete=form.on_delete.data,
            on_move=form.on_move.data,
        )
    except Invalid as error:
        form.time_zone.errors = [str(error)]
        return _page(profile=form), 422
    flash("Your settings are saved.")
    return redirect(url_for("profile.show"), 303)


@pages.post("/password")
@limiter.limit(TRIES, key_func=_who)
def password() -> ResponseReturnValue:
    """A new password: every other browser is signed out."""
    me, form, bridge = visitor().user, forms.NewPassword(), the_bridge()
    if not form.validate():
        return _page(password=form), 422
    if people.check_password(bridge, me.email, form.old.data) is None:
        form.old.errors = ["That is not your present password."]
        return _page(password=form), 422
    session.begin(people.set_user(bridge, me.email, password=form.new.data))
    flash("Your password is changed. Every other browser is signed out; devices keep their own passwords.")
    return redirect(url_for("profile.show"), 303)


def _page(profile: forms.Profile | None = None, password: forms.NewPassword | None = None) -> str:
    me = visitor().user
    if profile is None:
        profile = forms.Profile(
            formdata=None, time_zone=me.time_zone, on_delete=me.on_delete, on_move=me.on_move
        )
    password = password or forms.NewPassword(formdata=None)
    return render_template("profile.html", profile=profile, password=password, zones=zones())


def zones() -> list[str]:
    """What the field for a time zone suggests."""
    return sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith("Etc/"))


# --- the first visit ------------------------------------------------------------------------------------

first_visit = Blueprint("welcome", __name__, url_prefix="/welcome")


@first_visit.get("")
def ask() -> ResponseReturnValue:
    """Who are you?"""
    if people.list_users(the_bridge()):
        return redirect(url_for("signin.show"))
    return _welcome(forms.Welcome(formdata=None, time_zone=people.machine_zone()))


@first_visit.post("")
@limiter.limit("20 per hour")
def create() -> ResponseReturnValue:
    """The first user, signed in at once. There is only one first."""
    bridge, form = the_bridge(), forms.Welcome()
    if people.list_users(bridge):
        return redirect(url_for("signin.show"), 303)
    if not form.validate():
        return _welcome(form), 422
    try:
        zone = form.time_zone.data
        user = people.add_user(bridge, form.email.data, time_zone=zone, password=form.password.data)
    except (Invalid, AlreadyThere) as error:
        (form.time_zone if "time zone" in str(error) else form.email).errors = [str(error)]
        return _welcome(form), 422
    session.begin(user)
    flash("Welcome! Next, connect the calendar you already use, or add a phone.")
    return redirect(url_for("calendar_settings.show"), 303)


def _welcome(form: forms.Welcome) -> str:
    return render_template("welcome.html", form=form, zones=zones())
