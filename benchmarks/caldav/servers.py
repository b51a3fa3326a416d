"""The servers, each started on a free loopback port over an empty folder, and how its calendar is filled."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from benchmarks.caldav import floor, gunicorn
from benchmarks.caldav.client import Client
from benchmarks.caldav.events import event, name, uid
from bridge.config import Settings
from bridge.service import people
from bridge.store import calendars, objects
from bridge.store.db import Database
from bridge.store.people import user_by_email
from bridge.store.rows import batches
from bridge.wiring import Bridge
from tests.servers.postgres import AS_IT_COMES, postgres

_MKCALENDAR = '<C:mkcalendar xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"/>'


class Absent(Exception):
    """This server is not installed; says how to get it."""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Server(ABC):
    """One server; ``path`` is the calendar's."""

    name: str
    path: str
    user, password = "bench", "bench"

    def __init__(self, folder: Path):
        self.folder = folder / self.name
        self.folder.mkdir(parents=True)
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def client(self) -> Client:
        return Client(self.url, self.user, self.password)

    def start(self, events: int) -> None:
        """Running, with so many events. Raises Absent."""
        self.run()
        self.fill(events)

    @abstractmethod
    def run(self) -> None: ...

    def fill(self, events: int) -> None:
        """By PUT, as a client would."""
        client = self.client()
        client("MKCALENDAR", self.path, _MKCALENDAR, Content_Type="text/xml")
        for number in range(events):
            reply = client("PUT", self.path + name(number), event(number), Content_Type="text/calendar")
            if reply.status not in (201, 204):
                raise SystemExit(f"{self.name} answered {reply.status} to event {number}.")

    def launch(self, *command: str | Path, **environ: str) -> None:
        with (self.folder / "log").open("wb") as log:
            self.process = subprocess.Popen(  # noqa: S603
                list(map(str, command)), stdout=log, stderr=log, env=os.environ | environ, cwd=Path.cwd()
            )
        self.wait()

    def wait(self) -> None:
        for _ in range(300):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                if self.process is not None and self.process.poll() is not None:
                    break
                time.sleep(0.1)
        raise SystemExit(f"{self.name} did not start; see {self.folder / 'log'}.")

    def stop(self) -> None:
        if self.process is not None:
            if self.process.poll() is not None:
                print((self.folder / "log").read_text(errors="replace")[-2000:], file=sys.stderr)
                print(f"{self.name} ended by itself ({self.process.returncode})", file=sys.stderr)
            self.process.terminate()
            self.process.wait(20)


class Ours(Server):
    name = "ours"
    user = "bench@studio.example"
    path = "/dav/bench%40studio.example/bookings/"

    def settings(self) -> Settings:
        return Settings(data=self.folder / "data")

    def run(self) -> None:
        self.furnish()
        data = ("--data", self.folder / "data")
        self.launch(sys.executable, "-m", "bridge.cli", *data, "dav", "--port", str(self.port))

    def furnish(self) -> None:
        """The user and the app password."""
        bridge = Bridge.open(self.settings())
        people.add_user(bridge, self.user, time_zone="America/New_York")
        self.password = people.add_device(bridge, self.user, "Bench").password
        bridge.db.close()

    def fill(self, events: int) -> None:
        bridge = Bridge.open(self.settings())
        with bridge.db.reading() as tx:
            calendar = calendars.bookings(tx, user_by_email(tx, self.user).id).id
        for numbers in batches(range(events)):  # the server, just started, has its own things to write
            with bridge.db.writing() as tx:
                for number in numbers:
                    text, href = event(number).decode(), f"{uid(number)}.ics"
                    now = bridge.clock.now()
                    objects.put(tx, calendar, href, text, kind="block", actor="command", now=now)
        bridge.db.close()


class OnPostgresql(Ours):
    """As in a fleet: under gunicorn, rows in a PostgreSQL of our own that syncs to the disk."""

    name = "ours-postgresql"

    def __init__(self, folder: Path):
        super().__init__(folder)
        self.database = ExitStack()
        self.address = ""

    def settings(self) -> Settings:
        return Settings(
            data=self.folder / "data", database_url=self.address, server_processes=gunicorn.PROCESSES
        )

    def run(self) -> None:
        cluster = self.database.enter_context(postgres(durable=True, settings=AS_IT_COMES))
        self.address = cluster.url(cluster.create())
        self.furnish()
        settings = self.settings()
        self.launch(
            *gunicorn.command(self.port, settings.threads),
            PICSELLO_BRIDGE_DATA=str(settings.data),
            PICSELLO_BRIDGE_DATABASE_URL=settings.database_url,
        )

    def fill(self, events: int) -> None:
        """And what autovacuum would do in a while, done."""
        super().fill(events)
        database = Database(self.address)
        with database.opened().rebuilding() as tx:
            tx.exec_driver_sql("ANALYZE")
        database.close()

    def stop(self) -> None:
        super().stop()
        self.database.close()


class Floor(Server):
    name = "floor"
    user, password, path = floor.USER, floor.PASSWORD, floor.PATH

    def run(self) -> None:
        self.launch(
            sys.executable, "-m", "benchmarks.caldav.floor", str(self.port), self.folder / "floor.sqlite"
        )


