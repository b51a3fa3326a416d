"""``make audit``: known weaknesses of what we depend on, the packages from PyPI and those from npm.

A weakness that is not explained in ``EXPLAINED`` is a failure. Where a book of advisories cannot be asked (no
network, or a mirror that hands out packages and knows no advisories), that is said in one line, and is a
failure only with ``ADVISORIES=required`` in the environment, as before a release. Exit codes do not tell the
two apart: pip-audit ends with 0 if it was told nothing of any package, npm with 1 if it was told nothing. So
each book is first asked about a package whose weaknesses are public, and believed if it knows them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

TOP = Path(__file__).parents[1]
PIP_AUDIT = TOP / ".venvs" / "pip-audit" / "bin" / "pip-audit"
OURS = "picsello-bridge"
PATIENCE_SECONDS = 300

#: (package, advisory) -> why it does not concern us.
EXPLAINED: dict[tuple[str, str], str] = {}

#: What is asked about: name and version. And what is known: package and the advisory's id.
Packages = dict[str, str]
Weaknesses = set[tuple[str, str]]


class NotAsked(Exception):
    """The book could not be asked; the message says why, in one line."""


@dataclass(frozen=True)
class Book:
    """One collection of advisories. ``known_weak``: a package that it must know something of."""

    name: str
    ask: Callable[[Packages], Weaknesses]
    known_weak: Packages
    packages: Callable[[], Packages]


def from_pypi(packages: Packages) -> Weaknesses:
    """What pip-audit says of them, without asking what else they would need."""
    with tempfile.TemporaryDirectory() as folder:
        wanted = Path(folder) / "requirements.txt"
        wanted.write_text("".join(f"{name}=={version}\n" for name, version in packages.items()), "utf-8")
        command = [str(PIP_AUDIT), "--progress-spinner", "off", "--no-deps"]
        told = _said([*command, "--disable-pip", "--format", "json", "--requirement", str(wanted)], TOP)
    rows = told.get("dependencies", [])
    found = {(row["name"], one["id"]) for row in rows for one in row.get("vulns", ())}
    left_out = [row for row in rows if "skip_reason" in row]
    if left_out and not found:
        raise NotAsked(f"of {len(left_out)} packages it knows nothing ({left_out[0]['skip_reason']})")
    return found


def from_npm(packages: Packages) -> Weaknesses:
    """What npm says of them; nothing is installed."""
    lock = {f"node_modules/{name}": {"version": version} for name, version in packages.items()}
    top = {"name": "asked", "version": "0.0.0", "private": True, "dependencies": packages}
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "package.json").write_text(json.dumps(top), "utf-8")
        (place / "package-lock.json").write_text(
            json.dumps({"lockfileVersion": 3, **top, "packages": {"": top, **lock}}), "utf-8"
        )
        told = _said(["npm", "audit", "--package-lock-only", "--json"], place)
    if "vulnerabilities" not in told:
        raise NotAsked(str(told.get("message") or told.get("error") or told))
    return {
        (name, one["url"].rsplit("/", 1)[-1])
        for name, row in told["vulnerabilities"].items()
        for one in row["via"]
        if isinstance(one, dict)  # a name: it is weak by way of that package, which has a row of its own
    }


def _said(command: list[str], folder: Path) -> dict[str, Any]:
    """The JSON it prints; exit codes say too little."""
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise NotAsked(f"no answer within {PATIENCE_SECONDS} s") from error
    try:
        told = json.loads(done.stdout)
    except ValueError:
        lines = done.stderr.strip().splitlines() or [f"{Path(command[0]).name} ended with {done.returncode}"]
        raise NotAsked(lines[-1]) from None
    return told if isinstance(told, dict) else {}


def installed() -> Packages:
    """What is installed beside us, with the tools of the tests."""
    found = {package.metadata["Name"]: package.version for package in distributions()}
    return {name: version for name, version in sorted(found.items()) if name != OURS}


def locked() -> Packages:
    """What the pages and their tests take from npm."""
    rows = json.loads((TOP / "bridge/web/package-lock.json").read_text("utf-8"))["packages"]
    return {path.rpartition("node_modules/")[2]: row["version"] for path, row in rows.items() if path}


BOOKS = (
    Book("PyPI's advisories", from_pypi, {"Jinja2": "2.4.1"}, installed),
    Book("npm's advisories", from_npm, {"lodash": "4.17.15"}, locked),
)


def audit(books: tuple[Book, ...], *, required: bool) -> int:
    """Ask them all, and say what came of it. Returns the exit code."""
    code = 0
    for book in books:
        packages = book.packages()
        try:
            if not book.ask(book.known_weak):
                raise NotAsked(f"nothing bad is known there of {book.known_weak}, which is weak")
            found = book.ask(packages)
        except NotAsked as why:
            told = " ".join(str(why).split())[:200]
            print(f"audit: NOT LOOKED UP: {len(packages)} packages in {book.name}: {told}", flush=True)
            code = code or int(required)
            continue
        new = sorted(found - EXPLAINED.keys())
        for name, advisory in new:
            print(f"audit: {name} {packages[name]} has a known weakness: {advisory} ({book.name})")
        print(f"audit: {len(packages)} packages looked up in {book.name}, {len(new)} weaknesses", flush=True)
        code = code or int(bool(new))
    return code


if __name__ == "__main__":
    sys.exit(audit(BOOKS, required=os.environ.get("ADVISORIES") == "required"))
