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
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Literal

from bridge.ical.added import note, noted, unnoted
from bridge.ical.facts import facts, places, stamps
from bridge.ical.fields import GroupKey, changed, fingerprint
from bridge.ical.marker import mark, marker, unmark
from bridge.ical.merge import GroupConflict, arrived, first_merge, merge
from bridge.ical.transfer import with_groups

Kind = Literal["booking", "block", "foreign"]
Prefer = Literal["ours", "theirs", "ask"]
OnDelete = Literal["restore", "hide", "cancel"]
OnMove = Literal["apply", "approve"]

#: Groups that are each calendar's own affair: changing them alone asks nobody (policy ``approve``).
PERSONAL = frozenset({"alarms"})
#: So often is an object put back there without anybody's edit here; then it is left alone (R-ECHO).
REWRITES = 3
#: What becomes of an edit to a booking that lives at a source; none: the spoke is no source.
SourceEdits = Literal["none", "write", "local", "refuse"]

#: The groups that a source knows of. All others (reminders, guests, colours) are the calendars' own affair.
CARRIED = frozenset({"when", "title", "place", "notes", "status"})


# --- what is known -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Hub:
    """Our object as it is now. ``cancelled`` bookings are kept here and belong nowhere else."""

    href: str
    etag: str
    text: str
    cancelled: bool = False
    hidden: bool = False  # off our calendar only (policy hide)


@dataclass(frozen=True, slots=True)
class Remote:
    """Their object as it is now."""

    href: str
    tag: str
    text: str


@dataclass(frozen=True, slots=True)
class Base:
    """What each side held when they last agreed. ``remote`` None: agreed that it is not there."""

    hub: str
    etag: str
    remote: str | None
    tag: str | None


@dataclass(frozen=True, slots=True)
class Flight:
    """The write that was about to be sent when we last knew. ``text`` None: a delete.

    ``hub`` and ``etag`` are our object that it stands for; ``expect`` the tag it was conditional on
    (None: a create)."""

    text: str | None
    hub: str | None
    etag: str | None
    expect: str | None


@dataclass(frozen=True, slots=True)
class Item:
    """One object under one link, everything known about it.

    ``remote`` None means proven absent. ``deletion_seen`` means more: that it was there and was deleted
    (a tombstone in a delta), which tells a lost create from one that somebody deleted again.
    """

    uid: str
    kind: Kind
    hub: Hub | None
    remote: Remote | None
    base: Base | None = None
    flight: Flight | None = None
    generation: int = 1
    deletion_seen: bool = False
    rewrites: int = 0  # how often in a row it was put back there, with nobody's edit here


@dataclass(frozen=True, slots=True)
class Policy:
    """The user's wishes for one link, and this installation's name for its markers."""

    reads: bool
    edits: bool
    writes: bool
    installation: str
    prefer_own: Prefer = "ours"  # bookings and blocks
    prefer_foreign: Prefer = "theirs"
    on_delete: OnDelete = "restore"
    on_move: OnMove = "apply"
    source: SourceEdits = "none"

    @property
    def is_source(self) -> bool:
        return self.source != "none"

    def prefer(self, kind: Kind) -> Prefer:
        return self.prefer_foreign if kind == "foreign" else self.prefer_own

    def takes_part(self, kind: Kind) -> bool:
        if self.is_source:
            return kind == "booking"
        return self.reads if kind == "foreign" else self.writes

    def may_write(self, kind: Kind) -> bool:
        if self.is_source:
            return self.source == "write"
        return self.edits if kind == "foreign" else self.writes


# --- what to do -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PutHub:
    """Write ``text`` here (create if ``expect`` is None, else if our etag is still that)."""

    text: str
    expect: str | None
    cancel: bool = False


@dataclass(frozen=True, slots=True)
class DeleteHub:
    """Delete it here, if our etag is still ``expect``."""

    expect: str


@dataclass(frozen=True, slots=True)
class PutRemote:
    """Write ``text`` there; None as ``expect`` creates. ``generation`` names a created object."""

    text: str
    expect: str | None
    generation: int = 1


@dataclass(frozen=True, slots=True)
class DeleteRemote:
    """Delete it there, if its tag is still ``expect``."""

    expect: str


