"""Cyrus IMAP 3.6 with CalDAV (what Fastmail runs): one UID per home, passwords from a database of its own."""

from __future__ import annotations

import contextlib
import imaplib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.servers.dav import Server
from tests.servers.debian import account, folder_of, needed
from tests.servers.process import free_port, running

USER, PASSWORD, REALM = "anna", "geheim", "localhost"
_PROGRAMS = "/usr/lib/cyrus/bin"


@contextlib.contextmanager
def cyrus(folder: Path) -> Iterator[Server]:
    """A server with its log in ``folder``. Cyrus wants to be its own account."""
    master = needed(f"{_PROGRAMS}/master", "cyrus-caldav", "cyrus-imapd", "cyrus-admin", "sasl2-bin")
    saslpasswd = needed("/usr/sbin/saslpasswd2", "sasl2-bin", "libsasl2-modules")
    name = account("cyrus")
    with folder_of(name) as home:
        for part in ("conf/socket", "spool", "run/proc", "run/lock"):
            (home / part).mkdir(parents=True)
        http, imap = free_port(), free_port()
        (home / "imapd.conf").write_text(_CONFIG.format(home=home))
        (home / "cyrus.conf").write_text(_SERVICES.format(home=home, bin=_PROGRAMS, http=http, imap=imap))
        for person in (USER, "cyrus"):
            command = [str(saslpasswd), "-p", "-c", "-f", str(home / "sasldb2"), "-u", REALM, person]
            subprocess.run(command, input=PASSWORD.encode(), check=True)
        if name:
            for path in [home, *home.rglob("*")]:
                shutil.chown(path, name, "mail")
        options = ["-C", str(home / "imapd.conf"), "-M", str(home / "cyrus.conf"), "-p", str(home / "pid")]
        with running([str(master), *options], http, folder / "log", cwd=home, user=name):
            admin = imaplib.IMAP4("127.0.0.1", imap)
            admin.login("cyrus", PASSWORD)
            assert admin.create(f"user/{USER}")[0] == "OK"
            admin.logout()
            yield Server(f"http://127.0.0.1:{http}/", USER, PASSWORD, f"/dav/calendars/user/{USER}/")


_CONFIG = """\
configdirectory: {home}/conf
proc_path: {home}/run/proc
mboxname_lockpath: {home}/run/lock
defaultpartition: default
partition-default: {home}/spool
altnamespace: yes
unixhierarchysep: yes
virtdomains: off
admins: cyrus
servername: localhost
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: {home}/sasldb2
sasl_mech_list: PLAIN LOGIN
allowplaintext: yes
httpmodules: caldav
autocreate_quota: 0
caldav_allowscheduling: off
duplicate_db_path: {home}/conf/deliver.db
idlesocket: {home}/conf/socket/idle
notifysocket: {home}/conf/socket/notify
lmtpsocket: {home}/conf/socket/lmtp
"""

_SERVICES = """\
START {{
}}
SERVICES {{
  http cmd="{bin}/httpd -C {home}/imapd.conf -U 100000 -T 600" listen="127.0.0.1:{http}" prefork=1 maxchild=8
  imap cmd="{bin}/imapd -C {home}/imapd.conf" listen="127.0.0.1:{imap}" prefork=0 maxchild=2
}}
EVENTS {{
}}
"""
