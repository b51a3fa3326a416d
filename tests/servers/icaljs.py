"""ical.js, the parser that Thunderbird reads calendars with: one small npm package and the Node that builds
the pages, no server. Installed once, beside the environments of ``venvs``."""

from __future__ import annotations

import fcntl
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.servers.venvs import FOLDER

PACKAGE = "ical.js@2.2.1"

#: A file's events as a calendar shows them: times as instants, dates as dates, a series by its first starts.
PROGRAM = """
import ICAL from "ical.js";
let text = "";
for await (const part of process.stdin) text += part;
const calendar = new ICAL.Component(ICAL.parse(text));
for (const zone of calendar.getAllSubcomponents("vtimezone")) ICAL.TimezoneService.register(zone);
const shown = (time) => time.isDate ? time.toString() : time.toJSDate().toISOString();
const events = calendar.getAllSubcomponents("vevent").map((component) => {
  const event = new ICAL.Event(component);
  const starts = [];
  const dates = event.isRecurring() ? event.iterator() : null;
  for (let next; dates && starts.length < 5 && (next = dates.next()); ) starts.push(shown(next));
  return {
    uid: event.uid, title: event.summary, place: event.location, notes: event.description,
    start: shown(event.startDate), end: shown(event.endDate), starts,
    status: component.getFirstPropertyValue("status"),
  };
});
console.log(JSON.stringify({ name: calendar.getFirstPropertyValue("x-wr-calname"), events }));
"""


def read(text: bytes) -> dict[str, Any]:
    """What it finds in a calendar. A text that it cannot parse is an error."""
    command = ["node", "--input-type=module", "--eval", PROGRAM]
    done = subprocess.run(command, input=text, capture_output=True, cwd=_installed(), check=False)
    assert done.returncode == 0, done.stderr.decode()
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _installed() -> Path:
    FOLDER.mkdir(parents=True, exist_ok=True)
    place = FOLDER / "icaljs"
    ready = place / "ready"
    with (FOLDER / "icaljs.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.exists():
            place.mkdir(exist_ok=True)
            npm = ["npm", "install", "--prefix", str(place), "--silent", "--no-audit", "--no-fund", PACKAGE]
            done = subprocess.run(npm, stdout=sys.stderr, check=False)
            if done.returncode:
                raise RuntimeError(f"{PACKAGE} could not be installed into {place}.")
            ready.touch()
    return place
