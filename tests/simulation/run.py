"""Many schedules: ``python -m tests.simulation.run SCHEDULES [SEED] [--database postgresql]``.

Progress goes to standard error; the last line on standard output is one JSON object. Exit 1 if anything
was violated. With ``--ledger FILE`` the line is appended there too, beside the commit it was measured on, so
that runs add up.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from tests.simulation import many, store
from tests.simulation.schedule import Outcome, play, play_losing


def outcomes(seeds: range, processes: int) -> Iterator[Outcome]:
    """The schedules of these seeds, in no order."""
    work = play_losing if store.kept_on() else play
    if processes == 1:
        yield from map(work, seeds)
        return
    with many.workers(processes) as pool:
        yield from pool.imap_unordered(work, seeds, chunksize=8)


def run(schedules: int, seed: int, processes: int) -> dict[str, object]:
    """Play them, with progress; the summary."""
    totals: Counter[str] = Counter()
    broken: Counter[str] = Counter()
    profiles: Counter[str] = Counter()
    failing: list[int] = []
    started = shown = time.monotonic()
    for done, outcome in enumerate(outcomes(range(seed, seed + schedules), processes), 1):
        totals.update(edits=outcome.edits, requests=outcome.requests, faulty_requests=outcome.faulty)
        totals.update(crashes=outcome.crashes)
        if store.kept_on():
            totals.update(lost_connections=outcome.lost)
        profiles.update(outcome.profiles)
        broken.update(sentence.partition(" ")[0] for sentence in outcome.violations)
        if outcome.violations:
            failing.append(outcome.seed)
            print(f"\nseed {outcome.seed}: {outcome.violations}", file=sys.stderr)
        if time.monotonic() - shown > 1:
            shown = time.monotonic()
            print(f"\r{done}/{schedules} schedules, {len(failing)} failing", end="", file=sys.stderr)
    print(file=sys.stderr)
    return {
        "database": "postgresql" if store.kept_on() else "sqlite",
        "schedules": schedules,
        "seed": seed,
        **totals,
        "schedules_per_profile": dict(sorted(profiles.items())),
        "violations": dict(broken),
        "failing_seeds": sorted(failing),
        "seconds": round(time.monotonic() - started, 1),
    }


def _commit() -> str:
    found = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    return found.stdout.strip()


def main() -> int:
    parser = argparse.ArgumentParser(description="Play random schedules against the sync engine.")
    parser.add_argument("schedules", type=int)
    parser.add_argument("seed", type=int, nargs="?", default=0)
    many.add_options(parser)
    parser.add_argument("--ledger", type=Path)
    wish = parser.parse_args()
    with many.on(wish.database):
        summary = run(wish.schedules, wish.seed, wish.processes)
    line = json.dumps(summary)
    print(line)
    if wish.ledger:
        at = datetime.now(UTC).date().isoformat()
        with wish.ledger.open("a") as ledger:
            ledger.write(json.dumps({"commit": _commit(), "date": at, **summary}) + "\n")
    return 1 if summary["failing_seeds"] else 0


if __name__ == "__main__":
    sys.exit(main())
