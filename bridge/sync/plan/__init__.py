"""What to do about one object, as plain data: a pure function of (base, hub, remote, flight, policy).

It never sees a clock, a socket or SQL; dry run, journal, preview page and tests show the same plan.
Per object the table is (``=`` as in that side's own base, ``Δ`` changed, ``†`` gone, ``∅`` never there)::

    base  hub  remote   action
    ∅     new  ∅        create there                     (bookings, or a mirror with *edits*)
    ∅     ∅    new      import                           (foreign events of a read calendar)
    ∅     new  new      adopt: merge without a base
    yes   =    =        nothing
    yes   Δ    =        carry the changed groups there
    yes   =    Δ        carry the changed groups here
    yes   Δ    Δ        merge by group; the kind's preference decides a group that both changed
    yes   †    =        delete there
    yes   =    †        delete here; a booking by its policy: restore, hide, cancel
    yes   †    Δ        the edit wins: bring it back here
    yes   Δ    †        the edit wins: create it there again
    yes   †    †        forget

With the *source* (where bookings live) the same table holds for bookings, with these rows of its own::

    ∅     yes  ∅        nothing: a booking made here has no home there
    ∅     yes  new      the source's values
    yes   Δ    =        carry there what a source has (``CARRIED``); what it makes of that comes back
    yes   any  †        cancel here: it is off the source's calendar
    yes   †    =        archive it there (the user cancelled it)
    away  any  back     bring it back here

Where nothing can be written there, an edit goes back (``refuse``) or stays here and says so (``local``)
until the source agrees. Blocks never go to a source.

Before that a write in flight is settled: a remote that equals it is our own doing and becomes the base,
whatever has been edited since; anything else is somebody's edit (design.md section 3).

``items`` and ``actions`` are the values, ``table``, ``gone`` and ``source`` the rows, ``flight`` the memory
of writes, ``guard`` the brake, ``words`` the sentences.
"""

from __future__ import annotations

from bridge.sync.plan.actions import (
    Action,
    Agree,
    Decision,
    DeleteHub,
    DeleteRemote,
    Forget,
    Keep,
    PutHub,
    PutRemote,
    Restored,
    Stop,
    Suggest,
    Tell,
    tally,
)
from bridge.sync.plan.flight import rewritten
from bridge.sync.plan.guard import guard
from bridge.sync.plan.items import (
    Base,
    Flight,
    Hub,
    Item,
    Kind,
    OnDelete,
    OnMove,
    Policy,
    Prefer,
    Remote,
    SourceEdits,
)
from bridge.sync.plan.table import PERSONAL, decide
from bridge.sync.plan.words import describe
from bridge.sync.plan.writing import marker_uid

__all__ = [
    "PERSONAL",
    "Action",
    "Agree",
    "Base",
    "Decision",
    "DeleteHub",
    "DeleteRemote",
    "Flight",
    "Forget",
    "Hub",
    "Item",
    "Keep",
    "Kind",
    "OnDelete",
    "OnMove",
    "Policy",
    "Prefer",
    "PutHub",
    "PutRemote",
    "Remote",
    "Restored",
    "SourceEdits",
    "Stop",
    "Suggest",
    "Tell",
    "decide",
    "describe",
    "guard",
    "marker_uid",
    "rewritten",
    "tally",
]
