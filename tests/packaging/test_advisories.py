"""``make audit``: a weakness is a failure; a book that cannot be asked is said, and is no good news."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from tests import advisories

WEAK = {"old": "1.0"}
OURS = {"good": "2.0", "leaky": "3.1"}


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place for a ``pip-audit`` and an ``npm`` that say what they are told to."""
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(advisories, "PIP_AUDIT", tmp_path / "pip-audit")
    return tmp_path


def says(tools: Path, name: str, known: dict[str, str], *, code: int) -> None:
    """``name`` answers with ``known[package]`` for the package it is asked about, and ends with ``code``."""
    answers = tools / f"{name}.json"
    answers.write_text(json.dumps(known), "utf-8")
    tool = tools / name
    tool.write_text(
        "#!/usr/bin/env python3\nimport json, pathlib, sys\n"
        "asked = pathlib.Path(sys.argv[-1] if '--requirement' in sys.argv else 'package.json').read_text()\n"
        f"known = json.load(open({str(answers)!r}))\n"
        "print(next(told for name, told in known.items() if name in asked))\n"
        f"print('ConnectionError: no route', file=sys.stderr)\nsys.exit({code})\n",
        "utf-8",
    )
    tool.chmod(tool.stat().st_mode | stat.S_IXUSR)


def pypi(**vulns: list[dict[str, Any]]) -> str:
    return json.dumps(
        {"dependencies": [{"name": name, "version": "1", "vulns": found} for name, found in vulns.items()]}
    )


def npm(**ids: str) -> str:
    rows = {name: {"via": [{"url": f"https://advisories.example/{one}"}]} for name, one in ids.items()}
    rows |= {"above": {"via": list(ids)}} if ids else {}
    return json.dumps({"auditReportVersion": 2, "vulnerabilities": rows})


PYPI = (advisories.Book("PyPI", advisories.from_pypi, WEAK, lambda: OURS),)
NPM = (advisories.Book("npm", advisories.from_npm, WEAK, lambda: OURS),)


def test_a_weakness_is_a_failure(tools: Path, capsys: pytest.CaptureFixture[str]) -> None:
    says(
        tools,
        "pip-audit",
        {"old": pypi(old=[{"id": "A-1"}]), "leaky": pypi(good=[], leaky=[{"id": "A-2"}])},
        code=1,
    )
    assert advisories.audit(PYPI, required=False) == 1
    assert "leaky 3.1 has a known weakness: A-2" in capsys.readouterr().out
    says(tools, "npm", {"old": npm(old="G-1"), "leaky": npm(leaky="G-2")}, code=1)
    assert advisories.audit(NPM, required=False) == 1
    out = capsys.readouterr().out
    assert "leaky 3.1 has a known weakness: G-2" in out
    assert "2 packages looked up in npm, 1 weaknesses" in out


def test_one_that_is_explained_is_none(
    tools: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    says(tools, "npm", {"old": npm(old="G-1"), "leaky": npm(leaky="G-2")}, code=1)
    monkeypatch.setitem(advisories.EXPLAINED, ("leaky", "G-2"), "only read by a tool of the tests")
    assert advisories.audit(NPM, required=True) == 0
    assert "2 packages looked up in npm, 0 weaknesses" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("known", "code"),
    [
        ({"old": json.dumps({"dependencies": [{"name": "old", "skip_reason": "not found on PyPI"}]})}, 0),
        ({"old": pypi(old=[])}, 0),
        ({"old": "Traceback"}, 1),
    ],
    ids=["a mirror that has never heard of it", "a mirror without advisories", "no network"],
)
def test_packages_that_could_not_be_looked_up_never_pass_for_good_ones(
    tools: Path, capsys: pytest.CaptureFixture[str], known: dict[str, str], code: int
) -> None:
    says(tools, "pip-audit", known, code=code)
    assert advisories.audit(PYPI, required=False) == 0
    said = capsys.readouterr().out
    assert said.startswith("audit: NOT LOOKED UP: 2 packages in PyPI: ") and said.count("\n") == 1
    assert advisories.audit(PYPI, required=True) == 1


def test_an_npm_registry_without_advisories_is_said(tools: Path, capsys: pytest.CaptureFixture[str]) -> None:
    refused = json.dumps({"message": "405 Method Not Allowed - POST …/advisories/bulk", "statusCode": 405})
    says(tools, "npm", {"old": refused}, code=1)
    assert advisories.audit(NPM, required=False) == 0
    assert "NOT LOOKED UP: 2 packages in npm: 405 Method Not Allowed" in capsys.readouterr().out
    assert advisories.audit(NPM, required=True) == 1


def test_one_book_that_is_away_does_not_hide_what_the_other_says(
    tools: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    says(tools, "pip-audit", {"old": "Traceback"}, code=1)
    says(tools, "npm", {"old": npm(old="G-1"), "leaky": npm(leaky="G-2")}, code=1)
    assert advisories.audit(PYPI + NPM, required=False) == 1
    assert "NOT LOOKED UP" in capsys.readouterr().out


def test_everything_we_take_is_asked_about() -> None:
    assert {"Flask", "Radicale", "pytest"} <= advisories.installed().keys()
    assert {"preact", "fullcalendar", "@fullcalendar/core"} <= advisories.locked().keys()
