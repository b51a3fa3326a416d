"""A Picsello database for the tests, built from the notes (2.2, 2.3): both generations, on real PostgreSQL.

The application's own ways of writing are here too (``Picsello``), as the notes describe them, so that tests
can be both sides. Nothing of the code under test is used.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

SCHEMA = Path(__file__).parent / "schema"
TRIGGERED = ("jobs", "packages", "booking_proposals", "payment_schedules", "questionnaire_answers")


def build(connection: psycopg.Connection[Any], generation: int) -> None:
    """An empty Picsello of that generation."""
    connection.execute((SCHEMA / "common.sql").read_text())
    kind = "VIEW" if generation == 1 else "MATERIALIZED VIEW"
    statuses = (SCHEMA / "job_statuses.sql").read_text().partition("\n")[2]
    connection.execute(f"CREATE {kind} job_statuses {statuses}")
    if generation == 2:
        connection.execute((SCHEMA / "second.sql").read_text())
        connection.execute('ALTER TABLE jobs ADD COLUMN "is_reserved?" boolean DEFAULT false')
        for table in TRIGGERED:
            connection.execute(
                f"CREATE TRIGGER refresh_{table} AFTER INSERT OR UPDATE OR DELETE ON {table}"
                " FOR EACH STATEMENT EXECUTE FUNCTION refresh_job_statuses()"
            )


@dataclass
class Picsello:
    """The application's side: what it writes, and what a person would look up."""

    connection: psycopg.Connection[Any]
    generation: int
    now: datetime = datetime(2026, 1, 10, 12, 0, 0)
    _numbers: Any = field(default_factory=lambda: count(1))

    @classmethod
    def made(cls, url: str, generation: int) -> Picsello:
        connection = psycopg.connect(url.replace("+psycopg", ""), autocommit=True, row_factory=dict_row)
        build(connection, generation)
        return cls(connection, generation)

    def insert(self, table: str, **values: Any) -> int:
        stamps = {"inserted_at": self.now, "updated_at": self.now}
        values = {**stamps, **values}
        names = ", ".join(f'"{name}"' for name in values)
        marks = ", ".join("%s" for _ in values)
        given = [json.dumps(v) if isinstance(v, dict | list) else v for v in values.values()]
        row = self.connection.execute(
            f"INSERT INTO {table} ({names}) VALUES ({marks}) RETURNING id", given
        ).fetchone()
        assert row is not None
        return int(row["id"])

    def set(self, table: str, id_: int, *, stamped: bool = True, **values: Any) -> None:
        """As the application updates a row; ``stamped`` False: one of its bulk updates."""
        if stamped:
            self.now += timedelta(seconds=7)
            values["updated_at"] = self.now
        given = [json.dumps(v) if isinstance(v, dict | list) else v for v in values.values()]
        names = ", ".join(f'"{name}" = %s' for name in values)
        self.connection.execute(f"UPDATE {table} SET {names} WHERE id = %s", [*given, id_])

    def row(self, table: str, id_: int) -> Mapping[str, Any]:
        found = self.connection.execute(f"SELECT * FROM {table} WHERE id = %s", [id_]).fetchone()
        assert found is not None
        return found

    # --- people and jobs ------------------------------------------------------------------------------

    def studio(self, email: str, zone: str | None = "America/New_York", slug: str | None = None) -> int:
        number = next(self._numbers)
        organization = self.insert("organizations", name=f"Studio {number}", slug=slug or f"studio-{number}")
        self.insert("users", email=email, name="Photographer", organization_id=organization, time_zone=zone)
        return organization

    def job(
        self,
        organization: int,
        client: str | None = "Mary Jane",
        type_: str = "wedding",
        *,
        paid: bool = False,
        cash: bool = False,
        collected: int | None = None,
        event: int | None = None,
        phone: str | None = "555-0100",
        **values: Any,
    ) -> int:
        number = next(self._numbers)
        client_id = self.insert(
            "clients", name=client, email=f"c{number}@example.com", phone=phone, organization_id=organization
        )
        price = None if collected is None else {"amount": collected, "currency": "USD"}
        package = self.insert(
            "packages", name="P", shoot_count=1, organization_id=organization, collected_price=price
        )
        values = {"notes": "private: ask about the divorce", **values}
        job = self.insert(
            "jobs", type=type_, client_id=client_id, package_id=package, booking_event_id=event, **values
        )
        if paid or cash:
            self.invoice(job, "Deposit", self.now, paid_at=self.now if paid else None, is_with_cash=cash)
        return job

    def invoice(self, job: int, description: str, due: datetime, **values: Any) -> int:
        values = {"price": {"amount": 10000, "currency": "USD"}, **values}
        return self.insert("payment_schedules", job_id=job, description=description, due_at=due, **values)

    def shoot(self, job: int, starts: datetime | None, minutes: int | None = 60, **values: Any) -> int:
        values = {"name": "Engagement", "location": "on_location", "address": "1 Main St", **values}
        return self.insert("shoots", job_id=job, starts_at=starts, duration_minutes=minutes, **values)

    def booking_event(self, organization: int) -> int:
        template = self.insert("packages", name="T", shoot_count=1, organization_id=organization)
        return self.insert("booking_events", name="Minis", duration_minutes=30, package_template_id=template)

    def day(self, event: int, on: date, slots: list[dict[str, Any]]) -> int:
        return self.insert(
            "booking_event_dates",
            booking_event_id=event,
            date=on,
            session_length=30,
            time_blocks=[],
            slots=slots,
        )

    def waiting(self, worker: str, state: str = "scheduled", **args: Any) -> int:
        """A job in the application's queue (Oban)."""
        row = self.connection.execute(
            "INSERT INTO oban_jobs (state, worker, args, inserted_at) VALUES (%s, %s, %s, now())"
            " RETURNING id",
            [state, f"Picsello.Workers.{worker}", json.dumps(args)],
        ).fetchone()
        assert row is not None
        return int(row["id"])


