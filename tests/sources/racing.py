"""The application and the bridge writing the same bookings at once, with pauses wherever they may fall."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

import psycopg

from bridge.errors import ObjectGone, RetryLater, TagMismatch
from bridge.sources.picsello import reconnect
from bridge.sources.picsello.edits import LENGTHS
from tests.sources.conftest import uid
from tests.sources.picsello import Picsello
from tests.sources.test_writing import replaced

START, DUE = datetime(2027, 5, 1, 14), datetime(2027, 4, 1)
PLAN = {"Half": "Before 1st Shoot", "Rest": "Before Last Shoot"}


@dataclass
class Race:
    """Rounds of one race, and what went wrong in them."""

    picsello: Picsello
    url: str
    organization: int
    random: Random
    wrong: list[str] = field(default_factory=list)
    retries: int = 0

    def run(self, rounds: int) -> None:
        for number in range(rounds):
            self._round(number)

    def _round(self, number: int) -> None:
        p, paid = self.picsello, self.random.random() < 0.5
        job = p.job(self.organization, paid=paid)
        package = p.row("jobs", job)["package_id"]
        for description, interval in PLAN.items():
            given = {"description": description, "shoot_interval": interval, "package_id": package}
            p.insert("package_payment_schedules", interval=True, schedule_date=DUE, **given)
            p.invoice(job, description, DUE)
        shoot = p.shoot(job, START)
        act = self.random.choice([self._edits, self._edits, self._pays, self._archives])
        pauses = [self.random.choice((0, 0, 0.001, 0.003)) for _ in range(8)]
        deltas = [self.random.choice((0, 0.001, 0.002, 0.004)) for _ in range(2)]
        threads = [
            threading.Thread(target=self._guarded, args=(number, deltas[0], lambda: act(job, shoot, pauses))),
            threading.Thread(target=self._guarded, args=(number, deltas[1], lambda: self._drag(shoot))),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        if any(thread.is_alive() for thread in threads):
            self.wrong.append(f"round {number}: somebody waits for ever")
        self._check(number, act.__name__, job, shoot, paid)

    def _guarded(self, number: int, delay: float, act: Callable[[], None]) -> None:
        time.sleep(delay)
        try:
            act()
        except Exception as error:
            self.wrong.append(f"round {number}: {type(error).__name__}: {error}")

    # --- the application, in its own order -----------------------------------------------------------

    def _statements(self, pauses: list[float], *statements: tuple[str, list[Any]]) -> None:
        with psycopg.connect(self.url) as connection:
            for (statement, values), pause in zip(statements, pauses, strict=False):
                connection.execute(statement, values)
                time.sleep(pause)

    def _edits(self, job: int, shoot: int, pauses: list[float]) -> None:
        later = self.picsello.now + timedelta(seconds=9)
        touched = "UPDATE {} SET updated_at = %s WHERE {} = %s"
        plan = (
            "UPDATE package_payment_schedules s SET updated_at = %s FROM jobs j"
            " WHERE j.package_id = s.package_id AND j.id = %s"
        )
        self._statements(
            pauses,
            ("UPDATE shoots SET notes = 'theirs', updated_at = %s WHERE id = %s", [later, shoot]),
            (plan, [later, job]),
            (touched.format("payment_schedules", "job_id"), [later, job]),
        )

    def _pays(self, job: int, shoot: int, pauses: list[float]) -> None:
        first = "(SELECT min(id) FROM payment_schedules WHERE job_id = %s)"
        paid = f"UPDATE payment_schedules SET paid_at = %s WHERE id = {first}"
        self._statements(pauses, (paid, [self.picsello.now, job]))

    def _archives(self, job: int, shoot: int, pauses: list[float]) -> None:
        now = self.picsello.now
        self._statements(
            pauses,
            ("UPDATE jobs SET archived_at = %s, updated_at = %s WHERE id = %s", [now, now, job]),
            ("UPDATE shoots SET reminded_at = %s WHERE job_id = %s", [now, job]),
            ("UPDATE payment_schedules SET reminded_at = %s WHERE job_id = %s", [now, job]),
        )

    # --- the bridge -----------------------------------------------------------------------------------

    def _drag(self, shoot: int) -> None:
        """Two days later and 75 minutes long, as often as it takes."""
        profile = {"organization": self.organization, "user": 1, "slots": self.picsello.generation == 2}
        profile["materialized"] = profile["slots"]
        source = reconnect(self.url, "", profile)
        calendar = f"organization/{self.organization}"
        try:
            for _ in range(20):
                entry = next(iter(source.fetch(calendar, [uid(shoot)])), None)
                if entry is None:
                    return  # archived first
                wanted = replaced(entry.text or "", DTSTART="20270503T100000", DTEND="20270503T111500")
                try:
                    source.put(calendar, entry.href, wanted, entry.tag)
                except ObjectGone:
                    return
                except (TagMismatch, RetryLater) as error:
                    if isinstance(error, RetryLater):
                        self.wrong.append(f"the bridge had to give way: {error.__cause__}")
                    self.retries += 1
                    continue
                return
            self.wrong.append("the bridge never came through")
        finally:
            source.close()

    # --- afterwards -----------------------------------------------------------------------------------

    def _check(self, number: int, act: str, job: int, shoot: int, paid: bool) -> None:
        row, owner = self.picsello.row("shoots", shoot), self.picsello.row("jobs", job)
        moved = row["starts_at"] == START + timedelta(days=2)
        found = []
        if not moved and owner["archived_at"] is None:
            found.append("our move is lost")
        if act == "_edits" and row["notes"] != "theirs":
            found.append("their notes are lost")
        if row["duration_minutes"] not in LENGTHS:
            found.append(f"{row['duration_minutes']} minutes is no length of theirs")
        if row["external_event_id"] is not None:
            found.append("the Nylas id was written")
        dues = self.picsello.connection.execute(
            "SELECT due_at FROM payment_schedules"
            " WHERE job_id = %s AND description = ANY(%s) AND paid_at IS NULL",
            [job, list(PLAN)],
        ).fetchall()
        if moved and act != "_pays":
            expected = DUE if paid else DUE + timedelta(days=2)
            if any(due["due_at"] != expected for due in dues):
                found.append(f"the plan is at {[due['due_at'] for due in dues]}")
        self.wrong += [f"round {number}, {act}: {one}" for one in found]
