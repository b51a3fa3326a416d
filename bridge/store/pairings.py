"""Pairings: which hub object belongs to which remote one, what both last agreed on, and the write in flight.

The engine's memory. Lists of thousands come without texts (``Paired``), the few that need work with them
(``PairingRow``). What a pairing means for a plan is left to ``bridge.sync``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, bindparam, delete, func, insert, or_, select, update

from bridge.errors import Stale
from bridge.store.prepared import Prepared, made
from bridge.store.rows import batches, columns
from bridge.store.tables import pairing


@dataclass(frozen=True, slots=True)
class Paired:
    """A pairing without its texts."""

    id: int
    link_id: int
    calendar_id: int
    uid: str
    href: str
    generation: int
    base_etag: str | None
    base_tag: str | None
    flight: str | None
    flight_etag: str | None
    flight_expect: str | None
    problem: str | None
    problem_kind: str | None
    problem_tag: str | None
    problem_etag: str | None
    tries: int
    rewrites: int


@dataclass(frozen=True, slots=True)
class PairingRow(Paired):
    """A pairing whole. ``base_hub`` is filled in where it is stored as "the same as base_remote"."""

    base_hub: str | None
    base_remote: str | None
    flight_hub: str | None
    flight_text: str | None

    @property
    def agreed(self) -> bool:
        """Whether both sides ever agreed."""
        return self.base_remote is not None


_INDEX: Select[Any] = select(*columns(Paired, pairing))
_TEXTS = (
    func.coalesce(pairing.c.base_hub, pairing.c.base_remote),
    pairing.c.base_remote,
    func.coalesce(pairing.c.flight_hub, pairing.c.flight_text),
    pairing.c.flight_text,
)
_FULL: Select[Any] = select(*columns(Paired, pairing), *_TEXTS)
_of_link = _INDEX.where(pairing.c.link_id == bindparam("link_id"))
_of_calendar = _of_link.where(pairing.c.calendar_id == bindparam("calendar_id"))
_OF_LINK = Prepared(_of_link, Paired)
_OF_CALENDAR = Prepared(_of_calendar, Paired)
# spelled as the index ix_pairing_unsettled is, or it is not used
_unsettled = _of_link.where(or_(pairing.c.flight.is_not(None), pairing.c.problem_kind.is_not(None)))
_UNSETTLED_OR_GIVEN_UP = Prepared(_unsettled, Paired)
_UNSETTLED = Prepared(
    _unsettled.where(or_(pairing.c.flight.is_not(None), pairing.c.problem_kind == "retry")), Paired
)
_PROBLEMS = Prepared(_unsettled.where(pairing.c.problem_kind.is_not(None), pairing.c.problem != ""), Paired)
_GIVEN_UP = Prepared(_unsettled.where(pairing.c.problem_kind == "give up"), Paired)
_UNPROVEN = Prepared(_of_link.where(pairing.c.unproven), Paired)  # as ix_pairing_unproven
_BY_HREF = Prepared(
    _FULL.where(pairing.c.link_id == bindparam("link_id"), pairing.c.href == bindparam("href")), PairingRow
)
_BY_UID = Prepared(
    _FULL.where(
        pairing.c.link_id == bindparam("link_id"),
        pairing.c.calendar_id == bindparam("calendar_id"),
        pairing.c.uid == bindparam("uid"),
    ),
    PairingRow,
)
_ID_OF_UID = Prepared(
    select(pairing.c.id).where(
        pairing.c.link_id == bindparam("link_id"),
        pairing.c.calendar_id == bindparam("calendar_id"),
        pairing.c.uid == bindparam("uid"),
    )
)
_ANY = Prepared(select(pairing.c.id).where(pairing.c.link_id == bindparam("link_id")).limit(1))
_AGREED = Prepared(
    select(func.count())
    .select_from(pairing)
    .where(pairing.c.link_id == bindparam("link_id"), pairing.c.base_tag.is_not(None))
)
_BY_IDS = _FULL.where(pairing.c.id.in_(bindparam("ids", expanding=True)))
_BY_HREFS = _of_link.where(pairing.c.href.in_(bindparam("hrefs", expanding=True)))
_BY_UIDS = _of_calendar.where(pairing.c.uid.in_(bindparam("uids", expanding=True)))
_INSERT = Prepared(insert(pairing).returning(pairing.c.id))
_INSERT_MANY = Prepared(insert(pairing))
_UPDATE = Prepared(update(pairing).where(pairing.c.id == bindparam("row_id")))
_FAILED_AGAIN = Prepared(
    update(pairing).where(pairing.c.id == bindparam("row_id")).values(tries=pairing.c.tries + 1)
)
_DELETE = Prepared(delete(pairing).where(pairing.c.id == bindparam("row_id")))

#: Values of a pairing with nothing on its way.
_NO_FLIGHT: dict[str, Any] = {
    "flight": None,
    "flight_hub": None,
    "flight_etag": None,
    "flight_text": None,
    "flight_expect": None,
}
_NO_PROBLEM: dict[str, Any] = {
    "problem": None,
    "problem_kind": None,
    "problem_tag": None,
    "problem_etag": None,
    "tries": 0,
}


# --- reading ---------------------------------------------------------------------------------------


def bases_index(tx: Connection, link_id: int) -> list[Paired]:
    """All pairings of a link, without texts."""
    return _OF_LINK.all(tx, {"link_id": link_id})


def unsettled(tx: Connection, link_id: int, *, given_up: bool = False) -> list[Paired]:
    """Those that need a look even if neither side reports a change: in flight, or to be tried again;
    ``given_up``: those that wait for the user or were given up, too."""
    return (_UNSETTLED_OR_GIVEN_UP if given_up else _UNSETTLED).all(tx, {"link_id": link_id})


def unproven(tx: Connection, link_id: int) -> list[Paired]:
    """Those that were made there, and that no listing has shown since."""
    return _UNPROVEN.all(tx, {"link_id": link_id})


def by_hrefs(tx: Connection, link_id: int, hrefs: Iterable[str]) -> list[Paired]:
    """Those of these remote hrefs, without texts."""
    return [
        found
        for portion in batches(hrefs)
        for found in _paired(tx, _BY_HREFS, {"link_id": link_id, "hrefs": portion})
    ]


def by_uids(tx: Connection, link_id: int, calendar_id: int, uids: Iterable[str]) -> list[Paired]:
    """Those of these objects of one of our calendars, without texts."""
    same = {"link_id": link_id, "calendar_id": calendar_id}
    return [found for portion in batches(uids) for found in _paired(tx, _BY_UIDS, same | {"uids": portion})]


def get_full(tx: Connection, ids: Iterable[int]) -> dict[int, PairingRow]:
    """With texts, by id; those that do not exist are missing."""
    found: dict[int, PairingRow] = {}
    for portion in batches(ids):
        found.update((row.id, PairingRow(*row)) for row in tx.execute(_BY_IDS, {"ids": portion}))
    return found


def by_href(tx: Connection, link_id: int, href: str) -> PairingRow | None:
    return _BY_HREF.first(tx, {"link_id": link_id, "href": href})


def by_uid(tx: Connection, link_id: int, calendar_id: int, uid: str) -> PairingRow | None:
    return _BY_UID.first(tx, {"link_id": link_id, "calendar_id": calendar_id, "uid": uid})


def problems(tx: Connection, link_id: int) -> list[Paired]:
    """Those that wait or were given up, and whose user should know."""
    return _PROBLEMS.all(tx, {"link_id": link_id})


def any_(tx: Connection, link_id: int) -> bool:
    """Whether the link ever paired anything."""
    return _ANY.first(tx, {"link_id": link_id}) is not None


def count(tx: Connection, link_id: int, calendar_id: int | None = None) -> int:
    """How many there are, with one of our calendars or with any."""
    wanted = select(func.count()).select_from(pairing).where(pairing.c.link_id == link_id)
    if calendar_id is not None:
        wanted = wanted.where(pairing.c.calendar_id == calendar_id)
    return int(tx.execute(wanted).scalar_one())


def given_up(tx: Connection, link_id: int) -> list[Paired]:
    """Those that are left alone until something about them changes."""
    return _GIVEN_UP.all(tx, {"link_id": link_id})


def of_calendar(tx: Connection, link_id: int, calendar_id: int) -> list[Paired]:
    """Those with one of our calendars, without texts."""
    return _OF_CALENDAR.all(tx, {"link_id": link_id, "calendar_id": calendar_id})


def count_agreed(tx: Connection, link_id: int) -> int:
    """How many objects are over there as agreed."""
    (agreed,) = _AGREED.first(tx, {"link_id": link_id}) or (0,)
    return int(agreed)


def _paired(tx: Connection, statement: Select[Any], values: dict[str, Any]) -> list[Paired]:
    return [Paired(*row) for row in tx.execute(statement, values)]


# --- writing ---------------------------------------------------------------------------------------


def upsert(tx: Connection, link_id: int, calendar_id: int, uid: str, href: str, **values: Any) -> int:
    """The pairing of that object, made if there is none, with this href and these columns; returns its id."""
    same = {"link_id": link_id, "calendar_id": calendar_id, "uid": uid}
    found = _ID_OF_UID.first(tx, same)
    if found is None:
        return made(_INSERT, tx, same | {"href": href} | values)
    _UPDATE.run(tx, {"row_id": found[0], "href": href} | values)
    return int(found[0])


def pair(tx: Connection, link_id: int, calendar_id: int, rows: Sequence[Mapping[str, Any]]) -> None:
    """New pairings, each with its ``uid``, ``href`` and ``settled`` columns. Raises Stale if one of them is
    paired by now."""
    uids = [row["uid"] for row in rows]
    if by_uids(tx, link_id, calendar_id, uids):
        raise Stale("One of these events is linked by now.")
    _INSERT_MANY.run_many(tx, rows, {"link_id": link_id, "calendar_id": calendar_id})


def settled(*, hub: str, etag: str, remote: str | None, tag: str | None, rewrites: int = 0) -> dict[str, Any]:
    """The columns of a pairing both of whose sides agree: these are the bases from now on; nothing is in
    flight, nothing is wrong.

    ``remote`` None: agreed that it is not over there (a booking hidden or cancelled)."""
    bases = {
        "base_hub": None if hub == remote else hub,
        "base_etag": etag,
        "base_remote": remote,
        "base_tag": tag,
        "rewrites": rewrites,
    }
    return bases | _NO_FLIGHT | _NO_PROBLEM


def settle(
    tx: Connection,
    pairing_id: int,
    *,
    hub: str,
    etag: str,
    remote: str | None,
    tag: str | None,
    rewrites: int = 0,
) -> None:
    """Both sides agree, as ``settled`` says."""
    values = settled(hub=hub, etag=etag, remote=remote, tag=tag, rewrites=rewrites)
    _UPDATE.run(tx, {"row_id": pairing_id} | values)


def retag(tx: Connection, pairing_id: int, *, etag: str | None = None, tag: str | None = None) -> None:
    """One side's version changed without a change of meaning: only its tag is new."""
    new = {"base_etag": etag, "base_tag": tag}
    _UPDATE.run(
        tx, {"row_id": pairing_id} | {name: value for name, value in new.items() if value is not None}
    )