class Radicale(Server):
    """Stock: its own file storage and HTTP server, no settings but where and who."""

    name = "radicale"
    path = "/bench/bench/"

    def run(self) -> None:
        (self.folder / "users").write_text("bench:bench\n")
        (self.folder / "config").write_text(
            f"[server]\nhosts = 127.0.0.1:{self.port}\n[auth]\ntype = htpasswd\n"
            f"htpasswd_filename = {self.folder / 'users'}\nhtpasswd_encryption = plain\n"
            f"[storage]\nfilesystem_folder = {self.folder / 'data'}\n[logging]\nlevel = warning\n"
        )
        self.launch(sys.executable, "-m", "radicale", "--config", self.folder / "config")

    def fill(self, events: int) -> None:
        """As one file: its PUT of a new event looks at all others."""
        client = self.client()
        parts = [event(number).decode() for number in range(events)]
        zone = next(part for part in parts if "VTIMEZONE" in part)
        head = zone[: zone.index("BEGIN:VEVENT")]
        bodies = [part[part.index("BEGIN:VEVENT") : part.index("END:VCALENDAR")] for part in parts]
        whole = head + "".join(bodies) + "END:VCALENDAR\r\n"
        reply = client("PUT", self.path, whole, Content_Type="text/calendar")
        if reply.status != 201:
            raise SystemExit(f"radicale answered {reply.status} to the whole calendar.")


class Xandikos(Server):
    """No password: it takes none over plain HTTP."""

    name = "xandikos"
    user, path = "", "/bench/calendars/bench/"

    def run(self) -> None:
        command = Path(".venvs/xandikos/bin/xandikos")
        if not command.exists():
            raise Absent("`make .venvs/xandikos.stamp` sets it up")
        where = ("-d", self.folder / "root", "--state-dir", self.folder / "state", "-l", "127.0.0.1")
        for folder in ("root", "state"):
            (self.folder / folder).mkdir()
        self.launch(
            command, "serve", "--defaults", "--current-user-principal", "/bench/", *where,
            "-p", str(self.port), "--no-detect-systemd",
        )  # fmt: skip

    def fill(self, events: int) -> None:
        """As one commit of its repository: a PUT there is a commit each."""
        self.client()("MKCALENDAR", self.path, _MKCALENDAR, Content_Type="text/xml")
        folder = self.folder / "root" / self.path.strip("/")
        for number in range(events):
            (folder / f"{uid(number)}.ics").write_bytes(event(number))
        git = ("git", "-C", str(folder), "-c", "user.name=bench", "-c", "user.email=bench@example.com")
        subprocess.run([*git, "add", "-A"], check=True)  # noqa: S603
        subprocess.run([*git, "commit", "-q", "-m", "events"], check=True)  # noqa: S603


class Cyrus(Server):
    """Debian's, with the package's defaults; needs root to become its own user."""

    name = "cyrus"
    path = "/dav/calendars/user/bench/bench/"
    _programs = Path("/usr/lib/cyrus/bin")

    def run(self) -> None:
        if not (self._programs / "httpd").exists() or not shutil.which("saslpasswd2"):
            raise Absent("apt-get install cyrus-caldav cyrus-imapd cyrus-admin sasl2-bin libsasl2-modules")
        if os.geteuid() != 0:
            raise Absent("needs root")
        imap = free_port()
        for folder in ("conf/socket", "spool", "run/proc", "run/lock"):
            (self.folder / folder).mkdir(parents=True)
        (self.folder / "imapd.conf").write_text(_IMAPD.format(here=self.folder))
        (self.folder / "cyrus.conf").write_text(
            _CYRUS.format(here=self.folder, programs=self._programs, http=self.port, imap=imap)
        )
        for user in ("bench", "cyrus"):
            command = ("saslpasswd2", "-p", "-c", "-f", str(self.folder / "sasldb2"), "-u", "localhost", user)
            subprocess.run(command, input=b"bench\n", check=True)  # noqa: S603
        shutil.chown(self.folder, "cyrus", "mail")
        for found in self.folder.rglob("*"):
            shutil.chown(found, "cyrus", "mail")
        for parent in self.folder.parents[:2]:
            parent.chmod(parent.stat().st_mode | 0o011)
        configured = ("-C", self.folder / "imapd.conf", "-M", self.folder / "cyrus.conf")
        self.launch(self._programs / "master", *configured, "-p", self.folder / "master.pid")
        self._mailbox(imap)

    def _mailbox(self, port: int) -> None:
        import imaplib

        connection = imaplib.IMAP4("127.0.0.1", port)
        connection.login("cyrus", "bench")
        connection.create("user/bench")
        connection.logout()


_IMAPD = """configdirectory: {here}/conf
proc_path: {here}/run/proc
mboxname_lockpath: {here}/run/lock
defaultpartition: default
partition-default: {here}/spool
altnamespace: yes
unixhierarchysep: yes
virtdomains: off
admins: cyrus
servername: localhost
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: {here}/sasldb2
sasl_mech_list: PLAIN LOGIN
allowplaintext: yes
httpmodules: caldav
httpallowcompress: no
autocreate_quota: 0
caldav_allowscheduling: off
duplicate_db_path: {here}/conf/deliver.db
idlesocket: {here}/conf/socket/idle
notifysocket: {here}/conf/socket/notify
lmtpsocket: {here}/conf/socket/lmtp
"""
_CYRUS = """START {{
}}
SERVICES {{
  http cmd="{programs}/httpd -C {here}/imapd.conf -U 100000" listen="127.0.0.1:{http}" prefork=2 maxchild=50
  imap cmd="{programs}/imapd -C {here}/imapd.conf" listen="127.0.0.1:{imap}" prefork=0 maxchild=4
}}
EVENTS {{
}}
"""

SERVERS: dict[str, Callable[[Path], Server]] = {
    kind.name: kind for kind in (Ours, OnPostgresql, Floor, Cyrus, Radicale, Xandikos)
}
