"""Microsoft's own Python client, in an environment of its own: a second reader."""

from __future__ import annotations

from pathlib import Path

from tests.servers.venvs import program

REQUIREMENT = "msgraph-sdk==1.65.0"


def python() -> Path:
    """An interpreter that can import the client."""
    return program("microsoft-client", REQUIREMENT) / "python"
