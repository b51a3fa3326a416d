"""Logs of the processes: one line per event, as text or JSON, each with the request or pass it belongs to.

Nothing an event says and no secret is ever in them: what is logged is numbers, kinds and our own sentences;
of an unexpected error its kind and where it happened, not its message, which may quote anything. Line ends
and control characters in what clients send are spelled out (log injection, CWE-117).
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

FORMATS = ("text", "json")
LEVELS = ("debug", "info", "warning", "error")

#: Where a page or call puts its rule ("/feeds/<token>.ics") in the WSGI environment: addresses hold tokens.
ROUTE = "bridge.route"

_NOTHING = MappingProxyType[str, Any]({})
_about: ContextVar[MappingProxyType[str, Any]] = ContextVar("about", default=_NOTHING)


@contextmanager
def about(**what: Any) -> Iterator[None]:
    """Every line logged inside, in this context, says so: ``about(request=…)``, ``about(link=…)``."""
    token = _about.set(MappingProxyType({**_about.get(), **what}))
    try:
        yield
    finally:
        _about.reset(token)


def configure(form: str = "text", level: str = "info") -> None:
    """Log to standard error, from now on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Json() if form == "json" else Text())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for noisy in ("httpx2", "httpcore2", "urllib3", "caldav", "niquests", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)  # they would log addresses, tokens included


class Text(logging.Formatter):
    """For people."""

    def format(self, record: logging.LogRecord) -> str:
        said = _said(record)
        at, level, logger, message = (said.pop(key) for key in ("at", "level", "logger", "message"))
        return " ".join(
            [f"{at} {level} {logger}: {message}", *(f"{key}={_plain(value)}" for key, value in said.items())]
        )


class Json(logging.Formatter):
    """For programs: one JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(_said(record), ensure_ascii=True, default=str)


def _said(record: logging.LogRecord) -> dict[str, Any]:
    said: dict[str, Any] = {
        "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname.lower(),
        "logger": record.name,
        "message": _plain(record.getMessage()),
        **_about.get(),
        **getattr(record, "what", {}),
    }
    if record.exc_info and record.exc_info[1] is not None:
        error = record.exc_info[1]
        frames = traceback.extract_tb(error.__traceback__)[-12:]
        said["error"] = type(error).__name__
        said["where"] = " < ".join(f"{one.name} {one.filename}:{one.lineno}" for one in reversed(frames))
    return said


def _plain(value: Any) -> str:
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in str(value)
    )
