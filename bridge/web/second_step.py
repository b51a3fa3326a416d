"""The second step of signing in: turned on and off in the profile, asked for after the password.

Between password and code nobody is signed in: the session holds whose turn it is, for ten minutes, and opens
no page but this. Codes that were wrong count against the user, wherever they were typed, in all processes.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import TooManyRequests

from bridge.errors import Invalid, NotFound, StoreError
from bridge.service import attempts, audit, people, second_step
from bridge.service.attempts import Counted
from bridge.store import people as people_rows
from bridge.store.people import UserRow
from bridge.web import device_setup, forms, session
from bridge.web.security import the_bridge
from bridge.web.session import now, visitor

pages = Blueprint("second_step", __name__, url_prefix="/profile/second-step")
at_sign_in = Blueprint("sign_in_code", __name__, url_prefix="/sign-in/code")

GOOD_FOR = timedelta(minutes=10)
#: Of a million codes three are right at any moment: whoever has the password gets so many guesses.
BOUNDS = ((10, 15), (50, attempts.DAY))

WRONG = "That is not the code of this moment, nor a recovery code that is left. Try the next one in your app."


# --- after the password -------------------------------------------------------------------------------


def ask_for_code(user: UserRow, target: str) -> ResponseReturnValue:
    """The password was right: the code comes next, under a fresh session."""
    cookie.clear()
    until = int((now() + GOOD_FOR).timestamp())
    cookie["half"] = [user.id, user.session_version, until, target]
    return redirect(url_for("sign_in_code.ask"), 303)


@at_sign_in.get("")
def ask() -> ResponseReturnValue:
    """The field for the code."""
    if _whose_turn() is None:
        return redirect(url_for("signin.show"))
    return render_template("second_step_code.html", form=forms.Code(formdata=None))


@at_sign_in.post("")
def check() -> ResponseReturnValue:
    """Sign in, if the code is right."""
    form, turn, bridge = forms.Code(), _whose_turn(), the_bridge()
    if turn is None:
        flash("That took longer than ten minutes. Please sign in once more.", "info")
        return redirect(url_for("signin.show"), 303)
    user, target = turn
    if form.validate():
        counted = Counted("second step", str(user.id), BOUNDS)
        if wait := attempts.admit(bridge, counted):
            raise TooManyRequests(retry_after=wait)
        if second_step.passes(bridge, user.id, form.code.data):
            attempts.refund(bridge, counted)
            audit.sign_in(bridge, user.email, well=True)
            session.begin(user)
            return redirect(session.safe_next(target), 303)
        audit.sign_in(bridge, user.email, well=False)
        form.code.errors = [WRONG]
    return render_template("second_step_code.html", form=form), 422


def _whose_turn() -> tuple[UserRow, str] | None:
    """Who gave the right password, and where they want to go."""
    half = cookie.get("half")
    if half is None:
        return None
    user_id, version, until, target = half
    if datetime.fromtimestamp(until, UTC) < now():
        return None
    with the_bridge().db.reading() as tx:
        try:
            user = people_rows.user_by_id(tx, user_id)
        except NotFound:
            return None
    return (user, target) if user.session_version == version and user.totp is not None else None


# --- in the profile -------------------------------------------------------------------------------------


@pages.get("")
def show() -> ResponseReturnValue:
    """Set it up, or how it is."""
    return _page(forms.TurnOn(formdata=None), forms.TurnOff(formdata=None))


@pages.post("/on")
def turn_on() -> ResponseReturnValue:
    """The app shows the right code: from now on it is asked for. This answer shows the recovery codes."""
    me, form, bridge = visitor().user, forms.TurnOn(), the_bridge()
    if me.totp is not None:
        return redirect(url_for("second_step.show"), 303)
    if not form.validate():
        return _page(form, forms.TurnOff(formdata=None)), 422
    try:
        user, codes = second_step.turn_on(bridge, me.id, _offered(form), form.code.data)
    except Invalid as error:
        form.code.errors = [str(error)]
        return _page(form, forms.TurnOff(formdata=None)), 422
    session.begin(user)
    return render_template("second_step_codes.html", codes=codes)


@pages.post("/off")
def turn_off() -> ResponseReturnValue:
    """The password alone is enough again."""
    me, form, bridge = visitor().user, forms.TurnOff(), the_bridge()
    if form.validate():
        counted = Counted("second step off", str(me.id), BOUNDS)
        if wait := attempts.admit(bridge, counted):
            raise TooManyRequests(retry_after=wait)
        if people.check_password(bridge, me.email, form.password.data) is not None:
            attempts.refund(bridge, counted)
            session.begin(second_step.turn_off(bridge, me.id))
            flash("The second step is off: your password alone signs you in.")
            return redirect(url_for("profile.show"), 303)
        form.password.errors = ["That is not your password."]
    return _page(forms.TurnOn(formdata=None), form), 422


def _page(on: forms.TurnOn, off: forms.TurnOff) -> str:
    me = visitor().user
    if me.totp is not None:
        return render_template("second_step.html", off=off, left=len(me.recovery or ()))
    secret = _offered(on) if request.method == "POST" else second_step.new_secret()
    on.secret.data = the_bridge().vault.seal(secret, _bind()).decode("ascii")
    picture = device_setup.code(second_step.address(me.email, secret))
    return render_template("second_step.html", on=on, secret=secret, picture=picture)


def _offered(form: forms.TurnOn) -> str:
    """The secret that our own page offered this user; a new one for anything else."""
    try:
        return the_bridge().vault.unseal((form.secret.data or "").encode("ascii", "replace"), _bind())
    except StoreError:
        return second_step.new_secret()


def _bind() -> str:
    return f"web: second step offered to user {visitor().user.id}"
