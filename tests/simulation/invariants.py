"""What must hold once the faults stop, however bad it was (sync-engines.md section 3, I1-I8).

Each check returns sentences; an empty list is what everybody hopes for.
"""

from __future__ import annotations

from bridge.ical.facts import facts
from bridge.ical.fields import changed
from bridge.store import conflicts, objects, passes
from tests.simulation.far_side import same_content
from tests.simulation.ground import Link
from tests.simulation.ledger import GROUPS, Story, line_of, shown, told_by, uid_of
from tests.simulation.profiles import Profile
from tests.simulation.world import World

PASSES_TO_AGREE = 6


def settle(world: World) -> list[str]:
    """Faults off; I1: at most six passes until a further round writes nothing. I6: two more are quiet."""
    world.dial.rate, world.meddle, world.crash_at, world.lose_at = 0.0, 0.0, None, None
    world.dial.signed_out = world.dial.blank = False
    patient = any(link.far.profile.patient for link in world.links)
    for _ in range(PASSES_TO_AGREE):
        before = written(world)
        # where tokens lie, only a listing of everything, a day later, finds what they hid
        world.clock.sleep(100_000 if patient else 60)
        for link in world.links:
            world.run_pass(link, confirm=True, by_hand=True)
        if written(world) == before:
            break
    else:
        return ["I1 no agreement after six rounds of passes"]
    before = written(world)
    for _ in range(2):
        for link in world.links:
            world.run_pass(link)
    return [] if written(world) == before else ["I6 a pass with nothing new wrote something"]


def written(world: World) -> tuple[int, ...]:
    from bridge.store import calendars

    with world.db.reading() as tx:
        seqs = [row.seq for row in calendars.of_user(tx, world.user_id)]
    return (*seqs, *(len(link.remote.log) for link in world.links))


def violations(world: World) -> list[str]:
    """Everything that is wrong in the end."""
    with world.db.reading() as tx:
        bookings = {o.uid: o for o in objects.all_objects(tx, world.bookings_id, with_hidden=True)}
        mirrors = {
            i: {told_by(o.text): o for o in objects.all_objects(tx, link.mirror_id, with_hidden=True)}
            for i, link in enumerate(world.links)
            if link.mirror_id is not None
        }
        rows = passes.journal_of(tx, world.user_id, limit=100_000)
        texts = [t for r in rows for t in (r.before, r.after, r.loser)]
        texts += [
            t for r in conflicts.of_user(tx, world.user_id, open_only=False) for t in (r.ours, r.theirs)
        ]
        history = "\n".join(text for text in texts if text)
    found: list[str] = []
    for row in rows:
        if (row.side, row.action) == ("hub", "delete") and row.actor.startswith("pass:"):
            story = world.ledger.stories.get(row.uid)
            if story is not None and not story.deletions:
                found.append(f"I5 a pass deleted {row.uid}, and nobody had deleted it")
    for link in world.links:
        found += _no_duplicates(link)
        found += _server_lines_kept(link)
    writer = next((link for link in world.links if link.writes), None)
    for story in world.ledger.stories.values():
        if story.kind == "foreign":
            link = world.links[story.link or 0]
            profile = link.far.profile
            hub = mirrors.get(story.link or 0, {}).get(story.uid)
            here = hub.text if hub else None
            there = _there(link, story.uid)
            if not link.reads:
                continue
            if story.uid in bookings:
                found.append(f"I3 {story.uid} is in the bookings")
            alike = here == there or (link.far.profile.feed and same_event(here, there))
            if not link.edits and here is not None and there is not None and not alike:
                found.append(f"I7 {story.uid} is not mirrored byte for byte")
        else:
            hub = bookings.get(story.uid)
            here = hub.text if hub else None
            if hub is not None and hub.kind == "booking" and hub.status == "CANCELLED":
                here = None
            there = _there(writer, story.uid) if writer else here
            profile = writer.far.profile if writer else Profile()
            if here is not None and "X-SERVER-WAS-HERE" in here and not story.blind:
                found.append(f"I7 {story.uid} took over what only the server had written")
            if any(story.uid in held for held in mirrors.values()):
                found.append(f"I3 {story.uid} is mirrored as foreign")
        found += _agreement(profile, story, here, there)
        found += _life(story, here)
        if here is not None:
            found += _no_lost_update(story, here, history)
            if not _kept_foreign(profile, story, here) and _holds_all(profile, story):
                found.append(f"I7 {story.uid} lost a property we do not own")
    return found


