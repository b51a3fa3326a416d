"""Stock Radicale with its own multifilesystem storage, as somebody's calendar provider."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.servers.dav import Server
from tests.servers.process import free_port, running


@contextlib.contextmanager
def radicale(
    folder: Path,
    *,
    users: dict[str, str] | None = None,
    read_only: tuple[str, ...] = (),
    port: int | None = None,
) -> Iterator[Server]:
    """A server with its data in ``folder`` (kept, so that it can be started again). ``users`` maps names to
    passwords; the first is the one that acts. ``read_only`` names calendars (last segments) that their owner
    may only read."""
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
    command = [sys.executable, "-m", "radicale", "--config", str(folder / "config")]
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
