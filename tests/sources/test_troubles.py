"""What can go wrong with Picsello's database: said in plain words, nothing lost, studios kept apart."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import psycopg
import pytest

from bridge.errors import (
    BridgeError,
    Invalid,
    NotACalendarServer,
    NotFound,
    NotPermitted,
    SignInNeeded,
    Unreachable,
)
from bridge.ical.added import note
from bridge.service import sources
from bridge.store import accounts, links
from bridge.store import people as people_rows
from tests.servers.kept import kept
from tests.servers.postgres import Cluster, postgres
from tests.sources.conftest import ANNA, FIRST, SECOND, Desk, uid
from tests.sources.test_reading import line
from tests.sources.test_writing import START, change, held_slot, replaced

READ = "organizations, users, clients, jobs, shoots, job_statuses"


@pytest.fixture
def role(desk: Desk) -> Iterator[str]:
    """A database role of our own that may do nothing yet."""
    desk.picsello.connection.execute("CREATE ROLE bridge LOGIN")
    desk.url = desk.url.replace("postgres@", "bridge@")
    yield "bridge"
    desk.picsello.connection.execute("DROP OWNED BY bridge CASCADE")
    desk.picsello.connection.execute("DROP ROLE bridge")


def test_a_role_without_rights_is_told_what_is_missing(desk: Desk, role: str) -> None:
    with pytest.raises(
        NotPermitted, match=r"may not read the bookings.*GRANT SELECT ON organizations TO bridge"
    ):
        desk.choose()
    desk.picsello.connection.execute(f"GRANT SELECT ON {READ} TO bridge")
    with pytest.raises(NotPermitted, match=r"may not move and edit shoots.*--mode read"):
        desk.choose()
    shoot = desk.picsello.shoot(desk.picsello.job(desk.organization, paid=True), START)
    desk.choose(mode="read")
    assert desk.sync().errors == []
    assert set(desk.bookings()) == {uid(shoot)}


@FIRST
def test_a_role_that_may_write_is_enough_where_job_statuses_is_a_view(desk: Desk, role: str) -> None:
    desk.picsello.connection.execute("GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO bridge")
    desk.choose()
    assert desk.sync().errors == []


@SECOND
def test_a_role_that_may_write_but_not_rebuild_job_statuses_is_told(desk: Desk, role: str) -> None:
    desk.picsello.connection.execute("GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO bridge")
    with pytest.raises(NotPermitted, match="GRANT postgres TO bridge"):
        desk.choose()


@SECOND
def test_a_reservation_whose_end_we_may_not_move_stays_and_says_why(desk: Desk, role: str) -> None:
    shoot, expiry, days = held_slot(desk)
    for statement in (
        "GRANT postgres TO bridge",
        "CREATE ROLE application",
        "ALTER TABLE oban_jobs OWNER TO application",
        "GRANT SELECT ON oban_jobs TO bridge",
    ):
        desk.picsello.connection.execute(statement)
    desk.choose(holds=True)
    desk.sync()
    row = change(desk, shoot, DTSTART="20270502T110000", DTEND="20270502T113000")
    aimed_at = desk.picsello.row("oban_jobs", expiry)["args"]["booking_date_id"]
    desk.picsello.connection.execute("DROP OWNED BY application CASCADE; DROP ROLE application")
    assert row["starts_at"] == START
    assert "has not paid yet" in (note(desk.booking(shoot).text) or "")
    assert aimed_at == days[0]
    assert desk.picsello.row("booking_event_dates", days[0])["slots"][0]["status"] == "booked"


def test_a_role_that_loses_its_rights_is_explained_and_bookings_stay(desk: Desk, role: str) -> None:
    shoot = desk.picsello.shoot(desk.picsello.job(desk.organization, paid=True), START)
    desk.picsello.connection.execute(f"GRANT SELECT ON {READ} TO bridge")
    desk.choose(mode="read")
    desk.sync()
    desk.picsello.connection.execute("REVOKE SELECT ON shoots FROM bridge")
    report = desk.sync()
    assert len(report.errors) == 1
    assert "does not let us use table shoots" in report.errors[0]
    assert set(desk.bookings()) == {uid(shoot)}
    desk.picsello.connection.execute("GRANT SELECT ON shoots TO bridge")
    assert desk.sync().errors == []


def test_a_database_that_is_away_keeps_bookings_and_changes(desk: Desk, cluster: Cluster) -> None:
    shoot = desk.picsello.shoot(desk.picsello.job(desk.organization, paid=True), START)
    desk.choose()
    desk.sync()
    name = desk.picsello.connection.info.dbname
    cluster.run(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false")
    desk.picsello.connection.close()
    cluster.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    desk.edit(shoot, replaced(desk.booking(shoot).text, DTSTART="20270502T110000", DTEND="20270502T120000"))
    report = desk.sync()
    assert report.failed
    assert len(report.errors) == 1
    assert line(desk.booking(shoot).text, "DTSTART") == "20270502T110000"
    cluster.run(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true")
    assert desk.sync().errors == []
    again = psycopg.connect(desk.url.replace("postgres@", "postgres@"))
    assert again.execute("SELECT starts_at FROM shoots WHERE id = %s", [shoot]).fetchone() == (
        datetime(2027, 5, 2, 15),
    )
    again.close()


def test_a_server_that_stops_is_a_trouble_that_passes(desk: Desk) -> None:
    with postgres() as short_lived:
        url = f"postgresql://postgres@/postgres?host={short_lived.folder}"
        short_lived.stop()
        with pytest.raises(Unreachable, match="does not answer"):
            sources.set_(desk.bridge, ANNA, "picsello", url=url)


def test_wrong_addresses_are_refused_before_anything_is_saved(desk: Desk) -> None:
    host = desk.url.partition("?")[2]
    wrong: dict[str, type[BridgeError]] = {
        "https://picsello.example/": Invalid,
        "postgresql://anna:secret@db.example/picsello": Invalid,
        f"postgresql://postgres@/nothing_here?{host}": NotACalendarServer,
        f"postgresql://nobody@/postgres?{host}": SignInNeeded,
        f"postgresql://postgres@/postgres?{host}": NotACalendarServer,
    }
    for url, kind in wrong.items():
        with pytest.raises(kind) as refused:
            sources.set_(desk.bridge, ANNA, "picsello", url=url)
        assert "secret" not in str(refused.value)
    with desk.bridge.db.reading() as tx:
        user = people_rows.user_by_email(tx, ANNA)
        assert user.source == "studio"
        assert accounts.of_user(tx, user.id) == []


def test_a_schema_of_a_third_shape_is_named(desk: Desk) -> None:
    desk.picsello.connection.execute("ALTER TABLE shoots RENAME COLUMN starts_at TO begins")
    with pytest.raises(NotACalendarServer, match=r"shoots\.starts_at is missing"):
        desk.choose()


def test_a_schema_that_changes_under_us_is_said_and_bookings_stay(desk: Desk) -> None:
    shoot = desk.picsello.shoot(desk.picsello.job(desk.organization, paid=True), START)
    desk.choose()
    desk.sync()
    desk.picsello.connection.execute("ALTER TABLE shoots RENAME COLUMN starts_at TO begins")
    report = desk.sync()
    assert "does not look like a Picsello" in report.errors[0]
    assert set(desk.bookings()) == {uid(shoot)}


def test_nobody_of_that_name_and_a_studio_by_number(desk: Desk) -> None:
    desk.picsello.connection.execute("UPDATE users SET email = 'else@studio.example'")
    with pytest.raises(NotFound, match="--organization"):
        desk.choose()
    other = desk.picsello.studio("berta@studio.example")
    shoot = desk.picsello.shoot(desk.picsello.job(other, paid=True), START)
    desk.picsello.shoot(desk.picsello.job(desk.organization, paid=True), START)
    desk.choose(organization=other)
    desk.sync()
    assert set(desk.bookings()) == {uid(shoot)}


def test_every_photographer_of_a_database_gets_their_own_bookings_alone(desk: Desk) -> None:
    other = desk.picsello.studio("Berta@Studio.example", "Europe/Berlin", slug="berta")
    ours = desk.picsello.shoot(desk.picsello.job(desk.organization, paid=True), START)
    theirs = desk.picsello.shoot(desk.picsello.job(other, paid=True), START)
    chosen = sources.set_all(desk.bridge, desk.url, "", {})
    assert [one.user.email for one in chosen] == [ANNA, "berta@studio.example"]
    assert (chosen[1].user.studio, chosen[1].user.time_zone) == ("berta", "Europe/Berlin")
    with desk.bridge.db.reading() as tx:
        found = [links.of_source(tx, one.user.id) for one in chosen]
    for link in found:
        assert link is not None
        assert desk.bridge.engine().run(link.id).errors == []
    from bridge.store import calendars, objects

    with desk.bridge.db.reading() as tx:
        seen = [
            {row.uid for row in objects.all_objects(tx, calendars.bookings(tx, one.user.id).id)}
            for one in chosen
        ]
    assert seen == [{uid(ours)}, {uid(theirs)}]
    # once more: nobody is added twice
    assert len(sources.set_all(desk.bridge, desk.url, "", {})) == 2


def test_the_dead_sync_is_explained(desk: Desk) -> None:
    user = desk.picsello.connection.execute("SELECT id FROM users").fetchone()
    assert user is not None
    desk.picsello.insert("nylas_details", user_id=user["id"], oauth_token="t", external_calendar_rw_id="c")
    told = desk.choose().told[0]
    assert "disconnect it in Picsello" in told
    assert "queue" not in told
    shoot = desk.picsello.shoot(desk.picsello.job(desk.organization, paid=True), datetime(2027, 5, 1, 14))
    other = desk.picsello.studio("berta@studio.example")
    theirs = desk.picsello.shoot(desk.picsello.job(other, paid=True), datetime(2027, 5, 1, 14))
    for one, state in ((shoot, "retryable"), (shoot, "completed"), (theirs, "available")):
        desk.picsello.waiting("CalendarEvent", state, type="update", shoot_id=one)
    assert "1 change waits in its queue" in desk.choose().told[0]


def test_a_password_is_sealed_and_never_in_the_address(desk: Desk) -> None:
    sources.set_(desk.bridge, ANNA, "picsello", url=desk.url, secret="hunter2-hunter2")
    assert ANNA.encode() in kept(desk.bridge.db)
    assert b"hunter2" not in kept(desk.bridge.db)
