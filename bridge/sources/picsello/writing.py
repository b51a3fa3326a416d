"""Writing back, by Picsello's own rules, each change one transaction guarded by what was read.

Locks are taken in the application's order (job, shoots, invoices, slots), so that the two never wait for each
other in a circle; ``job_statuses`` is not touched while they are held, since in the second generation every
payment rebuilds it. Never written: ``external_event_id``, which belongs to Picsello's own sync.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from bridge.errors import ObjectGone, TagMismatch
from bridge.sources.picsello import payments, queries, slots
from bridge.sources.picsello.database import Asking
from bridge.sources.picsello.edits import Wanted, wanted
from bridge.sources.picsello.options import Options
from bridge.sources.picsello.queries import Row


@dataclass(frozen=True, slots=True)
class Writer:
    """Changes of one studio's shoots. ``slots``: the second generation."""

    asking: Asking
    organization: int
    options: Options
    slots: bool

    def change(self, shoot: int, text: str, digest: str, zone: ZoneInfo) -> tuple[Row, str | None]:
        """Carry out what an edited text asks for; returns the row as it is then, and a note about what was
        not done as asked. Raises ObjectGone, TagMismatch, Invalid."""
        row = self._locked(shoot, digest)
        found = wanted(text, row, zone, self.options)
        now = self._now()
        before = payments.ends(self.asking, row.job_id)
        moves_to = found.moves_to
        if moves_to is not None and self.slots and row.booking_event_id is not None:
            refusal = slots.move(self.asking, row.booking_event_id, row.job_id, moves_to, zone, now)
            if refusal:
                found.stay(refusal)
        if found.values:
            self._update(row, found, now)
        if found.moves_to is not None:
            self._payments(row, before, found, now)
        if found.values:
            row = self._row(shoot) or row
        return row, " ".join(found.notes) or None

    def archive(self, shoot: int, digest: str) -> None:
        """Cancel the shoot's job as Picsello does; its other shoots leave the calendar with it. Raises
        ObjectGone, TagMismatch."""
        row = self._locked(shoot, digest)
        now = self._now()
        self.asking.do(
            "UPDATE jobs SET archived_at = %s, updated_at = %s WHERE id = %s", now, now, row.job_id
        )
        if not row.is_lead:  # no more reminders; Picsello leaves updated_at alone here
            for table in ("shoots", "payment_schedules"):
                self.asking.do(
                    f"UPDATE {table} SET reminded_at = %s WHERE job_id = %s AND reminded_at IS NULL",  # noqa: S608
                    now,
                    row.job_id,
                )
        if self.slots and row.booking_event_id is not None:
            slots.free(self.asking, row.booking_event_id, row.job_id, now)

    # --- steps ------------------------------------------------------------------------------------------

    def _locked(self, shoot: int, digest: str) -> Row:
        """The row as it was read, and nobody can change it before this transaction ends."""
        job = self.asking.one(
            "SELECT j.id FROM jobs j JOIN shoots s ON s.job_id = j.id WHERE s.id = %s FOR NO KEY UPDATE OF j",
            shoot,
        )
        if job is None:
            raise ObjectGone("This booking no longer exists in Picsello.")
        self.asking.rows("SELECT id FROM shoots WHERE job_id = %s ORDER BY id FOR NO KEY UPDATE", job.id)
        payments.lock(self.asking, job.id)
        row = self._row(shoot)
        if row is None:
            raise ObjectGone("This booking is no longer on Picsello's calendar.")
        if row.digest != digest:
            raise TagMismatch("The booking has changed in Picsello in the meantime.")
        return row

    def _row(self, shoot: int) -> Row | None:
        found = queries.shoots(self.asking, self.organization, self.options, [shoot], queries.TABLES)
        return found[0] if found else None

    def _now(self) -> datetime:
        """The present second as Picsello writes it: naive UTC."""
        found = self.asking.one(
            "SELECT date_trunc('second', clock_timestamp() AT TIME ZONE 'utc')::timestamp(0) AS now"
        )
        assert found is not None
        now: datetime = found.now
        return now

    def _update(self, row: Row, found: Wanted, now: datetime) -> None:
        columns = ", ".join(f"{name} = %s" for name in found.values)
        self.asking.do(
            f"UPDATE shoots SET {columns}, updated_at = greatest(updated_at, %s) WHERE id = %s",  # noqa: S608
            *found.values.values(),
            now,
            row.id,
        )

    def _payments(
        self, row: Row, before: tuple[datetime | None, datetime | None], found: Wanted, now: datetime
    ) -> None:
        if row.is_lead:
            payments.shift(self.asking, row.job_id, before, payments.ends(self.asking, row.job_id), now)
        elif payments.owes(self.asking, row.job_id):
            found.notes.append(payments.INVOICES_STAY)
