"""DAViCal 1.1.12 (Synology ships a modified one) over a PostgreSQL of its own, under PHP's own web server."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.servers.dav import Server
from tests.servers.debian import account, needed
from tests.servers.postgres import postgres
from tests.servers.process import free_port, running

USER, PASSWORD = "anna", "geheim"
_SCRIPT = Path(__file__).parent / "php" / "davical.php"
_PERSON = f"""
INSERT INTO usr (user_no, active, email_ok, updated, username, password, fullname, email)
  VALUES (2000, true, current_date, current_date, '{USER}', '**{PASSWORD}', 'Anna', 'anna@example.com');
INSERT INTO principal (principal_id, type_id, user_no, displayname, default_privileges)
  VALUES (2000, 1, 2000, 'Anna', 0::BIT(24));
"""


@contextlib.contextmanager
def davical(folder: Path) -> Iterator[Server]:
    """A server with its log in ``folder``."""
    create = needed("/usr/share/davical/dba/create-database.sh", "davical", "php-pgsql", "libyaml-perl")
    with postgres() as cluster:
        env = {**os.environ, "PGHOST": str(cluster.folder), "PGUSER": "postgres", "HOME": "/"}
        made = subprocess.run(
            ["sh", create, "davical", "admin"],
            env=env, user=account("postgres"), cwd="/", capture_output=True, text=True, check=False,
        )  # fmt: skip
        person = subprocess.run(
            ["psql", "-q", "-v", "ON_ERROR_STOP=1", "-d", "davical"],
            env=env, input=_PERSON, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if person.returncode:
            raise RuntimeError(f"DAViCal's database could not be made:\n{made.stderr}{person.stderr}")
        port = free_port()
        env = {**os.environ, "PGHOST": str(cluster.folder)}
        php = [
            "php",
            "-d",
            "include_path=/usr/share/awl/inc:/usr/share/davical/inc",
            "-d",
            "display_errors=0",
        ]
        php += ["-d", "error_reporting=0", "-d", "default_charset=utf-8", "-d", "memory_limit=512M"]
        with running([*php, "-S", f"127.0.0.1:{port}", str(_SCRIPT)], port, folder / "log", env=env):
            yield Server(f"http://127.0.0.1:{port}/", USER, PASSWORD, f"/caldav.php/{USER}/")
