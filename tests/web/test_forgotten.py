"""A forgotten password: the link that comes by mail, once, for an hour; a stranger learns nothing."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask

from bridge.config import Settings
from bridge.service import password_reset, people
from bridge.store.people import UserRow
from bridge.wiring import Bridge
from tests.servers import smtp
from tests.servers.smtp import Sink
from tests.web.browser import Browser
from tests.web.conftest import ANNA, BERT, Clock

NEW = "quite another one"


@pytest.fixture
def sink() -> Iterator[Sink]:
    with smtp.running() as server:
        yield server


@pytest.fixture
def settings(settings: Settings, sink: Sink) -> Settings:
    address = f"smtp://127.0.0.1:{sink.server_address[1]}"
    public = "https://calendar.studio.example"
    return replace(settings, smtp_url=address, mail_from="calendar@studio.example", public_url=public)


def link(sink: Sink) -> str:
    """The path of the link in the last mail."""
    for _ in range(250):
        if sink.mails:
            break
        time.sleep(0.02)
    (path,) = re.findall(
        r"https://calendar\.studio\.example(/sign-in/new-password/\S+)", sink.mails[-1].get_content()
    )
    return str(path)


@pytest.fixture
def browser(app: Flask) -> Browser:
    return Browser(app, **{"wsgi.url_scheme": "https"})


def test_from_the_sign_in_page_to_a_new_password(browser: Browser, sink: Sink, bridge: Bridge) -> None:
    browser.open("/sign-in").follow("Forgotten your password?")
    browser.press("Send me the link", email=" Anna@Example.com ")
    assert "a mail with a link is on its way" in browser.text
    browser.open(link(sink))
    assert sink.mails[0]["To"] == ANNA
    browser.press("Set the password", new=NEW, again=NEW)
    assert "Your new password is set." in browser.text
    assert people.check_password(bridge, ANNA, "a good password") is None
    assert browser.sign_in(ANNA, NEW).path == "/"


def test_the_link_works_once(app: Flask, browser: Browser, bridge: Bridge, sink: Sink) -> None:
    browser.open("/sign-in/forgotten").press("Send me the link", email=ANNA)
    path = link(sink)
    second = Browser(app, **{"wsgi.url_scheme": "https"}).open(path)
    assert browser.open(path).press("Set the password", new=NEW, again=NEW).path == "/sign-in"
    assert "works once" in browser.open(path).text
    second.press("Set the password", new="a thief's password", again="a thief's password")
    assert "works once" in second.text
    assert people.check_password(bridge, ANNA, NEW)


def test_the_link_works_for_an_hour(browser: Browser, sink: Sink, clock: Clock) -> None:
    browser.open("/sign-in/forgotten").press("Send me the link", email=ANNA)
    path = link(sink)
    clock.pass_(minutes=59)
    assert "Choose a new password" in browser.open(path).text
    clock.pass_(minutes=2)
    assert "for an hour" in browser.open(path).text


def test_changing_the_password_otherwise_ends_the_link(browser: Browser, bridge: Bridge, sink: Sink) -> None:
    browser.open("/sign-in/forgotten").press("Send me the link", email=ANNA)
    path = link(sink)
    people.set_user(bridge, ANNA, password="she remembered it")
    assert "works once" in browser.open(path).text


def test_what_is_not_ours_opens_nothing(
    browser: Browser, bridge: Bridge, anna: UserRow, bert: UserRow
) -> None:
    good = password_reset.token(bridge, anna)
    device = bridge.vault.seal(f"{anna.id} 1 9999999999", "web: device setup").decode()
    for forged in ("x", good[:-4] + "AAAA", device, "é", good.swapcase()):
        assert "not valid any more" in browser.open(f"/sign-in/new-password/{forged}").text


def test_an_unknown_address_gets_the_same_answer_and_no_mail(browser: Browser, sink: Sink) -> None:
    answers = []
    for email in ("nobody@example.com", ANNA):
        browser.open("/sign-in/forgotten").press("Send me the link", email=email)
        answers.append((browser.path, browser.status, browser.text.replace(email, "X")))
    assert answers[0] == answers[1]
    link(sink)
    assert [mail["To"] for mail in sink.mails] == [ANNA]


def test_nobodys_mailbox_is_filled(browser: Browser, sink: Sink) -> None:
    for email in (ANNA, "nobody@example.com"):
        for number in range(4):
            browser.open("/sign-in/forgotten").press("Send me the link", email=email)
            assert (browser.status == 429) == (number == 3), email


def test_a_mail_server_that_is_away_changes_nothing_of_the_answer(browser: Browser, sink: Sink) -> None:
    sink.refuses = True
    browser.open("/sign-in/forgotten").press("Send me the link", email=ANNA)
    assert "a mail with a link is on its way" in browser.text


def test_the_mail_names_the_public_address_whatever_the_request_says(app: Flask, sink: Sink) -> None:
    environ = {"wsgi.url_scheme": "https", "HTTP_HOST": "evil.example"}
    browser = Browser(app, **environ)
    browser.open("/sign-in/forgotten").press("Send me the link", email=BERT)
    assert link(sink)
    assert "evil" not in sink.mails[0].get_content()


def test_signed_in_browsers_are_signed_out_by_it(app: Flask, browser: Browser, sink: Sink) -> None:
    thief = Browser(app, **{"wsgi.url_scheme": "https"}).sign_in(ANNA)
    browser.open("/sign-in/forgotten").press("Send me the link", email=ANNA)
    browser.open(link(sink)).press("Set the password", new=NEW, again=NEW)
    assert thief.open("/devices").path.startswith("/sign-in")


def test_too_short_a_password_is_not_taken_and_the_link_stays_good(browser: Browser, sink: Sink) -> None:
    browser.open("/sign-in/forgotten").press("Send me the link", email=ANNA)
    browser.open(link(sink)).press("Set the password", new="short", again="short")
    assert "at least 10 characters" in browser.beside("new")
    assert browser.press("Set the password", new=NEW, again=NEW).path == "/sign-in"


class TestWhereNoMailIsSent:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return replace(settings, smtp_url="")

    def test_the_page_says_who_can_help(self, browser: Browser) -> None:
        browser.open("/sign-in").follow("Forgotten your password?")
        assert "user set you@example.com --password-stdin" in browser.text
        assert browser.send("/sign-in/forgotten", email=ANNA).status == 422
