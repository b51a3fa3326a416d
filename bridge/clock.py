"""The system's clock. Whoever needs the time is handed a clock by the wiring; tests hand in another."""

from __future__ import annotations

from datetime import UTC, datetime


class SystemClock:
    """``bridge.ports.Clock`` by the machine's own clock."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        return datetime.now(UTC)