@dataclass(frozen=True, slots=True)
class Agree:
    """Both sides are as they should be: remember ``base``. Nothing is written on either side."""

    base: Base


@dataclass(frozen=True, slots=True)
class Forget:
    """Neither side has it any more: drop the pairing."""


@dataclass(frozen=True, slots=True)
class Restored:
    """Tell the user that a booking deleted over there was put back (with an offer to cancel it)."""


@dataclass(frozen=True, slots=True)
class Keep:
    """Remember ``base`` exactly as it is: here stands an edit that did not go there."""

    base: Base


@dataclass(frozen=True, slots=True)
class Tell:
    """Say something about a booking in the app; None: it is no longer true."""

    message: str | None


@dataclass(frozen=True, slots=True)
class Suggest:
    """Keep a change to a booking that was made there for the user to approve (policy ``approve``)."""

    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Stop:
    """Leave the object alone until somebody edits it here: the other side will not keep what we write."""

    why: str


Action = (
    Suggest | Stop | Keep | Tell | PutHub | DeleteHub | PutRemote | DeleteRemote | Agree | Forget | Restored
)


@dataclass(frozen=True, slots=True)
class Decision:
    """The actions for one item, in order (here before there), and the groups both sides had changed.

    ``between`` is what to remember once our side is done and theirs is on its way: their edits are taken
    over,
    ours still to be sent. ``arrived``: the write that was in flight turned out to have been carried out.
    """

    item: Item
    actions: tuple[Action, ...] = ()
    conflicts: tuple[GroupConflict, ...] = ()
    merged: bool = False
    between: Base | None = None
    arrived: bool = False
    puts_back: bool = False  # writes there without anybody's edit here: the loop breaker counts these


def decide(item: Item, policy: Policy) -> Decision:
    """The plan for one object. An empty ``actions`` means: nothing to do, nothing new to remember."""
    settled, arrived_there = _settle_flight(item)
    decision = _decide(settled, policy) if policy.takes_part(item.kind) else _withdraw(settled)
    if decision.puts_back and settled.rewrites >= REWRITES:
        decision = Decision(settled, (Stop(STOPPED),))
    if not decision.actions and (settled.base != item.base or item.flight is not None):
        # The write in flight turned out one way or the other, and there is nothing else to do.
        remember: Action = Agree(settled.base) if settled.base else Forget()
        decision = replace(decision, actions=(remember,))
    elif decision.between is None and settled.base != item.base:
        decision = replace(decision, between=settled.base)  # another write follows: first remember this one
    return replace(decision, arrived=arrived_there)


STOPPED = (
    f"The other calendar changed this event {REWRITES} times after it was put back, so it is left alone now. "
    "Answer the change that waits for your approval, or edit the event here."
)


def _settle_flight(item: Item) -> tuple[Item, bool]:
    """The item with its write in flight turned into knowledge, and whether that write was carried out."""
    flight, remote, base = item.flight, item.remote, item.base
    if flight is None:
        return item, False
    item = replace(item, flight=None)
    if flight.text is None:  # a delete: done if it is gone, otherwise plan afresh
        return item, remote is None
    assert flight.hub is not None and flight.etag is not None
    sent = Base(flight.hub, flight.etag, flight.text, None)
    if remote is None:
        # A lost create cannot be told from one that somebody deleted again, unless the deletion was seen.
        arrived_there = flight.expect is None and item.deletion_seen
        return (replace(item, base=sent), True) if arrived_there else (item, False)
    if fingerprint(remote.text) == fingerprint(flight.text) or _rewritten(flight.text, remote.text):
        return replace(item, base=replace(sent, remote=remote.text, tag=remote.tag)), True
    if remote.tag == flight.expect or not _carries(remote.text, flight.text, base.remote if base else None):
        return item, False
    return replace(item, base=sent), True


def _rewritten(sent: str, remote: str) -> bool:
    """Whether the server, not a person, made ``remote`` of what we sent: it bears this write's marker and
    its stamps, and says the same time, title and place."""
    ours = marker(sent)
    if ours is None or marker(remote) != ours or stamps(remote) != stamps(sent):
        return False
    if any(group in ("when", "title", "component") for _, group in changed(sent, remote)):
        return False
    return places(sent) == places(remote)  # by name: what draws them on a map many servers cannot hold


