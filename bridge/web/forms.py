"""The forms: which fields a page accepts, and the first, form-only check of what was typed.

A field that is not declared here is never read, whatever a request sends. What the values mean is checked
by the services, whose sentences are put beside the field they concern.
"""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    HiddenField,
    PasswordField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
)
from wtforms.validators import DataRequired, EqualTo, InputRequired, Length

_NAME = Length(max=254, message="That is longer than any user name we know.")
_SECRET = Length(max=1024, message="That is longer than any password we accept.")


def _trim(value: str | None) -> str | None:
    return value.strip() if value else value


class SignIn(FlaskForm):  # type: ignore[misc]
    """E-mail address and password of a person."""

    email = StringField("E-mail address", [DataRequired("Please type your e-mail address."), _NAME], [_trim])
    password = PasswordField("Password", [InputRequired("Please type your password."), _SECRET])
    next = HiddenField()


class Detect(FlaskForm):  # type: ignore[misc]
    """The address that a provider is guessed from; a question, so it travels in the page's address."""

    address = StringField("Your e-mail address there", [Length(max=254)], [_trim])


class Connect(FlaskForm):  # type: ignore[misc]
    """Where a provider is and how to sign in there. The address is not asked for where the kind knows it."""

    url = StringField("Server address", [Length(max=2000)], [_trim])
    username = StringField("User name", [DataRequired("Please type the user name."), _NAME], [_trim])
    password = PasswordField("Password", [InputRequired("Please type the password."), _SECRET])


class SignInAgain(FlaskForm):  # type: ignore[misc]
    """A new password for an account that exists."""

    password = PasswordField("Password", [InputRequired("Please type the password."), _SECRET])


class Roles(FlaskForm):  # type: ignore[misc]
    """Which remote calendars are read, which of those may be edited here, and which one is written."""

    read = SelectMultipleField(validate_choice=False)
    edit = SelectMultipleField(validate_choice=False)
    write = StringField(default="")  # a calendar's id; empty: none


class Token(FlaskForm):  # type: ignore[misc]
    """A token for a program, and what it may do."""

    name = StringField("What it is for", [DataRequired("Please give it a name."), Length(max=200)], [_trim])
    scopes = SelectMultipleField(validate_choice=False)


class Webhook(FlaskForm):  # type: ignore[misc]
    """An address that is told of changes."""

    url = StringField("Address", [DataRequired("Please type the address."), Length(max=2000)], [_trim])


class Disconnect(FlaskForm):  # type: ignore[misc]
    """What becomes of the bookings we put into the provider's calendar."""

    pushed = RadioField(
        choices=["keep", "remove-future", "remove-all"],
        validators=[InputRequired("Please choose what should happen to the bookings there.")],
    )


class Device(FlaskForm):  # type: ignore[misc]
    """The name of a device."""

    name = StringField(
        "Name of the device",
        [DataRequired("Please give the device a name, such as “My iPhone”."), Length(max=80)],
        [_trim],
    )


_START = [DataRequired("Please say when it starts."), Length(max=40)]
_END = [DataRequired("Please say when it ends."), Length(max=40)]


class Move(FlaskForm):  # type: ignore[misc]
    """Another time for an event: times, or dates of which the end is the last day. ``etag``: which version
    the user has seen."""

    start = StringField("Starts", _START, [_trim])
    end = StringField("Ends", _END, [_trim])
    etag = HiddenField()


class Block(FlaskForm):  # type: ignore[misc]
    """A time to keep free."""

    title = StringField("What for", [Length(max=500)], [_trim])
    start = StringField("From", _START, [_trim])
    end = StringField("To", _END, [_trim])
    all_day = BooleanField("Whole days")


class FeedShows(FlaskForm):  # type: ignore[misc]
    """How much a one-way link tells, and of which time."""

    detail = RadioField(choices=["full", "busy"], validators=[InputRequired("Please choose what it shows.")])
    past = SelectField("Past sessions", choices=["1", "3", "12"], default="12")
    ahead = SelectField("Coming sessions", choices=["all", "12", "6", "3"], default="all")


