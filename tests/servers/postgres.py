"""An own PostgreSQL cluster for the tests: in a temporary folder, reached by a socket in it, ended by its id.

Nothing of a PostgreSQL that the machine runs is touched. A missing one fails the tests, it never skips them.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from sqlalchemy import NullPool, create_engine, text

OLDEST = 15
#: As PostgreSQL comes (``settings``, with ``durable``): what it says is saved is on the disk.
AS_IT_COMES = {"fsync": "on", "full_page_writes": "on"}


@dataclass
class Cluster:
    """A running server; ``process`` may be ended and ``start``-ed again by tests of restarts. ``port``: where
    it listens on loopback too, None: only at the socket in its folder. ``durable``: what was committed
    survives its crash, as in production. ``settings``: further ones, or others than ours."""

    folder: Path
    port: int | None = None
    durable: bool = False
    settings: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    _names: Iterator[int] = field(default_factory=count)

    def url(self, name: str, user: str = "postgres") -> str:
        """A database's address for SQLAlchemy."""
        port = f"&port={self.port}" if self.port else ""
        return f"postgresql+psycopg://{user}@/{name}?host={self.folder}{port}"

    def create(self, template: str = "template0") -> str:
        """A new database, as a copy of ``template``; returns its name."""
        name = f"test_{next(self._names)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop(self, name: str) -> None:
        self.run(f"DROP DATABASE {name} WITH (FORCE)")

    def run(self, statement: str) -> None:
        """One statement outside a transaction, as the superuser."""
        engine = create_engine(self.url("postgres"), poolclass=NullPool, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(statement))

    def start(self) -> None:
        options = {"listen_addresses": "", "unix_socket_directories": self.folder, "max_connections": 200}
        if self.port is not None:
            options |= {"listen_addresses": "127.0.0.1", "port": self.port}
        # nothing here has to survive the machine
        options |= {"fsync": "off", "full_page_writes": "off"}
        options |= {} if self.durable else {"synchronous_commit": "off"}
        options |= self.settings
        command = [_binary("postgres"), "-D", str(self.folder / "data")]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, user=_account(), cwd="/")
        deadline = time.monotonic() + 60
        while True:
            with contextlib.suppress(Exception):
                return self.run("SELECT 1")
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start:\n{(self.folder / 'log').read_text()[-2000:]}")
            time.sleep(0.05)

    def stop(self) -> None:
        """SIGINT is PostgreSQL's fast shutdown: clients are cut off, data is complete."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


@contextlib.contextmanager
def postgres(
    port: int | None = None, *, durable: bool = False, settings: dict[str, str] | None = None
) -> Iterator[Cluster]:
    """A fresh cluster with the superuser ``postgres``."""
    # not below pytest's folder: PostgreSQL refuses root, and its own account may not look in there
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    try:
        if account := _account():
            shutil.chown(folder, account)
        initdb = [
            _binary("initdb"),
            "-D",
            str(folder / "data"),
            "-U",
            "postgres",
            "--auth=trust",
            "-E",
            "UTF8",
            "--no-sync",
        ]
        made = subprocess.run(
            [*initdb, "--locale=C.UTF-8"], user=account, cwd="/", capture_output=True, text=True, check=False
        )
        if made.returncode:
            raise RuntimeError(f"initdb failed: {made.stderr}")
        cluster = Cluster(folder, port, durable, settings or {})
        try:
            cluster.start()
            yield cluster
        finally:
            cluster.stop()
    finally:
        shutil.rmtree(folder)


def _account() -> str | None:
    """Whom the server runs as: PostgreSQL's own account where we are root, else ourselves (None)."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        raise RuntimeError("PostgreSQL refuses to run as root and there is no account 'postgres'") from None


def _binary(name: str) -> str:
    """The newest installed one; Debian keeps them off the path."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
    path = str(found[-1]) if found else shutil.which(name)
    if path is None:
        raise RuntimeError(f"{name} was not found for {getpass.getuser()}: apt-get install postgresql")
    version = re.search(
        r"\d+", subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
    )
    if version is None or int(version[0]) < OLDEST:
        raise RuntimeError(f"{path} is older than PostgreSQL {OLDEST}")
    return path
