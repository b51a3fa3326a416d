"""Bandit reads the whole program; what it finds is explained here, place by place, or it is a failure.

Known weaknesses of what we depend on are looked up by `make audit` (pip-audit), where the network lets it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).parents[2]

#: Rules that say nothing about a place: assert narrows types for mypy and guards nothing; ElementTree's types
#: are imported where XML is written, while what strangers send is parsed by defusedxml alone (B314 stays on).
NOT_ASKED = ("B101", "B405", "B406")

_NAMES = "names of tables and columns that the program itself knows are put in; values are always bound"
_JITTER = "spreads moments of trying again; nothing secret depends on it"
_WORDS = "words for people or an empty default; no secret"
EXPLAINED = {
    ("B104", "bridge/serve.py"): "compares with 0.0.0.0 to print an address that can be opened",
    ("B105", "bridge/providers/kinds.py"): _WORDS,
    ("B105", "bridge/store/locked.py"): _WORDS,
    ("B107", "bridge/providers/ics/address.py"): _WORDS,
    ("B107", "radicale_plugin/collection.py"): _WORDS,
    ("B311", "bridge/providers/patience.py"): _JITTER,
    ("B311", "bridge/worker.py"): _JITTER,
    ("B314", "radicale_plugin/deadprops.py"): "reads what we serialized ourselves when it was stored",
    ("B608", "bridge/sources/picsello/queries.py"): _NAMES,
    ("B608", "bridge/sources/picsello/slots.py"): _NAMES,
    ("B608", "bridge/sources/picsello/writing.py"): _NAMES,
    ("B608", "bridge/store/migrations/gently.py"): _NAMES,
    ("B608", "bridge/store/transfer.py"): _NAMES,
    ("B608", "bridge/web/counts.py"): _NAMES,
    ("B704", "bridge/web/booking_pages.py"): "an image of a QR code that the library drew",
    ("B704", "bridge/web/device_setup.py"): "an image of a QR code that the library drew",
}


def test_everything_bandit_finds_is_explained() -> None:
    command = [sys.executable, "-m", "bandit", "--quiet", "--recursive", "--format", "json"]
    done = subprocess.run(
        [*command, "--skip", ",".join(NOT_ASKED), "bridge", "radicale_plugin"],
        cwd=TOP,
        capture_output=True,
        text=True,
        check=False,
    )
    said = json.loads(done.stdout)
    assert not said["errors"]
    found = {(one["test_id"], one["filename"].removeprefix("./")) for one in said["results"]}
    assert found - EXPLAINED.keys() == set(), "new: mend it, or say above why it is none"
    assert EXPLAINED.keys() - found == set(), "no longer there: take it out above"
    assert said["metrics"]["_totals"]["SEVERITY.HIGH"] == 0