def _carries(remote: str, sent: str, before: str | None) -> bool:
    """Whether a remote that somebody edited was edited after our write. Each write's marker is its own, so
    where the server keeps it the answer is certain; else the groups that we changed tell."""
    if before is None:
        return True
    found, ours, old = marker(remote), marker(sent), marker(before)
    if found is not None and ours is not None and ours != old and found in (ours, old):
        return found == ours
    return arrived(before, sent, remote)


def _withdraw(item: Item) -> Decision:
    """The link lost the role for this kind: take our copy back, by the pairing that entitles us."""
    if item.base is None:
        return Decision(item)
    if item.kind == "foreign":
        gone: tuple[Action, ...] = (DeleteHub(item.hub.etag),) if item.hub else (Forget(),)
        return Decision(item, gone)
    if item.remote is None:
        return Decision(item, (Forget(),))
    return Decision(item, (DeleteRemote(item.remote.tag),))


def _decide(item: Item, policy: Policy) -> Decision:
    hub, remote, base = item.hub, item.remote, item.base
    if policy.is_source:
        return _with_source(item, policy)
    if base is None or base.remote is None:
        return _without_base(item, policy)
    if hub is None or hub.cancelled:
        return _gone_here(item, policy, base)
    if remote is None:
        return _gone_there(item, policy, base)
    return _both_there(item, policy, hub, remote, base)


def _without_base(item: Item, policy: Policy) -> Decision:
    hub, remote, base = item.hub, item.remote, item.base
    here = hub is not None and not hub.cancelled
    if remote is None:
        if base is not None:  # agreed that it is not there (policy hide, or cancelled)
            if hub is None:
                return Decision(item, (Forget(),))
            if here and facts(base.hub).status == "CANCELLED":  # the cancellation was taken back
                return Decision(item, (_create(item, hub, policy, item.generation + 1),))
            return Decision(item, () if hub.etag == base.etag else (Agree(_agreed(hub, None)),))
        if hub is None or not here or not policy.may_write(item.kind):
            return Decision(item)
        return Decision(item, (_create(item, hub, policy, item.generation),))
    if hub is None:
        if item.kind != "foreign":
            return Decision(item)  # marked as ours, yet unknown here: without a pairing we may not touch it
        return Decision(item, (PutHub(remote.text, None),))
    if not here:  # cancelled; only a pairing entitles us to take it away over there
        return Decision(item, (DeleteRemote(remote.tag),) if base is not None else ())
    if item.kind == "foreign" and not policy.edits:
        return _follow(item, hub, remote)
    both = first_merge(hub.text, remote.text, policy.prefer(item.kind))
    return _write_merged(item, policy, hub, remote, both.hub, both.remote, both.conflicts)


def _both_there(item: Item, policy: Policy, hub: Hub, remote: Remote, base: Base) -> Decision:
    assert base.remote is not None
    here = hub.etag != base.etag and bool(changed(base.hub, hub.text))
    there = remote.tag != base.tag and bool(changed(base.remote, remote.text))
    if not here and not there:
        same = hub.etag == base.etag and remote.tag == base.tag
        if same:
            return Decision(item)
        if item.kind == "foreign" and remote.text != hub.text and not policy.edits:
            return _follow(item, hub, remote)  # only bookkeeping changed, but a mirror holds their bytes
        return Decision(item, (Agree(_agreed(hub, remote)),))
    if item.kind == "foreign" and not policy.edits:
        return _follow(item, hub, remote)
    if there and item.kind == "booking" and policy.on_move == "approve":
        asking = _ask_first(item, policy, hub, remote, base)
        if asking is not None:
            return replace(asking, puts_back=not here)
    both = merge(base.hub, hub.text, base.remote, remote.text, policy.prefer(item.kind))
    decision = _write_merged(item, policy, hub, remote, both.hub, both.remote, both.conflicts)
    between = None
    if there and any(isinstance(action, PutRemote) for action in decision.actions):
        taken_over = merge(base.hub, base.hub, base.remote, remote.text, "theirs").hub
        between = Base(taken_over, "", remote.text, remote.tag)
    return replace(decision, merged=here and there, between=between)


