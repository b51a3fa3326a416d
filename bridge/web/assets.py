"""Addresses of the static files: each carries a digest of its content, so browsers may keep it for a year."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from flask import Flask, url_for

YEAR = 365 * 24 * 3600


@cache
def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def install(app: Flask) -> None:
    """Offer ``asset(name)`` to templates."""
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = YEAR
    folder = Path(app.static_folder or "")

    @app.template_global()
    def asset(name: str) -> str:
        return url_for("static", filename=name, v=_digest(folder / name))
