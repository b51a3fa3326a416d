"""calcurse, a calendar in the terminal, and its calcurse-caldav."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.clients.conftest import EMAIL, Studio
from tests.plugin.conftest import event


@dataclass(frozen=True)
class Calcurse:
    """The program with its files in ``folder``; times are Berlin's."""

    folder: Path
    studio: Studio

    def sync(self, *more: str) -> None:
        """As its user would; a sync that fails fails the test."""
        config = self.folder / "config"
        host = self.studio.origin.removeprefix("http://")
        config.write_text(
            f"[General]\nHostname = {host}\nPath = /dav/{EMAIL}/bookings/\nHTTPS = No\nDryRun = No\n"
            f"AuthMethod = basic\nSyncFilter = cal\n[Auth]\nUsername = {EMAIL}\n"
        )
        files = ("--config", config, "--datadir", self.folder, "--lockfile", self.folder / "lock")
        command = ["/usr/bin/python3", "/usr/bin/calcurse-caldav", *files, "--syncdb", self.folder / "db"]
        self._run([*command, "--hookdir", self.folder, *more], CALCURSE_CALDAV_PASSWORD=self.studio.password)

    def appointments(self) -> list[str]:
        """``start title`` of June 2026, in order."""
        query = ["-Q", "--from", "06/01/2026", "--to", "06/30/2026", "--filter-type", "cal"]
        shape = ["--format-apt", "%(start:%d %H:%M) %m\\n"]
        shown = self._run(["calcurse", "-D", self.folder, *query, *shape])
        return [line for line in shown.splitlines() if line and not line.endswith(":")]

    def add(self, text: str) -> None:
        file = self.folder / "new.ics"
        file.write_text(text)
        self._run(["calcurse", "-D", self.folder, "-i", file])

    def drop(self, title: str) -> None:
        self._run(["calcurse", "-D", self.folder, "-P", "--filter-pattern", title])

    def _run(self, command: list[str | Path], **environ: str) -> str:
        usual = {"PATH": "/usr/bin:/bin", "HOME": str(self.folder), "LANG": "C.UTF-8", "TZ": "Europe/Berlin"}
        done = subprocess.run(command, env=usual | environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (done.stdout + done.stderr)[-2000:]
        return done.stdout


def test_calcurse_reads_writes_and_sees_changes(studio: Studio, tmp_path: Path) -> None:
    calcurse = Calcurse(tmp_path / "calcurse", studio)
    calcurse.folder.mkdir()
    studio.book("b1", event("b1", summary="Wedding"))
    calcurse.sync("--init", "keep-remote")
    assert calcurse.appointments() == ["10 10:00 Wedding"]

    calcurse.add(event("own", summary="Dentist", start="20260612T090000"))
    calcurse.sync()
    [dentist] = [text for text in studio.texts().values() if "SUMMARY:Dentist" in text]
    assert "20260612T0" in dentist

    studio.book("b1", event("b1", summary="Wedding", start="20260611T150000"))
    studio.book("b2", event("b2", summary="Newborn", start="20260615T110000"))
    calcurse.sync()
    assert calcurse.appointments() == ["11 15:00 Wedding", "12 09:00 Dentist", "15 11:00 Newborn"]

    calcurse.drop("Dentist")
    studio.gone("b2")
    calcurse.sync()
    assert calcurse.appointments() == ["11 15:00 Wedding"]
    assert len(studio.texts()) == 1
