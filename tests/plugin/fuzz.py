"""``python -m tests.plugin.fuzz [INPUTS] [--seed N]``: requests of pieces of real ones, put together wrong.

Methods, addresses, headers, XML and iCalendar are drawn from what clients send, and then cut, doubled,
shuffled and spoiled byte by byte; each goes through the whole application, over a store that fills up with
what gets in. An answer of 500 and above, an exception, or an answer that takes longer than ``SLOWEST`` fails;
the number of the input and the seed make it again.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bridge.config import Settings
from bridge.service import people
from bridge.wiring import Bridge
from radicale_plugin.front import make_dav_app
from tests.plugin.conftest import Client, event

#: Seconds of processor time for one input.
SLOWEST = 20.0

ANNA, BERTA = "anna@studio.example", "berta@elsewhere.example"
NS = 'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:CS="http://calendarserver.org/ns/"'
_CALENDARS = ("bookings/", "bookings/", "own/", "new/")
PIECES: dict[str, Any] = tomllib.loads(Path(__file__).with_name("pieces.toml").read_text())


@dataclass
class Fuzz:
    """Requests of one seed against one studio."""

    anna: Client
    berta: Client
    seed: int = 0
    statuses: Counter[int] = field(default_factory=Counter)

    def input(self, number: int) -> None:
        """Make it and send it. Raises AssertionError for an answer that should not be."""
        make = Making(random.Random(f"{self.seed}:{number}"))
        client = make.dice.choices([self.anna, self.berta, Client(self.anna.app)], [40, 3, 1])[0]
        method = make.one("methods")
        path = make.path(method)
        body, headers = make.body(method), make.headers(method)
        made = f"input {number} of seed {self.seed}: {method} {path} {headers} {body!r}"
        begun = time.thread_time()
        try:
            answer = client(method, path, body, **headers)
        except Exception as error:
            raise AssertionError(made) from error
        assert answer.status < 500, made
        assert time.thread_time() - begun < SLOWEST, made
        self.statuses[answer.status] += 1


class Making:
    """One request's parts."""

    def __init__(self, dice: random.Random):
        self.dice = dice

    def one(self, name: str) -> str:
        return str(self.dice.choice(PIECES[name]))

    def path(self, method: str) -> str:
        home = f"/{self.dice.choices([ANNA, BERTA, 'none'], [60, 2, 1])[0]}/"
        roll = self.dice.random()
        new = method in ("MKCOL", "MKCALENDAR", "DELETE")
        if roll < 0.7 and method in ("GET", "HEAD", "PUT", "DELETE", "MOVE"):
            calendar = self.dice.choice(["bookings", "bookings", "own"])
            return f"{home}{calendar}/{self.dice.choice(['1.ics', '1.ics', '2.ics', 'é.ics'])}"
        if roll < 0.85:
            return home + ("new/" if new else self.dice.choice(_CALENDARS))
        if roll < 0.92:
            return self.dice.choice([home, "/", home + "own/1.ics"])
        path = home + "/".join(self.one("segments") for _ in range(self.dice.randrange(4)))
        return path + "".join(f"%{self.dice.randrange(256):02x}" for _ in range(self.dice.randrange(3)))

    def headers(self, method: str) -> dict[str, str]:
        chosen = {"Depth": self.dice.choice("01")}
        chosen["Content-Type"] = "text/calendar" if method == "PUT" else "text/xml"
        if method == "MOVE":
            chosen["Destination"] = self.dice.choice(PIECES["headers"]["Destination"])
        for name, values in PIECES["headers"].items():
            if self.dice.random() < 0.02:
                chosen[name] = self.dice.choice(values)
                if self.dice.random() < 0.2:
                    chosen[name] = self._spoiled(chosen[name])
        return {name.replace("-", "_"): value for name, value in chosen.items()}

    def _spoiled(self, text: str) -> str:
        """A header holds Latin-1, and no line ends."""
        at = self.dice.randrange(len(text) + 1)
        odd = chr(self.dice.choice([0, 9, 34, 44, 59, 127, 233, 255]))
        return text[:at] + odd + text[at + self.dice.randrange(2) :]

    def body(self, method: str) -> bytes:
        calendar = (method == "PUT") != (self.dice.random() < 0.03)
        data = (self.calendar() if calendar else self.xml()).encode()
        for _ in range(self.dice.choices([0, 1, 4], [18, 1, 1])[0]):
            data = self._damaged(data)
        return data

    def _damaged(self, data: bytes) -> bytes:
        first, last = sorted(self.dice.randrange(len(data) + 1) for _ in range(2))
        lines = data.splitlines(keepends=True)
        self.dice.shuffle(lines)
        spoiled = data[:first] + bytes([self.dice.randrange(256)]) + data[first + 1 :]
        return self.dice.choice([data[:first], data[:last] + data[first:], b"".join(lines), spoiled])

    # --- iCalendar

    def calendar(self) -> str:
        if self.dice.random() < 0.7:
            uid = str(self.dice.choice([1, 1, 2, 3]))
            return event(uid, *self.dice.sample(PIECES["lines"][11:], self.dice.randrange(3)))
        kind = self.one("components")
        parts: list[str] = []
        for _ in range(self.dice.choice([1, 1, 1, 2])):
            lines = self.dice.sample(PIECES["lines"][2:], self.dice.randrange(1, 9))
            parts += [f"BEGIN:{kind}", "UID:1", *lines, f"END:{kind}"]
        whole = ["BEGIN:VCALENDAR", "VERSION:2.0", *parts, "END:VCALENDAR", ""]
        return self.dice.choice(["\r\n", "\r\n", "\n"]).join(whole)

    # --- XML

    def xml(self) -> str:
        if self.dice.random() < 0.75:
            return self.report()
        inner = "".join(self.element(0) for _ in range(self.dice.randrange(4)))
        root = self.one("roots")
        return f"<{root} {NS}>{inner}</{root}>"

    def element(self, depth: int) -> str:
        tag = self.one("tags")
        if tag.endswith(("-range", "expand", "-set")) and self.dice.random() < 0.9:
            return f"<{tag} {self.times()}/>"
        names = ("name", "start", "end", "collation", "negate-condition", "novalue", "version")
        attributes = "".join(f' {name}="{self.one("values")}"' for name in names if self.dice.random() < 0.2)
        inner = ""
        if depth < 5:
            inner = "".join(self.element(depth + 1) for _ in range(self.dice.randrange(3)))
        said = self.one("values") if self.dice.random() < 0.5 else ""
        return f"<{tag}{attributes}>{said}{inner}</{tag}>"

    def report(self) -> str:
        """As clients make it, one piece of it out of the ordinary."""
        props = "".join(f"<{tag}/>" for tag in self.dice.sample(PIECES["tags"], self.dice.randrange(1, 5)))
        match self.dice.randrange(8):
            case 0:
                return f"<D:propfind {NS}><D:prop>{props}</D:prop></D:propfind>"
            case 1 | 2:
                rules = f'<C:comp-filter name="{self.one("components")}">{self.rule()}</C:comp-filter>'
                return (
                    f"<C:calendar-query {NS}><D:prop>{props}{self.data()}</D:prop><C:filter>"
                    f'<C:comp-filter name="VCALENDAR">{rules}</C:comp-filter></C:filter></C:calendar-query>'
                )
            case 3:
                hrefs = "".join(
                    f"<D:href>/dav/{ANNA}/bookings/{self.one('segments')}</D:href>" for _ in range(3)
                )
                inner = f"<D:prop>{props}{self.data()}</D:prop>{hrefs}"
                return f"<C:calendar-multiget {NS}>{inner}</C:calendar-multiget>"
            case 4:
                return f"<C:free-busy-query {NS}><C:time-range {self.times()}/></C:free-busy-query>"
            case 5:
                said = f"urn:picsello-bridge:sync:1:1:{self.dice.randrange(9)}:{self.dice.randrange(99)}"
                token = self.dice.choice(["", said])
                inner = f"<D:sync-token>{token}</D:sync-token><D:prop>{props}</D:prop>"
                return f"<D:sync-collection {NS}>{inner}</D:sync-collection>"
            case 6:
                changed = f"<D:set><D:prop>{self.element(3)}</D:prop></D:set>"
                return f"<D:propertyupdate {NS}>{changed}</D:propertyupdate>"
            case _:
                wanted = f"<D:set><D:prop>{self.element(4)}</D:prop></D:set>"
                return f"<C:mkcalendar {NS}>{wanted}</C:mkcalendar>"

    def times(self) -> str:
        """In order, mostly."""
        first, last = (PIECES["times"].index(self.one("times")) for _ in range(2))
        if first >= last and self.dice.random() < 0.9:
            first, last = 1, 4
        start, end = (f'{name}="{PIECES["times"][at]}"' for name, at in (("start", first), ("end", last)))
        return f"{start} {end}"

    def data(self) -> str:
        window = self.times()
        return self.dice.choice(
            [
                "",
                "<C:calendar-data/>",
                f"<C:calendar-data><C:expand {window}/></C:calendar-data>",
                f"<C:calendar-data><C:limit-recurrence-set {window}/></C:calendar-data>",
                '<C:calendar-data><C:comp name="VCALENDAR"><C:allcomp/></C:comp></C:calendar-data>',
            ]
        )

    def rule(self) -> str:
        return self.dice.choice(
            [
                "",
                f"<C:time-range {self.times()}/>",
                f"<C:time-range {self.times().split()[self.dice.randrange(2)]}/>",
                f'<C:prop-filter name="UID"><C:text-match>{self.one("values")}</C:text-match>'
                "</C:prop-filter>",
                f'<C:comp-filter name="VALARM"><C:time-range {self.times()}/></C:comp-filter>',
                '<C:prop-filter name="SUMMARY"><C:is-not-defined/></C:prop-filter>',
                self.element(4),
            ]
        )


@contextmanager
def studio(folder: Path, seed: int = 0) -> Iterator[Fuzz]:
    """Two users in a fresh store, one of them with a calendar of her own."""
    bridge = Bridge.open(Settings.load(str(folder), None, {}))
    app = make_dav_app(bridge)
    clients = []
    for email in (ANNA, BERTA):
        people.add_user(bridge, email, time_zone="Europe/Berlin")
        clients.append(Client(app, email, people.add_device(bridge, email, "Phone").password))
    clients[0]("MKCALENDAR", f"/{ANNA}/own/")
    yield Fuzz(*clients, seed)
    bridge.db.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.plugin.fuzz")
    parser.add_argument("inputs", type=int, nargs="?", default=200_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder, studio(Path(folder), options.seed) as fuzz:
        for number in range(options.inputs):
            fuzz.input(number)
            if number % 10_000 == 9_999:
                print(f"{number + 1} inputs", file=sys.stderr)
    seconds = round(time.monotonic() - begun)
    told = {str(status): count for status, count in sorted(fuzz.statuses.items())}
    print(json.dumps({"inputs": options.inputs, "seed": options.seed, "seconds": seconds, "statuses": told}))


if __name__ == "__main__":
    main()
