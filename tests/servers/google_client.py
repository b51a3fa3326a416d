"""Google's own Python client, in an environment of its own: the discovery document, and a second reader."""

from __future__ import annotations

from pathlib import Path

from tests.servers.venvs import program

#: The version whose discovery document the adapter was written against (revision 20261030).
REQUIREMENT = "google-api-python-client==2.202.0"


def python() -> Path:
    """An interpreter that can import the client."""
    return program("google-client", REQUIREMENT) / "python"


def discovery_document() -> Path:
    """Google Calendar API v3, as Google describes it to machines."""
    library = python().parent.parent / "lib"
    (found,) = library.glob(
        "python*/site-packages/googleapiclient/discovery_cache/documents/calendar.v3.json"
    )
    return found