def set_flight(
    tx: Connection,
    pairing_id: int,
    kind: str,
    *,
    hub: str | None = None,
    etag: str | None = None,
    text: str | None = None,
    expect: str | None = None,
) -> None:
    """Record what is about to be sent, and commit that before sending.

    ``kind``: put or delete; ``hub`` and ``etag``: our object that it stands for; ``text``: what is sent;
    ``expect``: the tag that it must meet, None for a create.
    """
    flight: dict[str, Any] = {
        "flight": kind,
        "flight_hub": None if hub == text else hub,
        "flight_etag": etag,
        "flight_text": text,
        "flight_expect": expect,
    }
    if kind == "put" and expect is None:
        flight["unproven"] = True
    _UPDATE.run(tx, {"row_id": pairing_id} | flight)


def proven(tx: Connection, ids: Iterable[int]) -> None:
    """They were seen there after they were made."""
    for portion in batches(ids):
        tx.execute(update(pairing).where(pairing.c.id.in_(portion)).values(unproven=False))


def clear_flight(tx: Connection, pairing_id: int) -> None:
    """It is known that what was in flight did not arrive."""
    _UPDATE.run(tx, {"row_id": pairing_id} | _NO_FLIGHT)


def to_look_again(tx: Connection, pairing_id: int) -> None:
    """As ``clear_flight``, and the next passes look at it: what was to be done may be told by neither side
    again."""
    _UPDATE.run(tx, {"row_id": pairing_id, "problem_kind": "retry"} | _NO_FLIGHT)


