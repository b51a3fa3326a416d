"""What is handed out with us may be handed out under our licence, GPL-3.0-or-later."""

from __future__ import annotations

import configparser
import json
import re
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement

TOP = Path(__file__).parents[2]

#: How a licence that goes together with the GPL 3 is called, in an expression, a classifier or a sentence.
GOOD = re.compile(
    r"\b(MIT|BSD|0BSD|ISC|Apache|PSF|PSFL|Python Software Foundation|ZPL|Zope Public|CC0|Unlicense|LGPL|"
    r"Lesser General Public|GPL-3|GPLv3|GPL v3|MPL-2\.0|Mozilla Public License 2\.0)",
    re.IGNORECASE,
)
#: Read by hand in the packages' own texts, as their metadata say too little.
READ = {"huey": "MIT", "radicale": "GPL-3.0-or-later"}
#: None of these does, whatever stands beside it.
BAD = re.compile(
    r"\b(AGPL|Affero|SSPL|BUSL|Commons Clause|Proprietary|GPL-2\.0-only|NonCommercial)", re.IGNORECASE
)


def needed() -> dict[str, Distribution]:
    """Every package that is installed with ours, and what they need in turn."""
    settings = configparser.ConfigParser(interpolation=None)
    settings.read(TOP / "setup.cfg", encoding="utf-8")
    found: dict[str, Distribution] = {}
    lines = settings["options"]["install_requires"] + settings["options.extras_require"]["opentelemetry"]
    waiting = [Requirement(line) for line in lines.splitlines() if line]
    while waiting:
        wanted = waiting.pop()
        extras = ["", *wanted.extras]
        if wanted.marker and not any(wanted.marker.evaluate({"extra": extra}) for extra in extras):
            continue
        name = re.sub(r"[-_.]+", "-", wanted.name).lower()
        if name in found:
            continue
        found[name] = distribution(wanted.name)
        for line in found[name].requires or ():
            asked = Requirement(line)
            if asked.marker is None or any(asked.marker.evaluate({"extra": extra}) for extra in extras):
                asked.marker = None
                waiting.append(asked)
    return found


def licence(package: Distribution) -> str:
    """What a package says of its licence: expression and classifiers, else the first line of the text."""
    told = package.metadata
    said = [str(told.get("License-Expression") or "")]
    said += [line for line in told.get_all("Classifier") or () if line.startswith("License ::")]
    said += [] if any(said) else (told.get("License") or "").strip().splitlines()[:1]
    return " ".join(said).strip()


def test_every_package_from_pypi_goes_together_with_our_licence() -> None:
    packages = needed()
    assert {"flask", "werkzeug", "radicale", "niquests"} <= packages.keys(), "those of others count too"
    told = {name: READ.get(name) or licence(package) for name, package in packages.items()}
    assert {name: said for name, said in told.items() if BAD.search(said) or not GOOD.search(said)} == {}


def test_what_the_pages_hand_out_goes_together_with_it_and_carries_its_licence() -> None:
    rows = json.loads((TOP / "bridge/web/package-lock.json").read_text("utf-8"))["packages"]
    shipped = {path: row for path, row in rows.items() if path and not row.get("dev")}
    assert shipped
    assert {path: row["license"] for path, row in shipped.items() if not GOOD.search(row["license"])} == {}
    vendored = {file.name for file in (TOP / "bridge/web/static/vendor").iterdir()}
    assert {"fullcalendar.LICENSE.md", "preact.LICENSE"} <= vendored
