"""What a server is like, found out once at sign-in: by asking, or where asking would mean writing, by name.

The measured oddities are in the providers' facts, section 4. What is learnt goes into the account's profile.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from bridge.errors import ProviderError
from bridge.providers.caldav.client import Client
from bridge.providers.caldav.refusals import preconditions
from bridge.providers.caldav.xml import sync_collection

#: A token that no server gave anybody.
NOBODYS = "http://picsello-bridge.invalid/sync/7"
#: Not to be found out without writing.
SOGO = {"conditional": False, "raw": True, "trust": False}


def probe(client: Client, home: str, calendar: str | None) -> dict[str, Any]:
    """Profile entries, as in ``CalDAVProvider``. Not to be trusted with tokens is a server that answers one
    that it cannot know (DAViCal, SOGo, Open-Xchange): deletions would be lost."""
    found: dict[str, Any] = {}
    with suppress(ProviderError):  # nothing here is worth a failed sign-in
        url = client.url(home, calendar or home)
        answer = client.xml("REPORT", url, sync_collection(NOBODYS))
        if "X-DAViCal-Version" in answer.headers:
            found["trust"] = False
        if "SOPE" in (answer.headers.get("Server") or ""):
            found |= SOGO
        if calendar is not None and answer.status == 207:
            found["trust"] = False
        elif calendar is not None and "valid-sync-token" not in preconditions(answer):
            found["sync"] = client.xml("REPORT", url, sync_collection("")).status == 207
    if "/sogo/dav/" in home.lower():  # what stands before it may put its own name into the answer
        found |= SOGO
    return found
