"""Whether this Radicale still has the shape that ``app`` takes hold of.

None of it is a documented interface. A release that changes it must not take the calendars away: the server
then says so in its log, and plain Radicale answers over the same storage.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from radicale.app import Application

_HANDLER = ("self", "environ", "base_prefix", "path", "user", "user_groups", "request_info")
_SHAPES: Mapping[str, tuple[str, ...]] = {
    "_handle_request": ("self", "environ"),
    "do_REPORT": _HANDLER,
    "do_PROPFIND": _HANDLER,
    "do_PROPPATCH": _HANDLER,
    "_read_xml_request_body": ("self", "environ", "request_info"),
    "_xml_response": ("self", "xml_content", "request_info"),
}


def misfits(application: type[Any] = Application) -> list[str]:
    """The methods that are missing or take other arguments than ``app`` gives."""
    return [name for name, wanted in _SHAPES.items() if _takes(getattr(application, name, None)) != wanted]


def _takes(method: Callable[..., Any] | None) -> tuple[str, ...] | None:
    if method is None:
        return None
    return tuple(inspect.signature(method).parameters)
