"""Sign in and sign out.

A wrong address and a wrong password get the same words after the same work (``people.check_password`` hashes
either way), and both count against two limits: one by client address, a wider one by e-mail address.
"""

from __future__ import annotations

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from bridge.service import people
from bridge.web import forms, session
from bridge.web.security import limiter, the_bridge

pages = Blueprint("signin", __name__)

#: Failed attempts, not visits. Ten tries a quarter hour suit a person with several passwords in mind.
BY_CLIENT = "10 per 15 minutes; 50 per day"
BY_ADDRESS = "30 per hour"

WRONG = "This e-mail address and password do not match. Check both, then try again."


def _address() -> str:
    return "email:" + request.form.get("email", "").strip().lower()[:254]


def _failed(_response: object) -> bool:
    return bool(g.get("sign_in_failed"))


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
@limiter.limit(BY_CLIENT, deduct_when=_failed)
@limiter.limit(BY_ADDRESS, key_func=_address, deduct_when=_failed)
def submit() -> ResponseReturnValue:
    """Check the password and begin a fresh session."""
    form = forms.SignIn()
    user = None
    if form.validate():
        bridge = the_bridge()
        user = people.check_password(bridge, form.email.data, form.password.data)
        if user is None:
            g.sign_in_failed = True
            form.password.errors = [WRONG]
    if user is None:
        return render_template("sign_in.html", form=form), 422
    session.begin(user)
    return redirect(session.safe_next(form.next.data), 303)


@pages.post("/sign-out")
def leave() -> ResponseReturnValue:
    """End the session of this browser."""
    session.end()
    flash("You are signed out.")
    return redirect(url_for("signin.show"), 303)
