"""A browser without JavaScript: opens pages, follows links by their words, sends forms as they stand."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import lxml.html
from flask import Flask
from werkzeug.test import TestResponse


class Browser:
    """One person's browser. ``response`` is the last answer after redirects."""

    def __init__(self, app: Flask, **environ: Any) -> None:
        self.client = app.test_client()
        self.environ = environ
        self.response: TestResponse
        self.path = "/"

    def open(self, path: str) -> Browser:
        """GET, and follow redirects."""
        return self._take(self.client.get(path, **self._where()))

    def follow(self, words: str) -> Browser:
        """Click a link."""
        links = [a for a in self.document.iter("a") if _words(a) == words]
        assert len(links) == 1, f"{len(links)} links say “{words}” on {self.path}:\n{self.text}"
        return self.open(links[0].get("href"))

    def press(self, words: str, number: int = 0, **fields: str | list[str]) -> Browser:
        """Press the button with these words (the ``number``-th of them), after filling in fields by name."""
        buttons = [b for b in self.document.iter("button") if _words(b) == words]
        assert buttons, f"no button says “{words}” on {self.path}:\n{self.text}"
        form = next(buttons[number].iterancestors("form"))
        names = {element.get("name") for element in form.iter("input", "select", "textarea")}
        assert fields.keys() <= names, f"the form has {names}, not {set(fields)}"
        kept = [(name, value) for name, value in _standing(form) if name not in fields]
        typed = [
            (name, value)
            for name, values in fields.items()
            for value in (values if isinstance(values, list) else [values])
        ]
        pressed = [(name, buttons[number].get("value", ""))] if (name := buttons[number].get("name")) else []
        data: dict[str, list[str]] = {}
        for name, value in kept + typed + pressed:
            data.setdefault(name, []).append(value)
        assert form.method == "POST"
        return self._take(self.client.post(form.action or self.path, data=data, **self._where()))

    def send(self, path: str, with_token: bool = True, **fields: str) -> Browser:
        """A POST that no page offers, as an attacker who has (or lacks) the session's token would send it."""
        token = {"csrf_token": self.token()} if with_token else {}
        return self._take(self.client.post(path, data=token | fields, **self._where()), follow=False)

    def token(self) -> str:
        """The CSRF token of this session, from whatever page has a form."""
        page = lxml.html.fromstring(self.client.get("/devices", follow_redirects=True).get_data())
        return str(page.xpath("//input[@name='csrf_token']")[0].get("value"))

    def sign_in(self, email: str, password: str = "a good password") -> Browser:
        """Through the page."""
        return self.open("/sign-in").press("Sign in", email=email, password=password)

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def html(self) -> str:
        return self.response.get_data(as_text=True)

    @property
    def document(self) -> Any:
        return lxml.html.fromstring(self.html)

    @property
    def text(self) -> str:
        """What one reads on the page, with single blanks."""
        return _words(self.document.find("body"))

    def field(self, name: str) -> Any:
        """The first input of that name."""
        return next(element for element in self.document.iter("input") if element.get("name") == name)

    def beside(self, name: str) -> str:
        """The error that stands beside a field (and is announced with it)."""
        field = self.field(name)
        assert field.get("aria-invalid") == "true", f"{name} is not marked as wrong:\n{self.text}"
        return " ".join(
            _words(self.document.get_element_by_id(i)) for i in field.get("aria-describedby").split()
        )

    def _where(self) -> dict[str, Any]:
        return {"environ_overrides": self.environ} if self.environ else {}

    def _take(self, response: TestResponse, follow: bool = True) -> Browser:
        while follow and response.status_code in (302, 303):
            location = response.headers["Location"]
            assert not urlsplit(location).netloc, f"leads away from here: {location}"
            self.path = location
            response = self.client.get(location, **self._where())
        self.response = response
        self.path = response.request.full_path.rstrip("?")
        return self


def some_path(rule: str) -> str:
    """An address that fits a route: ``/devices/<int:device>/revoke`` -> ``/devices/1/revoke``."""
    rule = re.sub(r"<int:\w+>", "1", rule).replace("<kind>", "caldav")
    rule = rule.replace("<path:uid>", "x@example.com")
    return re.sub(r"<any\((\w+)[^>]*>", r"\1", rule)


def _standing(form: Any) -> list[tuple[str, str]]:
    """The fields as they stand (HTML 4.10.22.4). lxml's own takes an empty value for "on"."""
    boxes = ("checkbox", "radio")
    fields = [field for field in form.iter("input") if field.get("name")]
    ticked = [field for field in fields if field.get("type") not in boxes or field.get("checked") is not None]
    standing = [
        (field.get("name"), field.get("value", "on" if field.get("type") in boxes else ""))
        for field in ticked
    ]
    return standing + [(one.get("name"), one.value or "") for one in form.iter("select", "textarea")]


def _words(element: Any) -> str:
    return re.sub(r"\s+", " ", element.text_content()).strip()
