"""``conflicts``, ``resolve``, ``approvals``, ``approve``, ``decline``, ``undo``: what waits for the user, and
taking back what a pass did."""

from __future__ import annotations

import argparse

from bridge.cli.arguments import Calls, call
from bridge.cli.opening import opened
from bridge.cli.output import Output


def add_to(calls: Calls) -> None:
    """Declare the calls."""
    conflicts = call(calls, "conflicts", _conflicts, "what both sides had changed at once, newest first")
    conflicts.add_argument("email", metavar="EMAIL")

    resolve = call(calls, "resolve", _resolve, "settle a conflict: let one side's value hold on both")
    resolve.add_argument("conflict", metavar="CONFLICT", type=int, help="its number, as in “conflicts”")
    resolve.add_argument("choice", choices=("ours", "theirs"), help="the value here, or the one over there")

    approvals = call(calls, "approvals", _approvals, "changes to bookings that wait for approval")
    approvals.add_argument("email", metavar="EMAIL")
    for name, run, meaning in (
        ("approve", _approve, "carry out a change that waits for approval"),
        ("decline", _decline, "leave the booking as it is"),
    ):
        answer = call(calls, name, run, meaning)
        answer.add_argument("id", metavar="ID", type=int, help="its number, as in “approvals”")

    undo = call(calls, "undo", _undo, "put both sides back to what they held before a pass")
    undo.add_argument("number", metavar="PASS", type=int, help="its number, as in “journal”")


def _conflicts(options: argparse.Namespace, out: Output) -> None:
    from bridge.service import conflicts

    rows = conflicts.list_(opened(options), options.email)
    out.rows(
        rows, ("id", "title", "field", "ours", "theirs", "winner", "calendar"), "Nothing is in conflict."
    )


def _resolve(options: argparse.Namespace, out: Output) -> None:
    from bridge.service import conflicts

    said = conflicts.resolve(opened(options), options.conflict, options.choice)
    out.value({"conflict": options.conflict, "resolved": options.choice}, said)


def _approvals(options: argparse.Namespace, out: Output) -> None:
    from bridge.service import approvals

    rows = approvals.list_(opened(options), options.email)
    shown = [
        row | {"what": "; ".join(f"{one['field']}: {one['from']} → {one['to']}" for one in row["changes"])}
        for row in rows
    ]
    out.rows(shown, ("id", "title", "what", "at"), "Nothing waits for approval.")


def _approve(options: argparse.Namespace, out: Output) -> None:
    from bridge.service import approvals

    out.value({"id": options.id, "answer": "approved"}, approvals.approve(opened(options), options.id))


def _decline(options: argparse.Namespace, out: Output) -> None:
    from bridge.service import approvals

    out.value({"id": options.id, "answer": "declined"}, approvals.decline(opened(options), options.id))


def _undo(options: argparse.Namespace, out: Output) -> None:
    from bridge.service import undo

    done = undo.undo(opened(options), options.number)
    value = {"undone": options.number, "pass": done.pass_id, "uids": done.uids, "left": done.left}
    count = len(done.put_back)
    said = f"{count} event{'s are' if count != 1 else ' is'} as before pass {options.number}."
    out.value(value, said)
    if not out.json:
        for sentence in done.left:
            out.note(sentence)
