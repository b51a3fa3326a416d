"""The schema, as SQLAlchemy Core tables; nothing here is special to one database.

Instants are ``Instant`` columns: aware UTC datetimes in Python, milliseconds since 1970 in SQL.
Occurrence times are plain integers, seconds since 1970. Queries live in the sibling modules; the
steps from one released schema to the next in ``migrations/``.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)

#: SQLite only numbers rows by itself when the key is spelled INTEGER.
Key = BigInteger().with_variant(Integer, "sqlite")


class Instant(TypeDecorator[datetime]):
    """An aware datetime, kept as whole milliseconds since 1970 (UTC)."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        return None if value is None else (value - EPOCH) // MILLISECOND

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else EPOCH + value * MILLISECOND


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def partial_index(name: str, *columns: Column[Any], where: str, on_sqlite: str | None = None) -> None:
    """An index of only those rows that a condition holds for. It is spelled as the queries are compiled for
    each database, or it is not used; PostgreSQL's spelling waits for ``tell_postgresql``."""
    Index(name, *columns, sqlite_where=text(on_sqlite or where), info={"postgresql_where": where})


def tell_postgresql() -> MetaData:
    """The schema with what only PostgreSQL needs to know: for whoever makes or compares it there. SQLAlchemy
    loads that dialect with the first word to it, and no start on SQLite should pay for that."""
    for table in metadata.tables.values():
        for index in table.indexes:
            if where := index.info.get("postgresql_where"):
                index.dialect_kwargs["postgresql_where"] = text(where)
    return metadata


# --- the installation and its people -------------------------------------------------------------

installation = Table(
    "installation",
    metadata,
    Column("id", Integer, primary_key=True),  # always 1
    Column("uid", Text, nullable=False),  # in every marker we write at a provider
    Column("generation", Integer, nullable=False),  # part of every sync token; bumped by restore
    Column("public_url", Text),  # the address of the last serve
    Column("key_id", Text),  # which key file belongs to it; see bridge.vault
    Column("moved_to", Text),  # where all of this has been moved; None: it lives here
    Column("tidied", Instant),  # when the daily housekeeping last began; None: never
    Column("created", Instant, nullable=False),
)

