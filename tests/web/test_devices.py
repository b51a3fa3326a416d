"""Devices: a password shown once, and taken back."""

from __future__ import annotations

import plistlib
from datetime import timedelta
from urllib.parse import urlsplit

from flask import Flask

from bridge.service import people
from bridge.wiring import Bridge
from tests.web.browser import Browser
from tests.web.conftest import ANNA, Clock


def works(bridge: Bridge, password: str) -> bool:
    with bridge.db.reading() as tx:
        return people.verify_device(tx, bridge.vault, ANNA, password) is not None


def test_a_new_device_gets_a_password_that_works_until_it_is_removed(
    at_annas: Browser, bridge: Bridge
) -> None:
    at_annas.open("/devices").press("Create its password", name="  My iPhone ")
    assert "“My iPhone” is ready to be set up" in at_annas.text
    shown = {
        name: at_annas.document.get_element_by_id(name).text for name in ("server", "username", "password")
    }
    assert shown["server"] == f"{bridge.public_url}/dav/{ANNA}/"
    assert shown["username"] == ANNA
    assert works(bridge, shown["password"])

    at_annas.open("/devices")
    assert shown["password"] not in at_annas.html
    assert "My iPhone Waiting for its first sign · added today at 12:00" in at_annas.text
    at_annas.press("Remove My iPhone")
    assert "“My iPhone” is removed. Its password no longer works." in at_annas.text
    assert not works(bridge, shown["password"])


def test_each_guide_has_pictures_that_are_told_to_who_cannot_see_them(at_annas: Browser) -> None:
    at_annas.open("/devices").press("Create its password", name="My iPhone")
    guides = at_annas.document.xpath("//details[summary]")
    names = [guide.find("summary").text for guide in guides]
    assert names == ["iPhone and iPad", "Mac", "Thunderbird", "Outlook on Windows", "Android, with DAVx⁵"]
    for guide in guides:
        told = guide.xpath(".//*[local-name()='svg'][@role='img']/@aria-label")
        assert told, guide.find("summary").text
        assert any("Server, from above" in one for one in told)
    assert "style=" not in at_annas.html


def test_a_code_that_is_too_old_says_what_to_do(at_annas: Browser, app: Flask) -> None:
    answer = app.test_client().get("/devices/setup/nothing")
    assert answer.status_code == 404
    assert "remove the device, and add it once more" in answer.get_data(as_text=True)


def test_a_nameless_or_doubled_device_is_refused_beside_the_field(at_annas: Browser) -> None:
    at_annas.open("/devices").press("Create its password", name=" ")
    assert "Please give the device a name" in at_annas.beside("name")
    at_annas.press("Create its password", name="Phone")
    at_annas.open("/devices").press("Create its password", name="Phone")
    assert at_annas.status == 422
    assert "already" in at_annas.beside("name")
    assert at_annas.field("name").get("value") == "Phone"


def test_the_server_is_named_by_its_public_address_alone(at_annas: Browser, app: Flask) -> None:
    cookie = at_annas.client.get_cookie("bridge")
    assert cookie is not None
    answer = app.test_client(use_cookies=False).post(
        "/devices",
        data={"name": "Phone", "csrf_token": at_annas.token()},
        headers={"Host": "evil.example", "Cookie": f"bridge={cookie.value}"},
    )
    assert answer.status_code == 200
    assert "evil.example" not in answer.get_data(as_text=True)


def test_last_used_is_told(at_annas: Browser, bridge: Bridge) -> None:
    made = people.add_device(bridge, ANNA, "Phone")
    from bridge.store.people import touch_device

    with bridge.db.writing() as tx:
        touch_device(tx, made.device_id, bridge.clock.now())
    assert "Last used today at 12:00" in at_annas.open("/devices").text


# --- without typing --------------------------------------------------------------------------------------


def setup_page(at_annas: Browser) -> str:
    """The address in the QR code, as far as the page tells it: that of the profile beside it."""
    at_annas.open("/devices").press("Create its password", name="iPhone")
    assert at_annas.document.find_class("qr")[0].find("svg") is not None
    (profile,) = (
        a.get("href") for a in at_annas.document.iter("a") if "mobileconfig" in (a.get("href") or "")
    )
    return str(profile).rpartition("/")[0]


def test_a_phone_gets_the_account_without_typing_or_signing_in(
    at_annas: Browser, app: Flask, bridge: Bridge
) -> None:
    page = setup_page(at_annas)
    phone = Browser(app).open(page)
    assert phone.status == 200
    password = phone.document.get_element_by_id("password").text
    assert works(bridge, password)
    answer = phone.client.get(f"{page}/calendars.mobileconfig")
    assert answer.mimetype == "application/x-apple-aspen-config"
    (account,) = plistlib.loads(answer.data)["PayloadContent"]
    assert account["PayloadType"] == "com.apple.caldav.account"
    assert (account["CalDAVUsername"], account["CalDAVPassword"]) == (ANNA, password)
    public = urlsplit(bridge.public_url)
    assert (account["CalDAVHostName"], account["CalDAVPort"]) == (public.hostname, public.port)
    assert account["CalDAVPrincipalURL"] == f"/dav/{ANNA}/"
    assert account["CalDAVUseSSL"] is False


def test_the_setup_page_is_gone_after_a_quarter_of_an_hour(
    at_annas: Browser, app: Flask, clock: Clock
) -> None:
    page = setup_page(at_annas)
    clock.pass_(minutes=16)
    assert Browser(app).open(page).status == 404
    clock.moment -= timedelta(minutes=16)
    assert Browser(app).open(page).status == 200


def test_the_setup_page_of_a_removed_device_is_gone(at_annas: Browser, app: Flask) -> None:
    page = setup_page(at_annas)
    at_annas.open("/devices").press("Remove iPhone")
    assert Browser(app).open(page).status == 404
    assert Browser(app).open(page[:-6] + "AAAAA=").status == 404
    assert Browser(app).open("/devices/setup/ümläut").status == 404
