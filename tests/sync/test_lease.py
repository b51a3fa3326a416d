"""Who may run a link, and what becomes of the lease of a process that died."""

from __future__ import annotations

import os
import subprocess
import sys

from bridge.sync import lease


def test_we_ourselves_are_alive() -> None:
    assert not lease.is_dead(lease.name())


def test_a_process_of_this_machine_that_ended_is_seen_dead() -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    holder = lease.name().replace(f"/{os.getpid()}/", f"/{process.pid}/")
    assert not lease.is_dead(holder)
    process.communicate(b"\n")
    assert lease.is_dead(holder)


def test_a_holder_on_another_machine_is_never_declared_dead() -> None:
    where, _pid, thread = lease.name().rsplit("/", 2)
    assert not lease.is_dead(f"{where[:-1]}x/999999999/{thread}")
    assert not lease.is_dead("process 17")
