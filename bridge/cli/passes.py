"""How a pass is shown: counts on a terminal while it runs, its row in JSON, its sentences for people."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from bridge.errors import BridgeError

if TYPE_CHECKING:
    from bridge.cli.output import Output
    from bridge.store.accounts import AccountRow
    from bridge.sync.engine import Engine
    from bridge.sync.report import Report

COUNTS = ("pulled", "pushed", "merged", "conflicts", "deleted")


@dataclass
class Row:
    """What became of one link."""

    link: int | None
    account: int | None
    calendar: str
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTS, 0))
    held: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    requests: int = 0
    plan: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, report: Report) -> Row:
        """From the engine's report."""
        counts = {name: getattr(report, name) for name in COUNTS}
        return cls(
            report.link_id,
            report.account_id,
            report.calendar,
            counts,
            list(report.held),
            list(report.errors),
            report.requests,
            list(report.plan),
        )

    def add(self, later: Row) -> None:
        """Another pass of the same link, in the same call."""
        if later is self:
            return
        for name, number in later.counts.items():
            self.counts[name] += number
        self.requests += later.requests
        self.held, self.errors = later.held, later.errors

    def as_json(self, dry_run: bool) -> dict[str, Any]:
        """The row of the contract; a dry run and a held pass also have their plan."""
        return {
            "link": self.link,
            "account": self.account,
            "calendar": self.calendar,
            **self.counts,
            "held": self.held,
            "errors": self.errors,
            "requests": self.requests,
            **({"plan": self.plan} if dry_run or self.held else {}),
        }

    def say(self, out: Output, dry_run: bool) -> None:
        """For people: one line on standard output, troubles and plans below it."""
        planned = dry_run or bool(self.held)
        done = ", ".join(f"{count} {name}" for name, count in self.counts.items() if count)
        if planned:
            done = summed_up(self.counts)
        trouble = [*self.held, *self.errors]
        print(f"{self.calendar}: {done or ('nothing done' if trouble else 'nothing new')}")
        for line in self.plan if planned else ():
            print(f"  {line}")
        for sentence in trouble:
            out.note(f"{self.calendar}: {sentence}")
        if self.held:
            out.note("To let it go on: picsello-bridge sync --confirm")


def studio_row() -> Row:
    """The built-in source's row: it is the hub itself, so there is nothing to carry."""
    return Row(None, None, "studio")


def summed_up(counts: Mapping[str, int]) -> str:
    """``3 to bring here, 1 to delete``: a plan in numbers."""
    words = {"pulled": "to bring here", "pushed": "to bring there", "deleted": "to delete"}
    return (
        ", ".join(f"{counts[name]} {word}" for name, word in words.items() if counts[name]) or "nothing to do"
    )


class Progress:
    """Counts on standard error while passes run, on a terminal; nothing elsewhere."""

    def __init__(self) -> None:
        self._shown: Any = None

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
            from rich.progress import Progress as Bars

            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
            self._shown = Bars(*columns, console=Console(stderr=True), transient=True)
            self._shown.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shown is not None:
            self._shown.stop()

    def run(self, engine: Engine, account: AccountRow, *, dry_run: bool, confirm: bool) -> list[Row]:
        """One account's passes; what breaks them off becomes a row's error, so that the others still run."""
        counter = self._counter(account.label)
        try:
            reports = engine.run_account(account.id, dry_run=dry_run, confirm=confirm, progress=counter)
        except BridgeError as error:
            return [Row(None, account.id, account.label, errors=[str(error)])]
        return [Row.of(report) for report in reports]

    def _counter(self, name: str) -> Callable[[int, int], None] | None:
        if self._shown is None:
            return None
        task = self._shown.add_task(name, total=None)

        def count(done: int, total: int) -> None:
            self._shown.update(task, completed=done, total=total)

        return count
