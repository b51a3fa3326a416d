"""What waits for the user's word: changes to bookings to approve, and fields that both sides had changed."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from bridge.service import approvals, conflicts
from bridge.store import people
from bridge.web.security import the_bridge
from bridge.web.session import now, visitor
from bridge.web.words import who

pages = Blueprint("decisions", __name__)


@pages.get("/conflicts")
def show() -> ResponseReturnValue:
    """Both lists."""
    me, bridge = visitor(), the_bridge()
    with bridge.db.reading() as tx:
        devices = {str(row.id): row.name for row in people.devices(tx, me.user.id)}
    waiting = [row | {"who": who(row["actor"], devices)} for row in approvals.list_(bridge, me.user.email)]
    return render_template(
        "decisions.html",
        approvals=waiting,
        conflicts=conflicts.list_(bridge, me.user.email),
        now=now(),
        zone=me.zone,
    )


@pages.post("/conflicts/<int:conflict>/<any(ours, theirs):choice>")
def resolve(conflict: int, choice: str) -> ResponseReturnValue:
    """Let one of the two values hold on both sides."""
    flash(conflicts.resolve(the_bridge(), conflict, choice, user_id=visitor().user.id))
    return redirect(url_for("decisions.show"), 303)


@pages.post("/approvals/<int:suggestion>/<any(approve, decline):answer>")
def answer(suggestion: int, answer: str) -> ResponseReturnValue:
    """Carry a suggested change out, or leave the booking as it is."""
    act = approvals.approve if answer == "approve" else approvals.decline
    flash(act(the_bridge(), suggestion, user_id=visitor().user.id))
    return redirect(url_for("decisions.show"), 303)
