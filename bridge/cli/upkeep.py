"""``doctor`` and ``demo``: is everything well, and something to look at."""

from __future__ import annotations

import argparse

from bridge.cli.arguments import Calls, call
from bridge.cli.opening import opened, settings
from bridge.cli.output import Output


def add_to(calls: Calls) -> None:
    """Declare the calls."""
    doctor = call(calls, "doctor", _doctor, "check the installation; says what to do about what is wrong")
    doctor.add_argument("--fix", action="store_true", help="put right what can be without losing anything")
    call(calls, "demo", _demo, "fill a studio to look at, and print how to get in")


def _doctor(options: argparse.Namespace, out: Output) -> int | None:
    from bridge.service import doctor

    findings = doctor.examine(settings(options), lambda: opened(options))
    if options.fix:
        for sentence in doctor.cured(findings):
            out.note(sentence)
        findings = doctor.examine(settings(options), lambda: opened(options))
    if out.json:
        out.value([{"what": found.what, "ok": found.ok, "says": found.says} for found in findings])
    else:
        for found in findings:
            print(f"{'ok ' if found.ok else 'BAD'}  {found.what}: {found.says}")
    return None if all(found.ok for found in findings) else 1


def _demo(options: argparse.Namespace, out: Output) -> None:
    from bridge.service import demo

    made = demo.fill(opened(options))
    lines = [
        "A demo studio, with bookings and blocks around today.",
        f"Pages:    {made.web}",
        f"CalDAV:   {made.caldav}",
        f"User:     {made.username}",
        f"Password: {made.web_password} (pages)",
        f"Password: {made.device_password} (calendar apps)",
    ]
    out.value(
        {
            "web": made.web,
            "caldav": made.caldav,
            "username": made.username,
            "web_password": made.web_password,
            "device_password": made.device_password,
        },
        "\n".join(lines),
    )
