"""Where bookings live, chosen on the pages; and old copies, cleared away there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest

from bridge.service import sources
from bridge.store import people as people_rows
from bridge.store.people import UserRow
from bridge.wiring import Bridge
from tests.servers.feed import Publisher
from tests.servers.postgres import postgres
from tests.sources.picsello import Picsello
from tests.sources.test_feed import event, whole
from tests.web import studio
from tests.web.browser import Browser
from tests.web.conftest import ANNA, BERT
from tests.web.studio import account, link, mirrored

PAGE = "/calendar/settings/source"


@pytest.fixture
def site() -> Iterator[Publisher]:
    with Publisher() as running:
        running.publish("calendar").serve(200, whole(event(1, datetime(2030, 5, 1, 10))))
        yield running


def lives(bridge: Bridge, email: str) -> str:
    with bridge.db.reading() as tx:
        return people_rows.user_by_email(tx, email).source


def test_a_calendar_link_is_read_and_left_again(at_annas: Browser, bridge: Bridge, site: Publisher) -> None:
    page = at_annas.open("/calendar/settings").follow("Change where")
    assert "Here, on this server" in page.text
    page.press("Read this link", url=f"{site.url}calendar.ics", edits="refuse")
    assert "from Picsello's calendar link now" in page.text
    assert lives(bridge, ANNA) == "feed"
    assert "calendar.ics" not in page.text  # the address is the secret
    page.press("Keep them here")
    assert "Nothing was deleted anywhere" in page.text
    assert lives(bridge, ANNA) == "studio"


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("", "paste the link"),
        ("not an address", "address"),
        ("http://10.0.0.1/calendar/x", "10.0.0.1"),
        ("file:///etc/passwd", "address"),
    ],
)
def test_a_wrong_link_is_said_beside_its_field(
    at_annas: Browser, bridge: Bridge, address: str, said: str
) -> None:
    page = at_annas.open(PAGE).press("Read this link", url=address)
    assert page.response.status_code == 422
    error = page.document.xpath("//p[@class='error']")[0].text_content()
    assert said in error
    assert lives(bridge, ANNA) == "studio"


def test_a_database_is_never_named_on_a_page(at_annas: Browser, bridge: Bridge) -> None:
    page = at_annas.open(PAGE)
    assert "picsello-bridge source set anna@example.com picsello" in page.text
    answer = page.send(f"{PAGE}/choices", mode="write", titles="full", url="postgresql://anna@127.0.0.1/x")
    assert answer.response.status_code == 422
    assert lives(bridge, ANNA) == "studio"


def test_choices_of_a_picsello_in_use_are_changed(at_annas: Browser, bridge: Bridge) -> None:
    with postgres() as cluster:
        name = cluster.create()
        app = Picsello.made(cluster.url(name), 1)
        app.shoot(app.job(app.studio(ANNA), client="Mary Jane"), datetime(2030, 5, 1, 14))
        database = f"postgresql://postgres@/{name}?host={cluster.folder}"
        sources.set_(bridge, ANNA, "picsello", url=database, options={"contact": True})
        page = at_annas.open(PAGE)
        assert "seconds after they change" in page.text
        page.press("Save", mode="read", titles="initials", leads="y")
        assert "read again with these choices" in page.text
        with bridge.db.reading() as tx:
            user = people_rows.user_by_email(tx, ANNA)
        source = sources.of_user(bridge, user.id)
        assert source is not None
        bridge.engine().run(source.id, by_hand=True)
        assert "M. J. Wedding" in at_annas.open("/history").text
        assert page.open(PAGE).document.xpath("//input[@name='mode'][@checked]/@value") == ["read"]
        app.connection.close()


def test_old_copies_are_listed_and_only_ones_own(
    at_annas: Browser, bridge: Bridge, anna: UserRow, bert: UserRow
) -> None:
    for user, title in ((anna, "Engagement"), (bert, "Bert's portrait")):
        work = link(bridge, account(bridge, user), "work", reads=True)
        text = studio.event("1@relay", title, "DTSTART:20300501T140000Z", "DESCRIPTION:[From Picsello]")
        mirrored(bridge, work, text)
    page = at_annas.open("/calendar/settings/leftovers")
    assert "Engagement" in page.text
    assert "No booking has this time and title" in page.text
    assert "portrait" not in page.text
    page.press("Remove", entry=[])
    assert "Tick the entries first" in page.text
    number = page.document.xpath("//input[@name='entry']/@value")[0]
    assert page.send("/calendar/settings/leftovers", entry=number).response.status_code == 303
    assert "Engagement" in page.open("/calendar/settings/leftovers").text, "without a word nothing is removed"
    berts = Browser(page.client.application).sign_in(BERT).open("/calendar/settings/leftovers")
    number = berts.document.xpath("//input[@name='entry']/@value")[0]
    stolen = at_annas.send("/calendar/settings/leftovers", entry=number, act="remove")
    assert stolen.response.status_code == 404
