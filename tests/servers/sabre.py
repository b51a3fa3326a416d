"""sabre/dav 1.8.12 (what old Baikal and Nextcloud are made of): ctags, no sync-collection, Digest sign-in."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote

from tests.servers.dav import Server
from tests.servers.debian import needed
from tests.servers.process import free_port, running

USER, PASSWORD = "anna", "geheim"
_SQL = "/usr/share/doc/php-sabre-dav/examples/sql"
_SCRIPT = Path(__file__).parent / "php" / "sabre.php"


@contextlib.contextmanager
def sabre(folder: Path, *, sign_in: str = "basic") -> Iterator[Server]:
    """A server with its database in ``folder``, which asks for ``basic`` or ``digest``."""
    needed("/usr/share/php/Sabre/autoload.php", "php-cli", "php-sqlite3", "php-sabre-dav")
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.closing(sqlite3.connect(folder / "db.sqlite")) as db:
        for name in ("calendars", "locks", "principals", "users"):
            db.executescript(needed(f"{_SQL}/sqlite.{name}.sql", "php-sabre-dav").read_text())
        digest = hashlib.md5(f"{USER}:SabreDAV:{PASSWORD}".encode()).hexdigest()
        db.execute("DELETE FROM users")
        db.execute("DELETE FROM principals")
        db.execute("INSERT INTO users (username, digesta1) VALUES (?, ?)", (USER, digest))
        db.execute(
            "INSERT INTO principals (uri, email, displayname) VALUES (?, ?, ?)",
            (f"principals/{USER}", "anna@example.com", "Anna"),
        )
        db.commit()
    port = free_port()
    env = {**os.environ, "SABRE_FOLDER": str(folder), "SABRE_USER": USER, "SABRE_PASSWORD": PASSWORD}
    env["SABRE_SIGN_IN"] = sign_in
    php = ["php", "-d", "include_path=/usr/share/php", "-d", "display_errors=0"]
    with running([*php, "-S", f"127.0.0.1:{port}", str(_SCRIPT)], port, folder / "log", env=env, cwd=folder):
        yield Server(f"http://127.0.0.1:{port}/", USER, PASSWORD, f"/calendars/{USER}/")


def seed(folder: Path, calendar: str, texts: Mapping[str, str]) -> None:
    """Put many objects into a calendar at once."""
    uri = unquote(calendar).rstrip("/").rpartition("/")[2]
    with contextlib.closing(sqlite3.connect(folder / "db.sqlite")) as db:
        (number,) = db.execute("SELECT id FROM calendars WHERE uri = ?", (uri,)).fetchone()
        now = int(time.time())
        db.executemany(
            "INSERT INTO calendarobjects (calendardata, uri, calendarid, lastmodified, etag, size, "
            "componenttype, firstoccurence, lastoccurence) VALUES (?, ?, ?, ?, ?, ?, 'VEVENT', ?, ?)",
            [
                (
                    text.encode(),
                    name,
                    number,
                    now,
                    hashlib.md5(text.encode()).hexdigest(),
                    len(text),
                    now,
                    now,
                )
                for name, text in texts.items()
            ],
        )
        db.execute("UPDATE calendars SET ctag = ctag + 1 WHERE id = ?", (number,))
        db.commit()
