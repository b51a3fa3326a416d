"""Sign in and sign out.

A wrong address and a wrong password get the same words after the same work (``people.check_password`` hashes
either way), and both count against two limits that all processes share: one by client address, a wider one by
e-mail address.
"""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from werkzeug.exceptions import TooManyRequests

from bridge.service import attempts, audit, people
from bridge.service.attempts import Counted
from bridge.store.people import UserRow
from bridge.web import forms, second_step, session
from bridge.web.security import the_bridge

pages = Blueprint("signin", __name__)

#: Failed attempts, not visits. Ten tries a quarter hour suit a person with several passwords in mind.
BY_CLIENT = ((10, 15), (50, attempts.DAY))
BY_ADDRESS = ((30, 60),)

WRONG = "This e-mail address and password do not match. Check both, then try again."


@pages.get("/sign-in")
def show() -> ResponseReturnValue:
    """The form; whoever is signed in already goes where they wanted."""
    target = session.safe_next(request.args.get("next"))
    if current_user.is_authenticated:
        return redirect(target)
    if not people.list_users(the_bridge()):
        return redirect(url_for("welcome.ask"))
    return render_template("sign_in.html", form=forms.SignIn(formdata=None, next=target))


@pages.post("/sign-in")
def submit() -> ResponseReturnValue:
    """Check the password and begin a fresh session."""
    form = forms.SignIn()
    user = None
    if form.validate():
        user = checked(form.email.data, form.password.data)
        if user is None:
            form.password.errors = [WRONG]
    if user is None:
        return render_template("sign_in.html", form=form), 422
    target = session.safe_next(form.next.data)
    if user.totp is not None:
        return second_step.ask_for_code(user, target)
    session.begin(user)
    return redirect(target, 303)


def checked(email: str, password: str) -> UserRow | None:
    """Whose password it is, if the bounds let it be tried. Raises TooManyRequests."""
    bridge = the_bridge()
    counted = (
        Counted("pages", request.remote_addr or "", BY_CLIENT),
        Counted("pages of", email, BY_ADDRESS),
    )
    wait = attempts.admit(bridge, *counted)
    if wait:
        raise TooManyRequests(retry_after=wait)
    user = people.check_password(bridge, email, password)
    if user is not None:
        attempts.refund(bridge, *counted)
    if user is None or user.totp is None:  # else nobody is in yet
        audit.sign_in(bridge, email, well=user is not None)
    return user


@pages.post("/sign-out")
def leave() -> ResponseReturnValue:
    """End the session of this browser."""
    session.end()
    flash("You are signed out.")
    return redirect(url_for("signin.show"), 303)
