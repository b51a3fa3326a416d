"""Help: for each state that needs a word, what it means and what to do. The words are those of
``health_words``; a test holds the two together."""

from __future__ import annotations

import re
from dataclasses import dataclass

from flask import Blueprint, Flask, render_template, url_for
from flask.typing import ResponseReturnValue

pages = Blueprint("help", __name__, url_prefix="/help")


@dataclass(frozen=True, slots=True)
class Topic:
    """One state: ``title`` as the pages say it."""

    title: str
    means: str
    act: str

    @property
    def anchor(self) -> str:
        return re.sub(r"[^a-z]+", "-", self.title.lower()).strip("-")


TOPICS = (
    Topic(
        "Needs you to sign in again",
        "The provider refused the password twice: it was changed, or an app password was taken back. "
        "Nothing is lost; everything that changed meanwhile is carried over once you are signed in.",
        "Open Calendar settings and sign in again there. Apple and some others want an app password, not the "
        "one you use on their website.",
    ),
    Topic(
        "Waits for the sign-in",
        "This calendar is fine, but its account needs you to sign in again.",
        "Sign in at the account; this calendar goes on by itself.",
    ),
    Topic(
        "Having trouble",
        "The provider does not answer, or asks us to be slower. That happens to all of them now and then.",
        "Nothing: we try again by ourselves, at growing distances. “Sync now” tries at once.",
    ),
    Topic(
        "Trying again",
        "The last try at this calendar failed; the reason stands beside it.",
        "Nothing, unless it stays for more than a day. Then see whether you can open the calendar at its "
        "provider.",
    ),
    Topic(
        "Stopped",
        "The provider refuses the account for a reason that time does not heal; it stands beside it.",
        "Do what the reason says, then press “Sync now”. If that does not help, disconnect and connect anew: "
        "bookings are found again, not doubled.",
    ),
    Topic(
        "Waits for your OK",
        "A sync would delete unusually much at once, so it stopped before doing so. A calendar may have been "
        "emptied by mistake, or on purpose.",
        "Look at the list. If the deletions are right, let it go on; if not, put the events back where they "
        "vanished, then press “Sync now”.",
    ),
    Topic(
        "Not started",
        "Your choice of calendars is saved, and nothing was written yet.",
        "Look at the plan, then press “Start syncing”.",
    ),
    Topic(
        "Stopped by you",
        "You stopped the sync. What was done until then stays, on both sides; nothing more is done.",
        "Press “Go on” when you like. It takes up where it ended, and nothing is done twice.",
    ),
    Topic(
        "No longer at the provider",
        "The calendar was deleted there, or is no longer shared with you. What was mirrored stays.",
        "Choose another calendar in its place, or restore it at the provider.",
    ),
    Topic(
        "May not be changed by us",
        "The provider lets us read this calendar, but refuses our changes.",
        "Give yourself the right to change events in that calendar, at the provider; or choose another "
        "calendar for your bookings.",
    ),
    Topic(
        "Waiting",
        "Something stands in the way of the next sync; the reason stands beside the calendar.",
        "Do what the reason says. If there is none, wait a few minutes.",
    ),
)
_BY_TITLE = {topic.title: topic for topic in TOPICS}


def address(words: str) -> str | None:
    """Where a state of these words is explained, if it is."""
    topic = _BY_TITLE.get(words)
    return url_for("help.show", _anchor=topic.anchor) if topic else None


def install(app: Flask) -> None:
    """Offer ``help_for(words)`` to templates."""
    app.template_global("help_for")(address)


@pages.get("")
def show() -> ResponseReturnValue:
    """Every topic."""
    return render_template("help.html", topics=TOPICS)
