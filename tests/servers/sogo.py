"""SOGo 5.8 (what mailcow and others run) over a PostgreSQL of its own and a memcached.

Its preconditions are broken (an existing object is overwritten under If-None-Match: *, a changed one deleted
under If-Match), its tokens are seconds, and it closes connections that were to be kept.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import NullPool, create_engine, text

from tests.servers.dav import Server
from tests.servers.debian import account, folder_of, needed
from tests.servers.postgres import Cluster, postgres
from tests.servers.process import free_port, running

USER, PASSWORD = "anna", "geheim"


@contextlib.contextmanager
def sogo(folder: Path) -> Iterator[Server]:
    """A server with its log in ``folder``."""
    sogod = needed("/usr/sbin/sogod", "sogo", "memcached")
    memcached = needed("/usr/bin/memcached", "memcached")
    name = account("sogo")
    with contextlib.ExitStack() as stack:
        cluster = stack.enter_context(postgres(free_port()))
        home = stack.enter_context(folder_of(name))
        cache, port = free_port(), free_port()
        command = [str(memcached), "-l", "127.0.0.1", "-p", str(cache), "-U", "0", "-m", "16"]
        stack.enter_context(running(command, cache, folder / "memcached.log", user=name))
        _make_person(cluster)
        options = _options(
            f"postgresql://postgres:x@127.0.0.1:{cluster.port}/{USER}", f"127.0.0.1:{cache}", port
        )
        stack.enter_context(
            running(
                [str(sogod), *options],
                port,
                folder / "log",
                env={"HOME": str(home)},
                cwd=home,
                user=name,
                patience=1,
            )
        )
        yield Server(f"http://127.0.0.1:{port}/SOGo/dav/", USER, PASSWORD, f"/SOGo/dav/{USER}/Calendar/")


def _make_person(cluster: Cluster) -> None:
    cluster.run(f"CREATE DATABASE {USER}")
    engine = create_engine(cluster.url(USER), poolclass=NullPool)
    hashed = hashlib.md5(PASSWORD.encode()).hexdigest()
    with engine.begin() as tx:
        tx.execute(
            text("CREATE TABLE sogo_users (c_uid text, c_name text, c_password text, c_cn text, mail text)")
        )
        tx.execute(
            text("INSERT INTO sogo_users VALUES (:user, :user, :hashed, 'Anna', 'anna@example.com')"),
            {"user": USER, "hashed": hashed},
        )


def _options(database: str, cache: str, port: int) -> list[str]:
    users = (
        f'({{type = sql; id = directory; viewURL = "{database}/sogo_users"; canAuthenticate = YES; '
        "isAddressBook = NO; userPasswordAlgorithm = md5;})"
    )
    options = {
        "WOPort": f"127.0.0.1:{port}",
        "WOWorkersCount": "1",
        "WONoDetach": "YES",
        "WOLogFile": "-",
        "WOPidFile": "sogo.pid",
        "SOGoProfileURL": f"{database}/sogo_user_profile",
        "OCSFolderInfoURL": f"{database}/sogo_folder_info",
        "OCSSessionsFolderURL": f"{database}/sogo_sessions_folder",
        "OCSEMailAlarmsFolderURL": f"{database}/sogo_alarms_folder",
        "SOGoMemcachedHost": cache,
        "SOGoUserSources": users,
        "SOGoTimeZone": "UTC",
    }
    return [word for key, value in options.items() for word in (f"-{key}", value)]
