"""A forgotten password: ask for a link by mail, and choose a new password with it.

Where this server sends no mail, the page says who else can help. Asking gets the same answer for every
address, after the same time.
"""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import TooManyRequests

from bridge.errors import Invalid, NotFound
from bridge.service import attempts, password_reset
from bridge.service.attempts import Counted
from bridge.web import forms, session
from bridge.web.security import the_bridge

pages = Blueprint("forgotten", __name__, url_prefix="/sign-in")

#: Mails are asked for by people, seldom; nobody's mailbox is to be filled from here.
BY_CLIENT = ((10, 60),)
BY_ADDRESS = ((3, 60),)

SENT = "If {email} belongs to somebody here, a mail with a link is on its way. The link works for an hour."


@pages.get("/forgotten")
def ask() -> ResponseReturnValue:
    """The form for the address."""
    return _ask(forms.Forgotten(formdata=None))


@pages.post("/forgotten")
def send() -> ResponseReturnValue:
    """Send the link, to whom it concerns."""
    form, bridge = forms.Forgotten(), the_bridge()
    if not form.validate() or not bridge.settings.smtp_url:
        return _ask(form), 422
    email = form.email.data
    counted = (
        Counted("forgotten", request.remote_addr or "", BY_CLIENT),
        Counted("forgotten by", email, BY_ADDRESS),
    )
    if wait := attempts.admit(bridge, *counted):
        raise TooManyRequests(retry_after=wait)
    password_reset.ask(bridge, email)
    flash(SENT.format(email=email), "info")
    return redirect(url_for("signin.show"), 303)


@pages.get("/new-password/<link>")
def choose(link: str) -> ResponseReturnValue:
    """The form for the new password; opening it uses nothing up, as mail programs open links, too."""
    try:
        user = password_reset.whose(the_bridge(), link)
    except NotFound as error:
        return _too_late(error)
    form = forms.ChosenPassword(formdata=None)
    return render_template("new_password.html", form=form, link=link, email=user.email)


@pages.post("/new-password/<link>")
def chosen(link: str) -> ResponseReturnValue:
    """Set it. Whoever has a second step still needs it, so one signs in as always."""
    form = forms.ChosenPassword()
    try:
        user = password_reset.whose(the_bridge(), link)
        if form.validate():
            password_reset.choose(the_bridge(), link, form.new.data)
            session.end()
            flash("Your new password is set. Sign in with it now.")
            return redirect(url_for("signin.show"), 303)
    except NotFound as error:
        return _too_late(error)
    except Invalid as error:
        form.new.errors = [str(error)]
    return render_template("new_password.html", form=form, link=link, email=user.email), 422


def _ask(form: forms.Forgotten) -> str:
    return render_template("forgotten.html", form=form, mails=bool(the_bridge().settings.smtp_url))


def _too_late(error: NotFound) -> ResponseReturnValue:
    flash(str(error), "bad")
    return redirect(url_for("forgotten.ask"), 303)
