"""The guard: how much may disappear here in one pass before the user is asked (design.md 4.3, R-GUARD)."""

from __future__ import annotations

DELETIONS_ALWAYS_FINE = 5
DELETIONS_SHARE = 0.2


def guard(deletions: int, agreed: int, *, listing_empty: bool) -> list[str]:
    """Why a plan must wait for the user, in sentences; empty: it need not (design.md 4.3, R-GUARD).

    ``deletions`` are those that absence at the provider would cause here, of ``agreed`` objects.
    """
    if listing_empty and agreed > DELETIONS_ALWAYS_FINE:
        return [
            f"The calendar over there is suddenly empty, while {agreed} events were there before. "
            "Nothing was changed here. If it was emptied on purpose, confirm; otherwise look there first."
        ]
    if deletions > max(DELETIONS_ALWAYS_FINE, DELETIONS_SHARE * agreed):
        return [
            f"{deletions} of {agreed} events disappeared over there at once. "
            "Nothing was changed here. If that is right, confirm; otherwise look there first."
        ]
    return []