def same_event(here: str | None, there: str | None) -> bool:
    """A feed holds events, not objects: the lines of the event are kept, all but its identity."""
    return here is not None and there is not None and _event_lines(here) == _event_lines(there)


def _event_lines(text: str) -> list[str]:
    lines = text[text.index("BEGIN:VEVENT") : text.rindex("END:VEVENT")].split("\r\n")
    return [line for line in lines if not line.startswith("UID:")]


def _kept_foreign(profile: Profile, story: Story, text: str) -> bool:
    """Whether the line that is nobody's business is as its maker spelt it, or as that server spells all."""
    spelt = [f"X-FOREIGN;X-P=1:{story.uid}"]
    spelt += [f'X-FOREIGN;X-P="1":{story.uid}'] if profile.spelling == "respelt" else []
    return any(line in text for line in spelt)


def _holds_all(profile: Profile, story: Story) -> bool:
    """Whether nothing of this object can have been lost on a provider with fields of its own: theirs never
    had it, and of a lost create nobody can tell what its answer would have shown."""
    return profile.spelling != "translated" or (story.kind != "foreign" and not story.blind)


def _there(link: Link, uid: str) -> str | None:
    return next((t for _, t in link.remote.objects.values() if uid_of(t) == uid), None)


def _no_duplicates(link: Link) -> list[str]:
    uids = [uid_of(text) for _, text in link.remote.objects.values()]
    return [f"I3 {uid} is there twice" for uid in sorted(set(uids)) if uids.count(uid) > 1]


def _server_lines_kept(link: Link) -> list[str]:
    """I7 on the far side: what the server once added is still there."""
    if not link.far.profile.rewrites:
        return []
    return [
        f"I7 {uid_of(text)} lost what its server had added"
        for _, text in link.remote.objects.values()
        if "BEGIN:VEVENT" in text and "X-SERVER-WAS-HERE" not in text
    ]


def _agreement(profile: Profile, story: Story, here: str | None, there: str | None) -> list[str]:
    if (here is None) != (there is None):
        return [f"I1 {story.uid} is {'here' if here else 'there'} only"]
    if here is not None and there is not None and not same_content(profile, here, there):
        return [f"I1 {story.uid} differs: {sorted(map(str, changed(here, there)))}"]
    return []


def _life(story: Story, here: str | None) -> list[str]:
    """I4 no resurrection, I5 no unasked deletion; a deleted booking is restored, a cancelled one is gone."""
    if story.kind == "booking":
        if (here is None) != story.cancelled:
            return [f"I5 booking {story.uid} is {'gone' if here is None else 'back after it was cancelled'}"]
        return []
    if here is None and not story.deletions:
        return [f"I5 {story.uid} is gone, and nobody deleted it"]
    if here is not None and story.deletions and not story.edited_unseen() and not story.blind:
        return [f"I4 {story.uid} is back, though nobody edited it after its deletion"]
    return []


def _no_lost_update(story: Story, here: str, history: str) -> list[str]:
    found: list[str] = []
    for group, number in shown(here).items():
        latest = story.latest(group)
        if not story.may_show(group, number):
            found.append(f"I2 {story.uid} {group} shows {number}, but the latest are {latest}")
        for other in latest:
            if other != number and not _remembered(group, other, history):
                found.append(f"I2 {story.uid} {group} {other} lost, and not in the history")
    if set(shown(here)) != set(GROUPS):
        found.append(f"I2 {story.uid} lost a group: {sorted(shown(here))}")
    _ = facts(here)
    return found


def _remembered(group: str, number: int, history: str) -> bool:
    return line_of(group, number) in history
