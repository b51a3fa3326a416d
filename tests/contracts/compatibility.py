"""Write ``docs/compatibility.md`` from a run of the provider contract.

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

HEAD = """\
# What it works with

Written by `python -m tests.contracts.compatibility` from a run of the provider contract
(`tests/contracts/`); do not edit by hand. Every row is a real server started by the tests, except for Google
and Microsoft, which are our own stand-ins held to the official contracts. **Nothing here was verified live
at a provider**: see the checklist in [providers.md](providers.md).

| what | contract tests passed | changes told by | strange tokens | conditional writes |
| --- | --- | --- | --- | --- |
"""

TAIL = """
*Changes told by*: a token since which the server reports changes; else it is asked for everything that it
has. *Strange tokens*: where a server answers a token that it cannot know, deletions could be lost, so
everything is listed every hour instead of every day. *Conditional writes*: where they are not honoured, we
look right before each write; what happens in between is overwritten.

| provider | what stands for it in these tests |
| --- | --- |
| Fastmail | Cyrus |
| Nextcloud, Baïkal, ownCloud, fruux, Migadu, Murena, Disroot | sabre/dav 1.8 (older behaviour) |
| Synology | DAViCal (Synology ships a modified one) |
| mailcow and others | SOGo |
| iCloud, GMX, WEB.DE, mail.com, Yahoo, AOL, Zoho, Posteo, mailbox.org | prepared answers of the fault proxy |
"""


@dataclass
class Row:
    """One runner's outcome."""

    what: str
    passed: int = 0
    failed: int = 0
    capabilities: Capabilities | None = None


@dataclass
class Collector:
    """A pytest plugin: outcomes and capabilities by runner."""

    rows: dict[str, Row] = field(default_factory=dict)

    def _row(self, item: pytest.Item) -> Row | None:
        cls = getattr(item, "cls", None)
        if cls is None:
            return None
        return self.rows.setdefault(cls.__name__, Row(cls.__name__.removeprefix("Test")))

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
    return HEAD + "".join(lines) + TAIL


def main(options: list[str]) -> int:
    collector = Collector()
    status = pytest.main(["-q", str(Path(__file__).parent), *options], plugins=[collector])
    rows = [row for row in collector.rows.values() if row.capabilities is not None]
    if status == pytest.ExitCode.OK and rows:
        TARGET.parent.mkdir(exist_ok=True)
        TARGET.write_text(written(rows), encoding="utf-8")
    return int(status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
