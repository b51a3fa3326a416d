"""The floor: a bare WSGI application on the same HTTP server that answers each request from one SQLite query.

It checks the password and nothing else, and is no CalDAV server: it shows what Python, the HTTP server and
SQLite cost before any calendar work. ``python -m benchmarks.caldav.floor PORT FILE``
"""

from __future__ import annotations

import base64
import hashlib
import re
import sqlite3
import sys
import threading
from collections.abc import Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment
from xml.sax.saxutils import escape

USER, PASSWORD, PATH = "bench", "bench", "/bench/bench/"
_BASIC = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
_HEAD = (
    '<multistatus xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" '
    'xmlns:CS="http://calendarserver.org/ns/">'
)
_OK = "</prop><status>HTTP/1.1 200 OK</status></propstat></response>"
_TOKEN = re.compile(rb"<D:sync-token>([^<]*)<")
_HREF = re.compile(rb"<D:href>([^<]+)<")
_MATCH = re.compile(rb"<C:text-match[^>]*>([^<]+)<")
_RANGE = re.compile(rb'time-range start="(\d{8})T\d{6}Z" end="(\d{8})')
_START = re.compile(r"BEGIN:VEVENT.*?DTSTART[^:\r\n]*:(\d{8})", re.DOTALL)
_UID = re.compile(r"\r\nUID:([^\r\n]+)")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS item (id INTEGER PRIMARY KEY, href TEXT UNIQUE, uid TEXT, etag TEXT,
  first TEXT, last TEXT, rev INTEGER, gone INTEGER DEFAULT 0, text TEXT);
CREATE INDEX IF NOT EXISTS item_rev ON item (rev, gone, href, etag);
CREATE INDEX IF NOT EXISTS item_uid ON item (uid);
CREATE INDEX IF NOT EXISTS item_time ON item (first, last, gone);
CREATE TABLE IF NOT EXISTS col (id INTEGER PRIMARY KEY, rev INTEGER);
INSERT OR IGNORE INTO col VALUES (1, 0);
"""


class Floor:
    """See the module."""

    def __init__(self, file: str):
        self._file = file
        self._mine = threading.local()

    def _db(self) -> sqlite3.Connection:
        found = getattr(self._mine, "db", None)
        if found is None:
            found = self._mine.db = sqlite3.connect(self._file, isolation_level=None, timeout=30)
            found.execute("PRAGMA journal_mode=WAL")
            found.execute("PRAGMA synchronous=FULL")
            found.executescript(_SCHEMA)
        return found

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        if environ.get("HTTP_AUTHORIZATION") != _BASIC:
            status, body, etag = "401 Unauthorized", "", ""
        else:
            data = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            status, body, etag = self._answer(environ, environ["PATH_INFO"], data, self._db())
        content = body.encode()
        headers = [("Content-Type", "text/xml; charset=utf-8"), ("Content-Length", str(len(content)))]
        start(status, [*headers, ("ETag", etag)] if etag else headers)
        return [content]

    def _answer(
        self, environ: WSGIEnvironment, path: str, data: bytes, db: sqlite3.Connection
    ) -> tuple[str, str, str]:
        method = environ["REQUEST_METHOD"]
        if method == "PUT":
            return self._put(path, data, db)
        if method == "DELETE":
            with _writing(db):
                rev = db.execute("UPDATE col SET rev = rev + 1 RETURNING rev").fetchone()[0]
                db.execute("UPDATE item SET gone = 1, rev = ?, text = '' WHERE href = ?", (rev, path))
            return "204 No Content", "", ""
        if method == "GET" and not path.endswith("/"):
            row = db.execute("SELECT text, etag FROM item WHERE href = ? AND gone = 0", (path,)).fetchone()
            return ("200 OK", *row) if row else ("404 Not Found", "", "")
        if method == "GET":
            texts = (row[0] for row in db.execute("SELECT text FROM item WHERE gone = 0"))
            events = "".join(text[text.find("BEGIN:VEVENT") : text.rfind("END:VCALENDAR")] for text in texts)
            return "200 OK", f"BEGIN:VCALENDAR\r\n{events}END:VCALENDAR\r\n", ""
        return "207 Multi-Status", self._multistatus(environ, path, data, db), ""

    def _put(self, path: str, data: bytes, db: sqlite3.Connection) -> tuple[str, str, str]:
        text, etag = data.decode(), f'"{hashlib.sha256(data).hexdigest()}"'
        first, uid = _START.search(text), _UID.search(text)
        assert first and uid
        last = "99999999" if "RRULE" in text else first[1]
        with _writing(db):
            rev = db.execute("UPDATE col SET rev = rev + 1 RETURNING rev").fetchone()[0]
            db.execute(
                "INSERT OR REPLACE INTO item VALUES (NULL, ?, ?, ?, ?, ?, ?, 0, ?)",
                (path, uid[1], etag, first[1], last, rev, text),
            )
        return "201 Created", "", etag

    def _multistatus(self, environ: WSGIEnvironment, path: str, data: bytes, db: sqlite3.Connection) -> str:
        rev = db.execute("SELECT rev FROM col").fetchone()[0]
        columns = (
            "SELECT href, etag, text FROM item "
            if b"calendar-data" in data
            else "SELECT href, etag FROM item "
        )
        tail = f"<sync-token>http://x/{rev}</sync-token>" if b"sync-collection" in data else ""
        rows: Iterable[Any] = ()
        if environ["REQUEST_METHOD"] == "PROPFIND" and environ.get("HTTP_DEPTH") == "0":
            tail = (
                f"<response><href>{path}</href><propstat><prop><CS:getctag>{rev}</CS:getctag>"
                f"<sync-token>http://x/{rev}</sync-token>{_OK}"
            )
        elif (token := _TOKEN.search(data)) and token[1]:
            since = int(token[1].rsplit(b"/", 1)[1])
            rows = db.execute(columns + "INDEXED BY item_rev WHERE rev > ? AND gone = 0", (since,))
        elif b"multiget" in data:
            hrefs = [href.decode().replace("%40", "@") for href in _HREF.findall(data)]
            rows = db.execute(f"{columns} WHERE href IN ({','.join('?' * len(hrefs))})", hrefs)
        elif wanted := _RANGE.search(data):
            first, last = wanted[1].decode(), wanted[2].decode()
            rows = db.execute(columns + "WHERE first < ? AND last >= ? AND gone = 0", (last, first))
        elif match := _MATCH.search(data):
            rows = db.execute(columns + "WHERE uid = ?", (match[1].decode(),))
        else:
            rows = db.execute(columns + "INDEXED BY item_rev WHERE gone = 0")
        return _HEAD + "".join(map(_response, rows)) + tail + "</multistatus>"


def _response(row: tuple[str, ...]) -> str:
    href, etag, *text = row
    data = f"<C:calendar-data>{escape(text[0])}</C:calendar-data>" if text else ""
    return f"<response><href>{href}</href><propstat><prop><getetag>{etag}</getetag>{data}{_OK}"


class _writing:
    """One transaction."""

    def __init__(self, db: sqlite3.Connection):
        self._db = db

    def __enter__(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")

    def __exit__(self, *failed: object) -> None:
        self._db.execute("ROLLBACK" if failed[0] else "COMMIT")


if __name__ == "__main__":
    import waitress

    waitress.serve(
        Floor(sys.argv[2]), host="127.0.0.1", port=int(sys.argv[1]), threads=10, outbuf_overflow=1 << 26
    )