studio = Table(
    "studio",
    metadata,
    Column("id", Key, primary_key=True),
    Column("slug", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("created", Instant, nullable=False),
)

user = Table(
    "user",
    metadata,
    Column("id", Key, primary_key=True),
    Column("studio_id", ForeignKey("studio.id"), nullable=False, index=True),
    Column("email", Text, nullable=False, unique=True),  # lower case; the CalDAV user name too
    Column("password_hash", Text),  # argon2; None: no web sign-in yet
    Column("session_version", Integer, nullable=False, default=1),  # bumped to end every web session
    Column("time_zone", Text, nullable=False),  # IANA
    Column("source", Text, nullable=False, default="studio"),  # studio | picsello | feed
    Column("on_delete", Text, nullable=False, default="restore"),  # restore | hide | cancel
    Column("on_move", Text, nullable=False, default="apply"),  # apply | approve
    Column("totp", LargeBinary),  # second step of the sign-in: its secret, sealed by bridge.vault; None: off
    Column("totp_step", BigInteger, nullable=False, default=0),  # the last one used: no code is good twice
    Column("recovery", JSON),  # MACs of the recovery codes that are left
    Column("created", Instant, nullable=False),
    sqlite_autoincrement=True,  # ids are never used again
)

device = Table(
    "device",
    metadata,
    Column("id", Key, primary_key=True),
    Column("user_id", ForeignKey("user.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("secret_mac", Text, nullable=False, unique=True),  # HMAC-SHA-256 of the app password, hex
    Column("created", Instant, nullable=False),
    Column("last_used", Instant),  # at most one write a day
    Column("revoked", Instant),
    sqlite_autoincrement=True,  # ids are never used again
)

feed = Table(
    "feed",  # an address from which others read the bookings, one way
    metadata,
    Column("id", Key, primary_key=True),
    Column("user_id", ForeignKey("user.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("detail", Text, nullable=False),  # full | busy
    Column("past_months", Integer, nullable=False, default=12),  # how long past sessions stay in it
    Column("ahead_months", Integer),  # how far it looks ahead; None: as far as there are sessions
    Column("nonce", Text, nullable=False),  # with the installation's key it makes the token
    Column("digest", Text, nullable=False, unique=True),  # SHA-256 of the token, hex
    Column("created", Instant, nullable=False),
    Column("fetched_at", Instant),  # about; at most one write in three minutes
    Column("fetched_by", Text),  # the client's own name for itself
    sqlite_autoincrement=True,  # ids are never used again
)

api_token = Table(
    "api_token",  # what a program signs in with at /api/v1
    metadata,
    Column("id", Key, primary_key=True),
    Column("user_id", ForeignKey("user.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("scopes", JSON, nullable=False),  # of bridge.service.tokens.SCOPES
    Column("mac", Text, nullable=False, unique=True),  # HMAC-SHA-256 of the token, hex
    Column("created", Instant, nullable=False),
    Column("expires", Instant),  # None: until it is revoked
    Column("last_used", Instant),  # at most one write an hour
    sqlite_autoincrement=True,  # ids are never used again
)

webhook = Table(
    "webhook",  # an address of the user's that is told when bookings change
    metadata,
    Column("id", Key, primary_key=True),
    Column("user_id", ForeignKey("user.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("url", Text, nullable=False),
    Column("nonce", Text, nullable=False),  # with the installation's key it makes the secret that signs
    Column("seq", BigInteger, nullable=False),  # of the bookings calendar: what it has been told
    Column("failures", Integer, nullable=False, default=0),  # in a row; sets the back-off
    Column("next_try", Instant),  # not before; None: at once
    Column("delivered", Instant),  # the last delivery that was taken
    Column("tried", Instant),  # the last one that was sent
    Column("answer", Text),  # what came of it, in words
    Column("created", Instant, nullable=False),
    sqlite_autoincrement=True,  # ids are never used again
)

attempt = Table(
    "attempt",  # failed sign-ins, counted by the minute for all processes together
    metadata,
    Column("key", Text, primary_key=True),  # a digest of whom or where it is counted for
    Column("minute", BigInteger, primary_key=True, autoincrement=False),  # since 1970
    Column("count", Integer, nullable=False),
    Index(None, "minute"),
)

ended_session = Table(
    "ended_session",  # signed out: a copy of its cookie opens nothing any more
    metadata,
    Column("digest", Text, primary_key=True),  # SHA-256 of the session's own number, hex
    Column("until", Instant, nullable=False, index=True),  # no session is older than that
)

audit = Table(
    "audit",  # who changed what may be done here: sign-ins, devices, tokens, accounts; never what was booked
    metadata,
    Column("id", Key, primary_key=True),
    Column("user_id", ForeignKey("user.id", ondelete="CASCADE"), nullable=False),  # whom it concerns
    Column("action", Text, nullable=False),  # a key of bridge.service.audit.WORDS
    Column("detail", Text, nullable=False, default=""),  # the name of a device, token or account
    Column("actor", Text, nullable=False),  # "user:<id>", "token:<id>", "command"
    Column("address", Text, nullable=False, default=""),  # where the request came from
    Column("at", Instant, nullable=False),
    Index(None, "user_id", "id"),
    Index(None, "at"),
)

# --- what we serve ---------------------------------------------------------------------------------

calendar = Table(
    "calendar",
    metadata,
    Column("id", Key, primary_key=True),
    Column("user_id", ForeignKey("user.id", ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),  # the path segment: "bookings", or a mirror's slug
    Column("kind", Text, nullable=False),  # bookings | mirror | personal
    Column("title", Text, nullable=False),  # what people see, unless props override it
    Column("editable", Boolean, nullable=False, default=True),  # clients may change its objects
    Column("props", JSON, nullable=False, default=dict),  # WebDAV properties set by clients
    Column("seq", BigInteger, nullable=False, default=0),  # bumped with every change; under the row's lock
    Column("pruned_seq", BigInteger, nullable=False, default=0),  # older tokens are refused
    Column("generation", Integer, nullable=False),  # part of the token; random, so that no other store's fits
    Column("horizon_start", BigInteger, nullable=False, default=0),  # the occurrence index covers
    Column("horizon_end", BigInteger, nullable=False, default=0),  # [start, end), in seconds
    Column("longest", BigInteger, nullable=False, default=0),  # no occurrence in it is longer (seconds)
    Column("modified", Instant, nullable=False),
    UniqueConstraint("user_id", "name"),
    sqlite_autoincrement=True,  # ids are never used again
)

object_ = Table(
    "object",
    metadata,
    Column("id", Key, primary_key=True),
    Column("calendar_id", ForeignKey("calendar.id", ondelete="CASCADE"), nullable=False),
    Column("href", Text, nullable=False),  # last path segment, decoded
    Column("uid", Text, nullable=False),
    Column("etag", Text, nullable=False),  # without quotes; changes exactly when the bytes do
    Column("component", Text, nullable=False),  # VEVENT, VTODO ...
    Column("kind", Text, nullable=False),  # booking | block | foreign
    Column("hidden", Boolean, nullable=False, default=False),  # on-delete policy "hide"
    Column("status", Text, nullable=False, default="CONFIRMED"),
    Column("starts", BigInteger),  # enclosing range of all occurrences, seconds; None: no time
    Column("ends", BigInteger),  # exclusive; None with a start: without end
    Column("recurring", Boolean, nullable=False, default=False),
    Column("seq", BigInteger, nullable=False),  # the calendar's seq at its last change
    Column("created", Instant, nullable=False),
    Column("modified", Instant, nullable=False),
    Column(
        "text", Text, nullable=False
    ),  # the original, byte for byte (UTF-8); last, as SQLite walks over it
    UniqueConstraint("calendar_id", "href"),
    UniqueConstraint("calendar_id", "uid"),
)
Index(
    "ix_object_listed",  # a client's listing, first sync and delta are answered from it alone
    object_.c.calendar_id,
    object_.c.seq,
    object_.c.hidden,
    object_.c.href,
    object_.c.etag,
    object_.c.component,
)
partial_index(
    "ix_object_series",  # the few that the occurrence index can't answer for
    object_.c.calendar_id,
    where="recurring",
    on_sqlite="recurring = 1",
)

piece = Table(
    "piece",  # what an event of a bookings calendar contributes to a feed; none: it must be read as it is
    metadata,
    Column("object_id", ForeignKey("object.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("zones", Text, nullable=False),  # of the IANA list, a space after each
    Column("busy", Text, nullable=False),  # no word but when it is
    Column("events", Text, nullable=False),  # its VEVENTs with CRLF
)

occurrence = Table(
    "occurrence",
    metadata,
    Column("object_id", ForeignKey("object.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("calendar_id", BigInteger, nullable=False),
    Column("starts", BigInteger, nullable=False),
    Column("ends", BigInteger, nullable=False),  # exclusive; equal to starts for zero length
    Column(
        "exact", Boolean, nullable=False, default=True
    ),  # False: in there somewhere; see bridge.store.times
    Column("takes", Integer, nullable=False, default=1),  # what it does to its time: bridge.ical.busy.Takes
    # with what availability asks: a month of slots never leaves the index
    Index(None, "calendar_id", "starts", "ends", "object_id", "takes"),
)
partial_index(
    "ix_occurrence_coarse",
    occurrence.c.calendar_id,
    occurrence.c.starts,
    where="NOT exact",
    on_sqlite="exact = 0",
)

change = Table(
    "change",  # the change log: what sync-collection answers from; a deletion's row is its tombstone
    metadata,
    Column("calendar_id", ForeignKey("calendar.id", ondelete="CASCADE"), primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("href", Text, nullable=False),
    Column("uid", Text, nullable=False),
    Column("deleted", Boolean, nullable=False),
    Column("actor", Text, nullable=False),  # "device:<id>", "user:<id>", "pass:<id>", "command"
    Column("at", Instant, nullable=False),
)

# --- the outside: accounts, links, what both sides last agreed on ----------------------------------

account = Table(
    "account",
    metadata,
    Column("id", Key, primary_key=True),
    Column("user_id", ForeignKey("user.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("provider", Text, nullable=False),  # a key of the provider table: caldav, icloud, google ...
    Column("label", Text, nullable=False),  # what people see
    Column("url", Text, nullable=False, default=""),  # CalDAV: the discovered calendar home
    Column("username", Text, nullable=False, default=""),
    Column("secret", LargeBinary),  # sealed by bridge.vault, bound to the row's id
    Column("conflict", Text),  # ours | theirs | ask; None: the default by kind
    Column("mail", Boolean, nullable=False, default=False),  # let the provider mail guests
    Column("profile", JSON, nullable=False, default=dict),  # probed capabilities and sign-in method
    Column("state", Text, nullable=False, default="healthy"),  # healthy | retrying | needs-sign-in | parked
    Column("state_reason", Text),  # a sentence
    Column("state_since", Instant),
    Column("failures", Integer, nullable=False, default=0),  # in a row; sets the back-off
    Column("next_try", Instant),  # not before, unless asked by hand
    Column("spent_until", Instant),  # when its requests so far are paid off: the level of its bucket
    Column("created", Instant, nullable=False),
    sqlite_autoincrement=True,  # ids are never used again
)

oauth_request = Table(
    "oauth_request",  # a sign-in on a provider's own page that waits for its callback
    metadata,
    Column("id", Key, primary_key=True),
    Column("state_mac", Text, nullable=False, unique=True),  # of the state parameter; good once
    Column("user_id", ForeignKey("user.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("provider", Text, nullable=False),
    Column("account_id", ForeignKey("account.id", ondelete="CASCADE"), index=True),  # it signs in again
    Column("verifier", LargeBinary, nullable=False),  # PKCE, sealed by bridge.vault
    Column("redirect_uri", Text, nullable=False),  # the same at both ends of the sign-in
    Column("by_browser", Boolean, nullable=False),  # begun on our pages: only its user may finish it
    Column("created", Instant, nullable=False),
    Column("taken", Instant),  # when the callback came
    Column("outcome", Text),  # done, or the sentence that says why not
    sqlite_autoincrement=True,  # ids are never used again: somebody may still wait for an old one
)

link = Table(
    "link",
    metadata,
    Column("id", Key, primary_key=True),
    Column("account_id", ForeignKey("account.id", ondelete="CASCADE"), nullable=False),
    Column("remote_id", Text, nullable=False),  # RemoteCalendar.id
    Column("name", Text, nullable=False),
    Column("color", Text),
    Column("writable", Boolean, nullable=False, default=True),
    Column("reads", Boolean, nullable=False, default=False),
    Column("edits", Boolean, nullable=False, default=False),
    Column("writes", Boolean, nullable=False, default=False),
    Column("source", Boolean, nullable=False, default=False),  # the bookings live there
    Column("blocks_slots", Boolean, nullable=False, default=True),
    Column("mirror_id", ForeignKey("calendar.id", ondelete="SET NULL"), index=True),
    Column("released", Boolean, nullable=False, default=False),  # the user let the first plan go ahead
    Column(
        "restored", Boolean, nullable=False, default=False
    ),  # from a backup: what is there and ours comes back
    Column("held", JSON),  # why it waits for the user: a list of sentences; None: it does not
    Column("state", Text, nullable=False, default="new"),  # new healthy retrying held gone read-only stopped
    Column("state_reason", Text),
    Column("cursor", Text),  # Changes.cursor of the last finished observation
    Column("bookings_seq", BigInteger, nullable=False, default=0),  # hub changes seen by the last pass
    Column("mirror_seq", BigInteger, nullable=False, default=0),
    Column("listed_at", Instant),  # last complete name-and-tag listing
    Column("agreed_at", Instant),  # last full agreement: what "in sync" means to the user
    Column("due_at", Instant),  # when the worker should run it next; None: never by itself
    Column("done", Integer),  # of the pass under way: the objects looked at, of so many
    Column("to_do", Integer),
    Column("urgent", Boolean, nullable=False, default=False),  # due because something changed here
    Column("active_at", Instant),  # when a pass last had something to do; None: never
    Column("lease_holder", Text),  # who runs a pass now
    Column("lease_until", Instant),
    Column(
        "fence", BigInteger, nullable=False, default=0
    ),  # grows with every lease; a stale one can't commit
    Column("created", Instant, nullable=False),
    UniqueConstraint("account_id", "remote_id"),
    Index(None, "due_at"),
    sqlite_autoincrement=True,  # ids are never used again
)

channel = Table(
    "channel",  # a provider's word to tell us when a link's calendar changes; a hint beside polling
    metadata,
    Column("link_id", ForeignKey("link.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("name", Text, unique=True),  # what its notices call it; None: there is none at the moment
    Column("resource", Text, nullable=False, default=""),  # what Google wants to hear when it is to stop
    Column("address", Text, nullable=False, default=""),  # where it tells us
    Column("expires", Instant),  # as the provider said
    Column("look_at", Instant, nullable=False),  # when it is to be renewed, or tried again
    Column("noticed", Instant),  # the last notice that led to a pass
)

partial_index(
    "ix_link_urgent",  # the few whose changes go out before anybody's routine look
    link.c.due_at,
    where="urgent",
    on_sqlite="urgent = 1",
)

#: What an index of the few pairings with something on their way or wrong with them is limited to.
UNSETTLED = "flight IS NOT NULL OR problem_kind IS NOT NULL"

pairing = Table(
    "pairing",
    metadata,
    Column("id", Key, primary_key=True),
    Column("link_id", ForeignKey("link.id", ondelete="CASCADE"), nullable=False),
    Column("calendar_id", ForeignKey("calendar.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("uid", Text, nullable=False),
    Column("href", Text, nullable=False),  # remote
    Column("generation", Integer, nullable=False, default=1),  # how often it was re-created there
    # the two bases; None before the first agreement
    Column("base_etag", Text),  # our object's etag at that moment
    Column("base_tag", Text),  # their tag at that moment
    # the write in flight: recorded before it is sent, forgotten when its outcome is known
    Column("flight", Text),  # put | delete; None: none
    Column("flight_etag", Text),
    Column("flight_expect", Text),  # the tag it expects; None: a create
    # an object that waits or was given up
    Column("problem", Text),  # a sentence; None: fine
    Column("problem_kind", Text),  # retry | ask | give up
    Column("problem_tag", Text),  # the remote tag it concerns: a new version gets a new try
    Column("problem_etag", Text),  # likewise ours
    Column("tries", Integer, nullable=False, default=0),
    Column("rewrites", Integer, nullable=False, default=0),  # in a row, without a user's edit: loop breaker
    # made there, and no listing has shown it since: a delta may leave out what came and went meanwhile
    Column("unproven", Boolean, nullable=False, default=False),
    # the texts come last: SQLite walks over whatever stands before the column that is asked for
    Column("base_hub", Text),  # our text when both last agreed; None beside base_remote: the same text
    Column("base_remote", Text),  # theirs, as received
    Column("flight_hub", Text),  # our text that it stands for (becomes base_hub)
    Column("flight_text", Text),  # what is sent (becomes base_remote, unless the server rewrote it)
    UniqueConstraint("link_id", "href"),
    UniqueConstraint("link_id", "calendar_id", "uid"),
)
partial_index(
    "ix_pairing_unsettled",
    pairing.c.link_id,
    where=UNSETTLED,
)
partial_index(
    "ix_pairing_unproven",
    pairing.c.link_id,
    where="unproven",
    on_sqlite="unproven = 1",
)

# --- what happened ---------------------------------------------------------------------------------

pass_ = Table(
    "pass",
    metadata,
    Column("id", Key, primary_key=True),
    Column("link_id", ForeignKey("link.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("user_id", ForeignKey("user.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("started", Instant, nullable=False),
    Column("finished", Instant),  # None: running, or killed
    Column("counts", JSON, nullable=False, default=dict),
    Column("outcome", Text),  # done | held | failed
    Column("undone", Instant),
    sqlite_autoincrement=True,  # ids are never used again
)

journal = Table(
    "journal",
    metadata,
    Column("id", Key, primary_key=True),
    Column("user_id", ForeignKey("user.id", ondelete="CASCADE"), nullable=False),
    Column("pass_id", ForeignKey("pass.id", ondelete="CASCADE"), index=True),  # None: not made by a pass
    Column("link_id", ForeignKey("link.id", ondelete="SET NULL"), index=True),
    Column("calendar_id", ForeignKey("calendar.id", ondelete="SET NULL"), index=True),
    Column("side", Text, nullable=False),  # hub | remote
    Column("action", Text, nullable=False),  # create | update | delete | restore
    Column("uid", Text, nullable=False),
    Column("href", Text, nullable=False),
    Column("before", Text),
    Column("after", Text),
    Column("loser", Text),  # the text whose conflicting groups were overruled, if any
    Column("actor", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Index(None, "user_id", "id"),
    Index(None, "at"),
)

conflict = Table(
    "conflict",
    metadata,
    Column("id", Key, primary_key=True),
    Column("user_id", ForeignKey("user.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("link_id", ForeignKey("link.id", ondelete="CASCADE"), nullable=False),
    Column("calendar_id", ForeignKey("calendar.id", ondelete="CASCADE"), nullable=False),
    Column("pass_id", ForeignKey("pass.id", ondelete="CASCADE"), index=True),
    Column("uid", Text, nullable=False),
    Column("instance", Text),  # which date of a series (bridge.ical.fields.Instance); None: the event itself
    Column("group", Text, nullable=False),  # title, when ...
    Column("ours", Text, nullable=False),  # whole texts, so that either side can be put back
    Column("theirs", Text, nullable=False),
    Column("winner", Text, nullable=False),  # ours | theirs | ask (waits for the user)
    Column("resolved", Text),  # ours | theirs, by the user; superseded
    Column("at", Instant, nullable=False),
)

suggestion = Table(
    "suggestion",  # a change to a booking that waits for approval (policy "approve")
    metadata,
    Column("id", Key, primary_key=True),
    Column("user_id", ForeignKey("user.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("calendar_id", ForeignKey("calendar.id", ondelete="CASCADE"), nullable=False),
    Column("uid", Text, nullable=False),
    Column("before", Text, nullable=False),
    Column("after", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("answer", Text),  # approved | declined | superseded; None: it waits
)

notice = Table(
    "notice",  # something the user should know, with an action where there is one
    metadata,
    Column("id", Key, primary_key=True),
    Column("user_id", ForeignKey("user.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("kind", Text, nullable=False),  # booking-restored, old-subscription ...
    Column("uid", Text),
    Column("message", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("dismissed", Instant),
)

# --- client booking --------------------------------------------------------------------------------

opening = Table(
    "opening",  # what holds for all of a user's availability; no row: always open
    metadata,
    Column("user_id", ForeignKey("user.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("hours", JSON),  # {"0": [[opens, closes], ...]}: Monday is 0, seconds by the wall; None: always
    Column("closed", JSON, nullable=False, default=list),  # days off: [[first, last], ...], ISO dates
    Column("tentative_blocks", Boolean, nullable=False, default=True),  # of events from other calendars
    Column("private_before", Integer, nullable=False, default=0),  # free seconds around events of others
    Column("private_after", Integer, nullable=False, default=0),
    Column("buffers", JSON, nullable=False, default=dict),  # by job type: {"wedding": [before, after]}
)

place = Table(
    "place",  # the address book: where sessions take place
    metadata,
    Column("id", Key, primary_key=True),
    Column("user_id", ForeignKey("user.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("address", Text, nullable=False, default=""),
    Column("latitude", Float),  # degrees; both or none
    Column("longitude", Float),
    Column("before", Integer, nullable=False, default=0),  # free seconds around sessions there
    Column("after", Integer, nullable=False, default=0),
    Column("light", Boolean, nullable=False, default=False),  # the Light calendar tells its golden hours
    UniqueConstraint("user_id", "name"),
    sqlite_autoincrement=True,  # ids are never used again
)

booking_event = Table(
    "booking_event",  # a page on which clients choose a session; durations in seconds
    metadata,
    Column("id", Key, primary_key=True),
    Column("user_id", ForeignKey("user.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("studio_id", ForeignKey("studio.id", ondelete="CASCADE"), nullable=False),
    Column("slug", Text, nullable=False),  # in its address; never used again within the studio
    Column("title", Text, nullable=False),
    Column("place", Text, nullable=False, default=""),
    Column("description", Text, nullable=False, default=""),
    Column("status", Text, nullable=False, default="active"),  # active | disabled | archived
    Column("days", JSON),  # {date: {"open": [[opens, closes]], "breaks": ..., "hidden": ...}}; None: hours
    Column("hidden_starts", JSON, nullable=False, default=list),  # single slots shown as taken
    Column("length", Integer, nullable=False),
    Column("gap", Integer, nullable=False, default=0),
    Column("before", Integer, nullable=False, default=0),  # free time that a session wants before it
    Column("after", Integer, nullable=False, default=0),
    Column("notice", Integer, nullable=False, default=0),
    Column("furthest", Integer),  # days
    Column("per_day", Integer),
    Column("per_week", Integer),
    Column("hold", Integer, nullable=False, default=0),  # 0: booked at once, else it waits to be confirmed
    Column("job_type", Text, nullable=False, default=""),  # such as wedding: what its buffers go by
    Column("address", Text, nullable=False, default=""),
    Column("place_id", ForeignKey("place.id", ondelete="SET NULL")),  # from the address book
    Column("latitude", Float),  # degrees; both or none: outdoors
    Column("longitude", Float),
    Column("sun", Text, nullable=False, default=""),  # sunset | sunrise: what the days' blocks follow
    Column("created", Instant, nullable=False),
    UniqueConstraint("studio_id", "slug"),
    sqlite_autoincrement=True,  # ids are never used again
)

client_booking = Table(
    "client_booking",  # who booked an object through a page; when it takes place says the object alone
    metadata,
    Column("id", Key, primary_key=True),
    Column("event_id", ForeignKey("booking_event.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("calendar_id", ForeignKey("calendar.id", ondelete="CASCADE"), nullable=False),
    Column("uid", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("phone", Text, nullable=False),
    Column("time_zone", Text, nullable=False),  # the client's
    Column("status", Text, nullable=False),  # held | reserved | confirmed | cancelled | expired
    Column("expires", Instant),  # of a hold
    Column("mail", Text),  # what is still to be mailed: booked | moved | cancelled; None: nothing
    Column("mail_tries", Integer, nullable=False, default=0),
    Column("mail_after", Instant),  # not before; None: at once
    Column("created", Instant, nullable=False),
    UniqueConstraint("calendar_id", "uid"),
    Index(None, "status", "expires"),
    sqlite_autoincrement=True,  # ids are never used again
)
partial_index(
    "ix_client_booking_mail",
    client_booking.c.id,
    where="mail IS NOT NULL",
)