def rebase(tx: Connection, pairing_id: int, hub: str, flight_hub: str | None) -> None:
    """Remember another text as our side of the last agreement (and of the write in flight), so that what
    differs from it counts as changed here: how a resolved conflict gets to the other side."""
    values = {"base_hub": hub, "base_etag": "", "flight_hub": flight_hub}
    _UPDATE.run(tx, {"row_id": pairing_id} | values)


def look_again(tx: Connection, calendar_id: int, uid: str) -> list[int]:
    """What stopped the object is settled: the next passes may try again. Returns the links they belong to."""
    stopped = update(pairing).where(
        pairing.c.calendar_id == calendar_id, pairing.c.uid == uid, pairing.c.rewrites > 0
    )
    again = stopped.values(rewrites=0, problem_kind="retry").returning(pairing.c.link_id)
    return list(tx.execute(again).scalars())


def try_again(tx: Connection, link_id: int) -> None:
    """Somebody asked for it: what waits for its user, or was given up, is looked at by the next pass."""
    stuck = update(pairing).where(
        pairing.c.link_id == link_id, pairing.c.problem_kind.in_(("ask", "give up")), pairing.c.problem != ""
    )
    tx.execute(stuck.values(problem_kind="retry"))


def set_problem(
    tx: Connection, pairing_id: int, problem: str, kind: str, *, tag: str | None, etag: str | None
) -> None:
    """This object waits or was given up (``kind``: retry, ask, give up) for the two versions it concerns."""
    values = {"problem": problem, "problem_kind": kind, "problem_tag": tag, "problem_etag": etag}
    _FAILED_AGAIN.run(tx, {"row_id": pairing_id} | values)


def clear_problem(tx: Connection, pairing_id: int) -> None:
    """It may be tried again."""
    _UPDATE.run(tx, {"row_id": pairing_id} | _NO_PROBLEM)


def forget(tx: Connection, pairing_id: int) -> None:
    """Gone on both sides, or no longer any of our business."""
    _DELETE.run(tx, {"row_id": pairing_id})