class Feed(FeedShows):
    """A one-way link: whom it is for, and what it shows."""

    name = StringField(
        "Who or what is it for?",
        [DataRequired("Please give the link a name, such as “Second shooter”."), Length(max=80)],
        [_trim],
    )


#: NIST SP 800-63B asks for eight; the pages of a studio's whole calendar deserve a little more.
SHORTEST_PASSWORD = 10
_NEW = [
    InputRequired("Please choose a password."),
    Length(
        min=SHORTEST_PASSWORD, message=f"Use at least {SHORTEST_PASSWORD} characters; a few words do well."
    ),
    Length(max=1024, message="That is longer than any password we accept."),
]
_ZONE = [DataRequired("Please choose your time zone, such as Europe/Berlin."), Length(max=100)]


class Profile(FlaskForm):  # type: ignore[misc]
    """A user's time zone, and what calendar apps may do to bookings."""

    time_zone = StringField("Time zone", _ZONE, [_trim])
    on_delete = RadioField(choices=["restore", "hide", "cancel"], validators=[InputRequired()])
    on_move = RadioField(choices=["apply", "approve"], validators=[InputRequired()])


class NewPassword(FlaskForm):  # type: ignore[misc]
    """The present password, and the one to come, twice."""

    old = PasswordField("Present password", [InputRequired("Please type your present password."), _SECRET])
    new = PasswordField("New password", _NEW)
    again = PasswordField(
        "New password again", [EqualTo("new", "The two do not match. Please type the new one again.")]
    )


class Forgotten(FlaskForm):  # type: ignore[misc]
    """Where a link for a new password is to go."""

    email = StringField("E-mail address", [DataRequired("Please type your e-mail address."), _NAME], [_trim])


class ChosenPassword(FlaskForm):  # type: ignore[misc]
    """A password to come, twice, for whoever has the link."""

    new = PasswordField("New password", _NEW)
    again = PasswordField(
        "New password again", [EqualTo("new", "The two do not match. Please type the new one again.")]
    )


class Code(FlaskForm):  # type: ignore[misc]
    """The second step of signing in."""

    code = StringField("Code", [DataRequired("Please type the code."), Length(max=64)], [_trim])


class TurnOn(Code):
    """The first code of an app; ``secret``: what the page offered it, sealed."""

    secret = HiddenField(validators=[Length(max=1000)])


class TurnOff(FlaskForm):  # type: ignore[misc]
    """The password, before the second step goes."""

    password = PasswordField("Your password", [InputRequired("Please type your password."), _SECRET])


class FeedSource(FlaskForm):  # type: ignore[misc]
    """Picsello's calendar link as the source of bookings, and what becomes of edits that cannot reach it."""

    url = StringField(
        "Picsello's calendar link",
        [DataRequired("Please paste the link from Picsello's calendar settings."), Length(max=2000)],
        [_trim],
    )
    edits = RadioField(choices=["local", "refuse"], default="local", validators=[InputRequired()])


class SourceChoices(FlaskForm):  # type: ignore[misc]
    """How the bookings of Picsello's database look, and whether edits reach it."""

    mode = RadioField(choices=["write", "suggest", "read"], validators=[InputRequired()])
    titles = RadioField(choices=["full", "initials"], validators=[InputRequired()])
    leads = BooleanField("Leads, as tentative")
    holds = BooleanField("Clients' own bookings that are not paid yet, until they expire")
    contact = BooleanField("The client's name and phone in the notes")


class Leftovers(FlaskForm):  # type: ignore[misc]
    """Which old copies, and what becomes of them."""

    entry = SelectMultipleField(coerce=int, validate_choice=False, default=[])
    act = RadioField(choices=["adopt", "remove"], validators=[InputRequired()])


class Welcome(FlaskForm):  # type: ignore[misc]
    """The first user of a server."""

    email = StringField(
        "Your e-mail address", [DataRequired("Please type your e-mail address."), _NAME], [_trim]
    )
    password = PasswordField("A password for these pages", _NEW)
    time_zone = StringField("Time zone", _ZONE, [_trim])
