"""Stock Radicale with its own multifilesystem storage, as somebody's calendar provider."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote
from xml.sax.saxutils import escape

from tests.servers.dav import Server
from tests.servers.process import free_port, running

#: Without waiting for the disk: of each object that it has not seen yet it writes two files, and waits for
#: both, which for 1,000 objects takes longer than all the rest.
HURRIED = "import os, runpy; os.fsync = lambda _: None; runpy.run_module('radicale', run_name='__main__')"


@contextlib.contextmanager
def radicale(
    folder: Path,
    *,
    users: dict[str, str] | None = None,
    read_only: tuple[str, ...] = (),
    port: int | None = None,
    hurried: bool = False,
) -> Iterator[Server]:
    """A server with its data in ``folder`` (kept, so that it can be started again). ``users`` maps names to
    passwords; the first is the one that acts. ``read_only`` names calendars (last segments) that their owner
    may only read. ``hurried``: where nothing is measured, and many objects are put there at once."""
    users = users or {"anna": "geheim"}
    port = port or free_port()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "users").write_text("".join(f"{name}:{password}\n" for name, password in users.items()))
    (folder / "rights").write_text(_rights(read_only))
    (folder / "config").write_text(
        f"[server]\nhosts = 127.0.0.1:{port}\n"
        f"[auth]\ntype = htpasswd\nhtpasswd_filename = {folder}/users\n"
        "htpasswd_encryption = plain\ndelay = 0\n"
        f"[rights]\ntype = from_file\nfile = {folder}/rights\n"
        f"[storage]\nfilesystem_folder = {folder}/collections\n"
        "[logging]\nlevel = warning\n"
    )
    name = next(iter(users))
    module = ("-c", HURRIED) if hurried else ("-m", "radicale")
    command = [sys.executable, *module, "--config", str(folder / "config")]
    with running(command, port, folder / "log"):
        yield Server(f"http://127.0.0.1:{port}/", name, users[name], f"/{name}/")


def _rights(read_only: tuple[str, ...]) -> str:
    """Radicale's own owner_only, after a rule for what may only be read."""
    rules = "[root]\nuser: .+\ncollection:\npermissions: R\n"
    for number, name in enumerate(read_only):
        rules += f"[shown{number}]\nuser: .+\ncollection: {{user}}/{name}\npermissions: r\n"
    return rules + (
        "[principal]\nuser: .+\ncollection: {user}\npermissions: RW\n"
        "[calendars]\nuser: .+\ncollection: {user}/[^/]+\npermissions: rw\n"
    )


def seed(folder: Path, server: Server, calendar: str, texts: Mapping[str, str]) -> None:
    """Many objects at once: into its folder, and then it is made to look at them, portion by portion. What
    it has not seen before takes it some milliseconds each, for thousands longer than a request lasts."""
    place = folder / "collections" / "collection-root" / calendar.strip("/")
    for name, text in texts.items():
        (place / name).write_bytes(text.encode())
    hrefs = [f"<d:href>{escape(quote(calendar + name))}</d:href>" for name in texts]
    for start in range(0, len(hrefs), PORTION):
        body = _MULTIGET.format("".join(hrefs[start : start + PORTION]))
        reply = server.request("REPORT", calendar, body.encode(), {"Content-Type": "application/xml"})
        assert reply.status == 207, reply.status


PORTION = 10
_MULTIGET = (
    "<c:calendar-multiget xmlns:c='urn:ietf:params:xml:ns:caldav' xmlns:d='DAV:'>"
    "<d:prop><d:getetag/></d:prop>{}</c:calendar-multiget>"
)
