"""Write ``docs/compatibility.md``, and the table in the README, from a run of the provider contract.

    python -m tests.contracts.compatibility [pytest's options]

A row for each runner beside this file: how many tests of the contract passed, and what the provider was found
to do. Exits with pytest's status, and writes nothing unless every test passed.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bridge.ports import Capabilities

ROOT = Path(__file__).parents[2]
TARGET = ROOT / "docs" / "compatibility.md"
README = ROOT / "README.md"
#: Between these the README's table stands.
BEGIN, END = "<!-- compatibility: written by tests.contracts.compatibility -->", "<!-- /compatibility -->"

HEAD = """\
# What it works with

Written by `python -m tests.contracts.compatibility` from a run of the provider contract
(`tests/contracts/`); do not edit by hand. Every row is a real server started by the tests, except for Google
and Microsoft, which are our own stand-ins held to the official contracts, iCloud, GMX and Yahoo, which are
Radicale with their known habits (`tests/servers/houses.py`), and ICS, which is addresses served by the tests.
What was verified live at a provider says so; the checklists are in [providers.md](providers.md).

| what | contract tests passed | changes told by | strange tokens | conditional writes |
| --- | --- | --- | --- | --- |
"""

TAIL = """
*Changes told by*: a token since which the server reports changes; else it is asked for everything that it
has. *Strange tokens*: where a server answers a token that it cannot know, deletions could be lost, so
everything is listed every hour instead of every day. *Conditional writes*: where they are not honoured, we
look right before each write; what happens in between is overwritten.

| provider | what stands for it in these tests | verified live |
| --- | --- | --- |
"""

#: Who was tried on a live account: the date, and how much of the checklist held (``docs/live-checks-*.md``).
LIVE: dict[str, str] = {}

#: What stands for the services of the table.
SERVICES = {
    "Google": "our stand-in, held to its contract and read by Google's own client",
    "Microsoft": "our stand-in, held to its contract and read by Microsoft's own client",
    "iCloud": "Radicale with iCloud's habits and host names",
    "Fastmail": "Cyrus",
    "Nextcloud, Baïkal, ownCloud, fruux, Migadu, Murena, Disroot": "sabre/dav 1.8 (older behaviour)",
    "Synology": "DAViCal (Synology ships a modified one)",
    "mailcow and others": "SOGo",
    "GMX, WEB.DE, mail.com": "Radicale with GMX's habits",
    "Yahoo, AOL": "Radicale with Yahoo's habits",
    "Zoho, Posteo, mailbox.org": "prepared answers of the fault proxy",
}

#: What stands for those that cannot be run at home, and for what is no server; the others are themselves.
STAND_INS = {
    **dict.fromkeys(("Google", "Microsoft"), "a stand-in held to its contract"),
    **dict.fromkeys(("iCloud", "GMX", "Yahoo"), "Radicale with its habits"),
    "ICS": "addresses served by the tests",
}


@dataclass
class Row:
    """One runner's outcome."""

    what: str
    passed: int = 0
    failed: int = 0
    capabilities: Capabilities | None = None


def _name(runner: str) -> str:
    """What a runner's class is about, as its house spells itself."""
    name = runner.removeprefix("Test")
    return {"ICloud": "iCloud", "Sabre": "sabre/dav"}.get(name, name)


@dataclass
class Collector:
    """A pytest plugin: outcomes and capabilities by runner."""

    rows: dict[str, Row] = field(default_factory=dict)

    def _row(self, item: pytest.Item) -> Row | None:
        cls = getattr(item, "cls", None)
        if cls is None:
            return None
        return self.rows.setdefault(cls.__name__, Row(_name(cls.__name__)))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]):
        report = yield
        row = self._row(item)
        if row is not None:
            row.passed += report.when == "call" and report.passed
            row.failed += report.failed
            stand = getattr(item, "funcargs", {}).get("stand")
            if report.when == "call" and stand is not None:
                provider = stand.provider()
                row.capabilities = provider.capabilities
                provider.close()
        return report


def written(rows: list[Row]) -> str:
    """The page."""
    services = [f"| {name} | {what} | {_live(name)} |\n" for name, what in SERVICES.items()]
    return HEAD + "".join(_lines(rows)) + TAIL + "".join(services)


def _live(service: str) -> str:
    """When somebody tried it, by the first name of a row or any other."""
    tried = [f"{name}: {LIVE[name]}" for name in service.split(", ") if name in LIVE]
    return "; ".join(tried) or "no"


def _tried(what: str) -> str:
    """What a runner was tried with."""
    stand_in = STAND_INS.get(what)
    if what in LIVE:
        return f"{stand_in or 'the real server'}; live {LIVE[what]}"
    lives = stand_in is not None and what != "ICS"
    return f"{stand_in}; not verified live" if lives else stand_in or "the real server"


def _lines(rows: list[Row]) -> list[str]:
    lines = []
    for row in sorted(rows, key=lambda row: row.what.lower()):
        found = row.capabilities or Capabilities()
        told = "a token" if found.sync_token else "asking for everything"
        if not found.sync_token:
            tokens = "–"
        else:
            tokens = "refused" if found.trusts_token else "answered"
        writes = "read only" if not found.writes else "yes" if found.conditional_writes else "no"
        lines.append(f"| {row.what} | {row.passed} | {told} | {tokens} | {writes} |\n")
    return lines


def readme(text: str, rows: list[Row]) -> str:
    """The README with its table as of this run: how many tests of the contract each one passed."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    shown = sorted(rows, key=lambda row: row.what.lower())
    names = " | ".join(row.what for row in shown)
    passed = " | ".join(str(row.passed) for row in shown)
    lines = ["", f"| | {names} |", "| --- " * (len(shown) + 1) + "|", f"| contract tests passed | {passed} |"]
    tried = " | ".join(_tried(row.what) for row in shown)
    return before + BEGIN + "\n".join([*lines, f"| tried with | {tried} |", ""]) + END + after


def main(options: list[str]) -> int:
    collector = Collector()
    status = pytest.main(["-q", str(Path(__file__).parent), *options], plugins=[collector])
    rows = [row for row in collector.rows.values() if row.capabilities is not None]
    if status == pytest.ExitCode.OK and rows:
        TARGET.parent.mkdir(exist_ok=True)
        TARGET.write_text(written(rows), encoding="utf-8")
        README.write_text(readme(README.read_text(encoding="utf-8"), rows), encoding="utf-8")
    return int(status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