def _ask_first(item: Item, policy: Policy, hub: Hub, remote: Remote, base: Base) -> Decision | None:
    """A booking was changed there, and its user wants to be asked: the change becomes a suggestion and goes
    from there again; what was changed here, and what is everybody's own affair, is carried as always.
    None: nothing to ask about."""
    assert base.remote is not None
    wanted = merge(base.hub, hub.text, base.remote, remote.text, "theirs").hub
    if not _to_ask(hub.text, wanted):
        return None
    kept = with_groups(remote.text, base.remote, _to_ask(base.remote, remote.text))
    both = merge(base.hub, hub.text, base.remote, kept, policy.prefer(item.kind))
    actions: list[Action] = [PutHub(both.hub, hub.etag)] if both.hub != hub.text else []
    sent = _marked(both.remote, item, policy, f"{hub.etag} {remote.tag}")
    actions += [Suggest(both.hub, wanted), PutRemote(sent, remote.tag)]
    return Decision(item, tuple(actions), both.conflicts)


def _to_ask(before: str, after: str) -> list[GroupKey]:
    return [key for key in changed(before, after) if key[1] not in PERSONAL]


def _gone_here(item: Item, policy: Policy, base: Base) -> Decision:
    """Deleted or cancelled here; ``base.remote`` says that it was there."""
    hub, remote = item.hub, item.remote
    assert base.remote is not None
    if remote is None:
        return Decision(item, (Forget(),) if hub is None else (Agree(_agreed(hub, None)),))
    if not policy.may_write(item.kind):
        return Decision(item, (PutHub(remote.text, None),))  # a mirror that may not be edited: it is theirs
    edited = remote.tag != base.tag and bool(changed(base.remote, remote.text))
    if hub is None and edited:
        return Decision(item, (PutHub(_revived(item, base, remote), None),))
    if hub is not None and edited:  # cancelled here: keep their edit in our text, and the cancellation
        kept = merge(base.hub, hub.text, base.remote, remote.text, "ours")
        if kept.hub != hub.text:
            return Decision(item, (PutHub(kept.hub, hub.etag, cancel=True), DeleteRemote(remote.tag)))
    return Decision(item, (DeleteRemote(remote.tag),))


def _gone_there(item: Item, policy: Policy, base: Base) -> Decision:
    """Deleted there; the hub has it."""
    hub = item.hub
    assert hub is not None
    edited = hub.etag != base.etag and bool(changed(base.hub, hub.text))
    if item.kind != "booking":
        if edited and policy.may_write(item.kind):
            return Decision(item, (_create(item, hub, policy, item.generation + 1),))
        return Decision(item, (DeleteHub(hub.etag),))
    if edited or policy.on_delete == "restore":
        return Decision(item, (_create(item, hub, policy, item.generation + 1), Restored()))
    if policy.on_delete == "hide":
        return Decision(item, (Agree(_agreed(hub, None)),))
    return Decision(item, (PutHub(hub.text, hub.etag, cancel=True), Agree(_agreed(hub, None))))


# --- the source ---------------------------------------------------------------------------------------

ARCHIVED = "cancelled, so its job is archived in Picsello; other shoots of that job leave the calendar too."


def _with_source(item: Item, policy: Policy) -> Decision:
    hub, remote, base = item.hub, item.remote, item.base
    if remote is None:
        return _off_the_source(item)
    if hub is None:
        return Decision(item, (PutHub(remote.text, None),))
    if base is None or base.remote is None:  # first seen, or back again
        return _as_the_source_says(item, hub, remote)
    if hub.cancelled:
        if policy.source == "write":
            decision = _gone_here(item, policy, base)
            return replace(decision, actions=(*decision.actions, Tell(ARCHIVED)))
        if policy.source == "refuse":
            return _as_the_source_says(item, hub, remote)
        return _cancelled_here_alone(item, hub, remote, base)
    ours = unnoted(hub.text) if policy.source == "local" else hub.text
    mine = _carried(base.hub, ours) if hub.etag != base.etag else frozenset()
    there = remote.tag != base.tag and bool(changed(base.remote, remote.text))
    if mine and policy.source == "refuse":
        return _as_the_source_says(item, hub, remote)
    if not mine and not there:
        if hub.etag == base.etag and remote.tag == base.tag:
            return Decision(item)
        if ours == hub.text:
            return Decision(item, (Agree(_agreed(hub, remote)),))
    # only what a source knows of may count as changed here
    before = with_groups(ours, base.hub, mine) if mine else ours
    both = merge(before, ours, base.remote, remote.text, policy.prefer(item.kind))
    if policy.source == "local":
        return _overlaid(item, hub, remote, base, both.hub, both.remote)
    decision = _write_merged(item, policy, hub, remote, both.hub, both.remote, both.conflicts)
    between = None
    if there and any(isinstance(action, PutRemote) for action in decision.actions):
        taken_over = merge(base.hub, base.hub, base.remote, remote.text, "theirs").hub
        between = Base(taken_over, "", remote.text, remote.tag)
    told = note(remote.text)
    actions = decision.actions
    if told != note(base.remote):
        actions = (*actions, Tell(told))
    return replace(decision, actions=actions, merged=bool(mine) and there, between=between)