def tricky(picsello: Picsello, organization: int) -> tuple[dict[str, int], set[str]]:
    """The set of notes 2.5: situation to shoot id, and the situations that are off the calendar."""
    p, at = picsello, datetime(2027, 5, 1, 14, 0)
    event = p.booking_event(organization)
    made: dict[str, int] = {"lead without proposal": p.shoot(p.job(organization), at)}
    two = p.job(organization)
    for _ in range(2):
        p.insert("booking_proposals", job_id=two)
    made["lead with two proposals"] = p.shoot(two, at)
    made["unpaid booking lead"] = p.shoot(p.job(organization, event=event), at)
    made["paid job"] = p.shoot(p.job(organization, paid=True), at)
    made["paid booking"] = p.shoot(p.job(organization, paid=True, event=event), at)
    made["cash job"] = p.shoot(p.job(organization, cash=True), at)
    made["imported job, nothing collected"] = p.shoot(p.job(organization, collected=0), at)
    made["archived paid job"] = p.shoot(p.job(organization, paid=True, archived_at=p.now), at)
    made["completed lead"] = p.shoot(p.job(organization, completed_at=p.now), at)
    made["gallery-only job"] = p.shoot(p.job(organization, is_gallery_only=True), at, None)
    double = p.job(organization, paid=True)
    made["first of two shoots"] = p.shoot(double, at)
    made["second of two shoots"] = p.shoot(double, at + timedelta(days=1), name="Wedding day")
    made["nulls"] = p.shoot(
        p.job(organization, client=None, phone=None), at, None, name=None, location=None, address=None
    )
    for name, moment in {
        "before spring forward": datetime(2027, 3, 14, 6, 30),
        "after spring forward": datetime(2027, 3, 14, 7, 30),
        "01:30 in summer time": datetime(2027, 11, 7, 5, 30),
        "01:30 in winter time": datetime(2027, 11, 7, 6, 30),
        "year end": datetime(2028, 1, 1, 4, 59, 59),
    }.items():
        made[name] = p.shoot(p.job(organization, paid=True), moment)
    made["no start"] = p.shoot(p.job(organization, paid=True), None)
    return made, {"unpaid booking lead", "archived paid job", "no start"}


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None)
