"""litmus, the WebDAV test suite: its groups http and basic.

They are written for a file server: folders in folders, and files of any kind. Here the folder that litmus
makes for its tests is made a calendar on the way, and what a calendar must refuse is named line by line, with
the reason. Any other difference fails.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import pytest

from tests.clients.conftest import EMAIL, Studio, listening

_CALENDAR = b"""<D:mkcol xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">
<D:set><D:prop><D:resourcetype><D:collection/><C:calendar/></D:resourcetype></D:prop></D:set></D:mkcol>"""

_NO_EVENT = "what it puts is a file of text, and a calendar takes calendar objects only (RFC 4791 5.3.2.1)"
_NO_FOLDER = "a calendar holds no folders (RFC 4791 5.2)"

#: By group and test: what litmus says instead of "pass", and why that is right.
REFUSED: dict[str, dict[str, tuple[str, str]]] = {
    "http": {},
    "basic": {
        "options": ("WARNING", "class 2 means locks, and no calendar client takes any"),
        "put_get": ("FAIL", _NO_EVENT),
        "put_get_utf8_segment": ("FAIL", _NO_EVENT),
        "mkcol_over_plain": ("SKIPPED", "it needs the file of put_get"),
        "delete": ("SKIPPED", "it needs the file of put_get"),
        "delete_fragment": ("FAIL", _NO_FOLDER),
        "mkcol": ("FAIL", _NO_FOLDER),
        "mkcol_again": ("SKIPPED", "it needs the folder of mkcol"),
        "delete_coll": ("SKIPPED", "it needs the folder of mkcol"),
    },
}
#: Tests that must have been run, so that a litmus that gave up early does not count.
RUN = {"http": ("expect100",), "basic": ("delete_null", "mkcol_no_parent", "mkcol_with_body", "finish")}


def folder_is_a_calendar(application: WSGIApplication) -> WSGIApplication:
    """litmus's own folder is asked for as a calendar (extended MKCOL)."""

    def asked(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "MKCOL" and environ["PATH_INFO"].endswith("/litmus/"):
            more: dict[str, Any] = {"wsgi.input": BytesIO(_CALENDAR), "CONTENT_LENGTH": str(len(_CALENDAR))}
            environ = environ | more
        return application(environ, start_response)

    return asked


@pytest.mark.parametrize("group", REFUSED)
def test_what_a_calendar_server_refuses_is_known(studio: Studio, tmp_path: Path, group: str) -> None:
    with listening(studio.bridge, folder_is_a_calendar(studio.app)) as origin:
        done = subprocess.run(
            ["litmus", "-k", f"{origin}/dav/{EMAIL}/", EMAIL, studio.password],
            env={"PATH": "/usr/bin:/bin", "TESTS": group},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
    lines = done.stdout.replace("\r", "\n")
    found = dict(re.findall(r"(?m)^\s*\d+\. (\w+)\.* (pass|FAIL|WARNING|SKIPPED)", lines))

    expected = {name: said for name, (said, _why) in REFUSED[group].items()}
    assert {name: said for name, said in found.items() if said != "pass"} == expected, lines
    assert set(RUN[group]) <= {name for name, said in found.items() if said == "pass"}
