"""Which provider an address suggests: right, or unknown, never wrong with confidence."""

from __future__ import annotations

import pytest

from bridge.errors import BridgeError
from bridge.providers.detect import detect


@pytest.mark.parametrize(
    ("address", "provider", "signin"),
    [
        ("anna@icloud.com", "icloud", "app-specific password"),
        ("Anna@ME.com", "icloud", "app-specific password"),
        ("anna+work@mac.com.", "icloud", "app-specific password"),
        ("anna@fastmail.co.uk", "fastmail", "app-specific password"),
        ("anna@gmx.de", "gmx", "app-specific password"),
        ("anna@posteo.net", "posteo", "password"),
        (" anna@yahoo.co.uk ", "yahoo", "app-specific password"),
    ],
)
def test_a_known_house_is_recognised(address: str, provider: str, signin: str):
    found = detect(address)
    assert (found.provider, found.signin, found.sure) == (provider, signin, True)


@pytest.mark.parametrize(
    "address",
    [
        "anna@studio-müller.example",
        "anna@icloud.com.evil.example",
        "anna@evilicloud.com",
        "anna@xn--icloud-xya.com",
        "anna@ıcloud.com",
        "anna@iclоud.com",  # a Cyrillic o
        "anna@icloud.co",
        "anna@me.com.au",
        "anna@mail.icloud.com.example",
    ],
)
def test_what_only_looks_like_it_is_unknown(address: str):
    found = detect(address)
    assert (found.provider, found.signin, found.sure) == ("unknown", "", False)
    assert found.why


@pytest.mark.parametrize(
    "address", ["", "anna", "anna@", "@icloud.com", "anna@icloud", "a b@icloud.com", "a@b@c.de"]
)
def test_what_is_no_address_is_said_so(address: str):
    with pytest.raises(BridgeError, match="not an e-mail address"):
        detect(address)