def _carried(before: str, after: str) -> frozenset[GroupKey]:
    """What changed of that which a source knows of; dates of a series are always its business."""
    return frozenset(key for key in changed(before, after) if key[0] is not None or key[1] in CARRIED)


def _off_the_source(item: Item) -> Decision:
    """Nothing there: it never was (then it has no home there), or it left the source's calendar."""
    hub, base = item.hub, item.base
    if base is None:
        return Decision(item)
    if hub is None:
        return Decision(item, (Forget(),))
    if base.remote is None:
        return Decision(item, () if hub.etag == base.etag else (Agree(_agreed(hub, None)),))
    if hub.cancelled:
        return Decision(item, (Agree(_agreed(hub, None)),))
    return Decision(item, (PutHub(hub.text, hub.etag, cancel=True), Agree(_agreed(hub, None))))


def _as_the_source_says(item: Item, hub: Hub, remote: Remote) -> Decision:
    """The source's values, with what the calendars added that it knows nothing of."""
    text = first_merge(hub.text, remote.text, "theirs").hub
    if text == hub.text and not hub.cancelled:
        return Decision(item, (Agree(_agreed(hub, remote)),))
    return Decision(item, (PutHub(text, hub.etag),))


def _cancelled_here_alone(item: Item, hub: Hub, remote: Remote, base: Base) -> Decision:
    if hub.etag == base.etag and remote.tag == base.tag:
        return Decision(item)
    told = Tell("This booking was cancelled here only. Cancel it in Picsello too.")
    return Decision(item, (told, Agree(_agreed(hub, remote))))


def _overlaid(item: Item, hub: Hub, remote: Remote, base: Base, merged: str, wanted: str) -> Decision:
    """An edit that cannot go there: it stays here, says so, and is done once the source agrees."""
    assert base.remote is not None
    missing = sorted({_plain(group) for _, group in _carried(wanted, remote.text)})
    if not missing:
        agreed: Action = Agree(_agreed(hub, remote))
        done: Action = PutHub(merged, hub.etag) if merged != hub.text else agreed
        return Decision(item, (done, Tell(None)))
    sentence = f"changed in the calendar only ({', '.join(missing)}). Change it there too."
    text = noted(merged, sentence)
    known = merge(base.hub, base.hub, base.remote, remote.text, "theirs").hub
    keep = Base(known, "", remote.text, remote.tag)
    if text == hub.text:
        return Decision(item, () if keep == base else (Keep(keep),))
    return Decision(item, (PutHub(text, hub.etag), Keep(keep), Tell(sentence)))


# --- writing --------------------------------------------------------------------------------------------


def _follow(item: Item, hub: Hub, remote: Remote) -> Decision:
    """A read-only mirror holds exactly what the provider gave."""
    if hub.text == remote.text:
        return Decision(item, (Agree(_agreed(hub, remote)),))
    return Decision(item, (PutHub(remote.text, hub.etag),))


def _write_merged(
    item: Item,
    policy: Policy,
    hub: Hub,
    remote: Remote,
    hub_text: str,
    remote_text: str,
    conflicts: tuple[GroupConflict, ...],
) -> Decision:
    actions: list[Action] = []
    if hub_text != hub.text:
        actions.append(PutHub(hub_text, hub.etag))
    if remote_text != remote.text and policy.may_write(item.kind):
        write = f"{hub.etag} {remote.tag}"
        sent = remote_text if policy.is_source else _marked(remote_text, item, policy, write)
        actions.append(PutRemote(sent, remote.tag))
    if not actions:
        actions.append(Agree(_agreed(hub, remote)))
    return Decision(item, tuple(actions), conflicts)


