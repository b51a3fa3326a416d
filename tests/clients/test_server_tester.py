"""caldav-server-tester, which tries a hundred things that CalDAV clients rely on."""

from __future__ import annotations

import re
import subprocess

from tests.clients.conftest import EMAIL, Studio
from tests.servers.venvs import program

PACKAGES = ("caldav-server-tester>=1.7,<2", "vobject>=0.9.9,<1")

#: What we do not have, each for a reason.
WITHOUT = {
    "create-calendar.auto": "a calendar that nobody made is a mistyped address",
    "scheduling": "invitations are the mail program's, or the provider's",
    "search.text.comp-type-optional": "a filter that names no component matches none (RFC 4791 9.7.1)",
    "url.encode-at.identity": "both spellings of an address are one object, so there is no second one",
    "get-current-user-principal.has-calendar": "told as a value, not as a level",
    "well-known": "not asked of a server on this machine",
}


def test_nothing_is_broken_and_nearly_everything_is_there(studio: Studio) -> None:
    tester = program("server-tester", *PACKAGES) / "caldav-server-tester"
    signed_in = ("--caldav-username", EMAIL, "--caldav-password", studio.password)
    done = subprocess.run(
        [tester, "--caldav-url", f"{studio.origin}/dav/", *signed_in, "--verbose", "--format", "text"],
        capture_output=True,
        text=True,
        check=False,
    )
    found = dict(re.findall(r"(?m)^## (\S+)\nFeature support level found: (\S+)", done.stdout))

    assert {name: level for name, level in found.items() if level in ("broken", "ungraceful")} == {}
    assert {name for name, level in found.items() if level != "full"} == set(WITHOUT), done.stderr[-2000:]
    assert list(found.values()).count("full") > 90  # stock Radicale has 88, Xandikos 90, Cyrus 84
