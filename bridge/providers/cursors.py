"""Cursors that are JSON objects: what most spokes keep between two looks."""

from __future__ import annotations

import json
from typing import Any

from bridge.errors import CursorLost


def read_cursor(cursor: str | None) -> dict[str, Any]:
    """What it holds, nothing for none. Raises ``CursorLost`` for what no spoke of ours has written."""
    if cursor is None:
        return {}
    try:
        known = json.loads(cursor)
    except ValueError:
        known = None
    if not isinstance(known, dict):
        raise CursorLost("Where we left off cannot be read any more. We read everything instead.")
    return known
