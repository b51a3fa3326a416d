"""Mails to clients, by a real SMTP conversation with a server of the test's own on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from email.message import EmailMessage
from urllib.parse import urlsplit

import pytest
from werkzeug.test import TestResponse

from bridge.config import Settings
from bridge.service import client_booking, client_mail
from bridge.service.client_sessions import Session
from bridge.web import make_app
from tests.booking.conftest import Client, Studio, at
from tests.servers import smtp
from tests.servers.smtp import Sink


@pytest.fixture
def sink() -> Iterator[Sink]:
    with smtp.running() as server:
        yield server


@pytest.fixture
def settings(settings: Settings, sink: Sink) -> Settings:
    address = f"smtp://127.0.0.1:{sink.server_address[1]}"
    return replace(settings, smtp_url=address, mail_from="Anna <anna@studio.example>")


def body(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def receipt(studio: Studio, session: Session) -> TestResponse:
    """The page that the mail's link leads to."""
    path = urlsplit(client_mail.address(studio.bridge, session)).path
    return make_app(studio.bridge).test_client().get(path)


def test_the_client_gets_the_booking_its_file_and_its_link(studio: Studio, sink: Sink) -> None:
    studio.book(studio.event(place="The old mill"))
    assert client_mail.deliver(studio.bridge) == 1
    (mail,) = sink.mails
    assert mail["To"] == "mary@client.example" and "Spring minis" in mail["Subject"]
    text = body(mail)
    assert "01:00 to 02:00 (America/Denver)" in text and "09:00 to 10:00 (Europe/Berlin)" in text
    assert "The old mill" in text and "/book/anna/spring-minis/receipt/" in text
    (attached,) = mail.iter_attachments()
    assert attached.get_filename() == "booking.ics"
    assert attached.get_content().replace("\r\n", "\n") == studio.texts()[0].replace("\r\n", "\n")
    assert client_mail.deliver(studio.bridge) == 0


def test_moving_and_cancelling_are_told_too(studio: Studio, sink: Sink) -> None:
    session = studio.book(studio.event())
    client_mail.deliver(studio.bridge)
    client_booking.move(studio.bridge, session.row.id, at("12:00"))
    client_mail.deliver(studio.bridge)
    client_booking.cancel(studio.bridge, session.row.id)
    client_mail.deliver(studio.bridge)
    assert [mail["Subject"].partition(":")[0] for mail in sink.mails] == [
        "Your session is booked",
        "Your session has a new time",
        "Your session is cancelled",
    ]
    assert "12:00" in body(sink.mails[1])


@pytest.mark.parametrize("hold", [0, 20])
def test_a_cancelled_session_still_says_when_it_was_to_be(studio: Studio, sink: Sink, hold: int) -> None:
    session = studio.book(studio.event(hold=hold))
    client_mail.deliver(studio.bridge)
    client_booking.cancel(studio.bridge, session.row.id)
    client_mail.deliver(studio.bridge)
    told = body(sink.mails[1])
    assert "It was to be on\n" in told and "09:00 to 10:00 (Europe/Berlin)\n" in told
    page = receipt(studio, session).text
    assert "Cancelled" in page and "Was to be" in page and "at the studio 09:00" in page


def test_a_hold_that_ran_out_still_says_when_it_was_to_be(studio: Studio) -> None:
    session = studio.book(studio.event(hold=20))
    assert "Was to be" not in receipt(studio, session).text
    studio.clock.pass_(minutes=21)
    assert client_booking.release_expired(studio.bridge) == 1
    page = receipt(studio, session).text
    assert "The hold ran out" in page and "Was to be" in page and "at the studio 09:00" in page


def test_a_mail_server_that_is_away_delays_a_mail_and_loses_none(studio: Studio, sink: Sink) -> None:
    sink.refuses = True
    studio.book(studio.event())
    assert client_mail.deliver(studio.bridge) == 0
    sink.refuses = False
    assert client_mail.deliver(studio.bridge) == 0  # not at once again
    studio.clock.pass_(minutes=2)
    assert client_mail.deliver(studio.bridge) == 1


def test_no_header_can_be_slipped_in(studio: Studio, sink: Sink) -> None:
    client = Client("Eve\r\nBcc: all@x.example", "eve@client.example", "+1 2")
    studio.book(studio.event("Minis\nBcc: all@x.example"), client=client)
    assert client_mail.deliver(studio.bridge) == 1
    assert sink.mails[0]["Bcc"] is None


MILL = {"place": "The old mill", "address": "Mill Lane 1, Berlin", "latitude": "52.52", "longitude": "13.405"}
#: Of that day, by both clocks: by Denver's its first golden hour begins the evening before.
LIGHT = "Sunrise 08:00, sunset 15:53, golden hour 07:34 to 09:01 and 14:53 to 16:20"
IN_DENVER = "Sunrise 00:00, sunset 07:53, golden hour 23:34 the day before to 01:01 and 06:53 to 08:20"


def test_an_outdoor_session_comes_with_its_light_in_both_zones(studio: Studio, sink: Sink) -> None:
    session = studio.book(studio.event(**MILL))
    client_mail.deliver(studio.bridge)
    text = body(sink.mails[0])
    assert "The old mill\nMill Lane 1, Berlin\n" in text
    assert f"\n{IN_DENVER} (America/Denver)\n{LIGHT} (Europe/Berlin)\n" in text
    page = receipt(studio, session)
    assert (
        IN_DENVER in page.text and f"at the studio: s{LIGHT[1:]}" in page.text and "Mill Lane 1" in page.text
    )
    client_booking.cancel(studio.bridge, session.row.id)
    client_mail.deliver(studio.bridge)
    assert "unrise" not in body(sink.mails[1])


def test_an_indoor_session_has_no_light(studio: Studio, sink: Sink) -> None:
    session = studio.book(studio.event(place="The old mill"))
    client_mail.deliver(studio.bridge)
    assert "unrise" not in body(sink.mails[0])
    page = receipt(studio, session)
    assert page.status_code == 200 and "Light" not in page.text


def test_a_hold_that_lasts_into_another_day_names_the_day(studio: Studio, sink: Sink) -> None:
    session = studio.book(studio.event(hold=60 * 30))
    client_mail.deliver(studio.bridge)
    assert "until Monday, 23 November, 10:00 (America/Denver)" in body(sink.mails[0])
    page = receipt(studio, session)
    assert "until tomorrow at 10:00" in page.text
