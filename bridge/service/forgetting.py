"""What need not be kept any longer: counted failures, ended sessions, old entries of the access log."""

from __future__ import annotations

from bridge.service import Bridge, attempts
from bridge.service.audit import KEPT
from bridge.store import audit, ended


def forget(bridge: Bridge) -> None:
    """Drop it. Cheap, and safe in several processes at once."""
    now = bridge.clock.now()
    attempts.forget(bridge)
    with bridge.db.writing() as tx:
        ended.forget(tx, now)
        audit.forget(tx, now - KEPT)