def _create(item: Item, hub: Hub, policy: Policy, generation: int) -> PutRemote:
    return PutRemote(_marked(hub.text, item, policy, f"{hub.etag} {generation}"), None, generation)


def marker_uid(key: str) -> str:
    """The UID that a marker's key names."""
    return key.rpartition("#")[0]


def _marked(text: str, item: Item, policy: Policy, write: str) -> str:
    """The text as it is sent: ours carry a marker that names the object, and this very write."""
    if item.kind == "foreign":
        return text
    return mark(text, policy.installation, f"{item.uid}#{sha256(write.encode()).hexdigest()[:8]}")


def _revived(item: Item, base: Base, remote: Remote) -> str:
    """What comes back here after a deletion: a mirror holds their bytes; ours is what it was, with their
    edit."""
    if item.kind == "foreign":
        return remote.text
    if base.remote is None:
        return unmark(remote.text)
    return merge(base.hub, base.hub, base.remote, remote.text, "theirs").hub


def _agreed(hub: Hub, remote: Remote | None) -> Base:
    if remote is None:
        return Base(hub.text, hub.etag, None, None)
    return Base(hub.text, hub.etag, remote.text, remote.tag)


# --- the guard --------------------------------------------------------------------------------------

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


def describe(decision: Decision) -> list[str]:
    """The decision as sentences for the preview and ``--dry-run``."""
    item = decision.item
    shown = item.hub or item.remote
    title = (facts(shown.text).summary if shown else "") or "an event without a title"
    sentences: list[str] = []
    for action in decision.actions:
        match action:
            case PutHub(expect=None):
                sentences.append(f"Add “{title}” here.")
            case PutHub(cancel=True):
                sentences.append(f"Cancel “{title}” here.")
            case PutHub():
                sentences.append(f"Change “{title}” here{_what(item, here=True)}.")
            case DeleteHub():
                sentences.append(f"Delete “{title}” here.")
            case PutRemote(expect=None):
                sentences.append(f"Add “{title}” there.")
            case PutRemote():
                sentences.append(f"Change “{title}” there{_what(item, here=False)}.")
            case DeleteRemote():
                sentences.append(f"Delete “{title}” there.")
            case Restored():
                sentences.append(f"“{title}” was deleted there; as a booking it is put back.")
            case Suggest():
                sentences.append(f"“{title}” was changed there; the change waits for your approval.")
            case Stop(why):
                sentences.append(f"“{title}”: {why}")
            case Agree() if item.base is None and item.remote is not None:
                sentences.append(f"“{title}” is in both calendars already: one and the same event.")
            case Tell(message):
                sentences += [f"“{title}”: {message}"] if message else []
            case Agree() | Forget() | Keep():
                pass
    return sentences


def _what(item: Item, *, here: bool) -> str:
    base = item.base
    before, after = (base and base.remote, item.remote) if here else (base and base.hub, item.hub)
    if not before or after is None:
        return ""
    names = sorted({_plain(group) for _, group in changed(before, after.text)})
    return f" ({', '.join(names)})" if names else ""


def _plain(group: str) -> str:
    return {"when": "time", "component": "one date of the series"}.get(group, group.removeprefix("x:"))


def counts(decisions: Iterable[Decision]) -> dict[str, int]:
    """How many objects a plan would add, change and delete on either side."""
    totals = dict.fromkeys(("pulled", "pushed", "merged", "conflicts", "deleted"), 0)
    for decision in decisions:
        for name, number in tally(decision.actions).items():
            totals[name] += number
        totals["merged"] += decision.merged
        totals["conflicts"] += bool(decision.conflicts)
    return totals


def tally(actions: Sequence[Action]) -> dict[str, int]:
    """What these actions count as in a report."""
    return {
        "pulled": sum(isinstance(a, PutHub) for a in actions),
        "pushed": sum(isinstance(a, PutRemote) for a in actions),
        "deleted": sum(isinstance(a, DeleteHub | DeleteRemote) for a in actions),
    }
