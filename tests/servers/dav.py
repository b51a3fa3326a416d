"""Somebody at the provider: plain HTTP against a calendar server, sharing no code with what is tested."""

from __future__ import annotations

import base64
import http.client
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit
from xml.etree import ElementTree

_LISTING = b'<propfind xmlns="DAV:"><prop><getetag/><resourcetype/></prop></propfind>'


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]  # names in lower case
    body: bytes


@dataclass(frozen=True)
class Server:
    """A running server. ``url`` ends in a slash; ``home`` is the path of the user's calendar home."""

    url: str
    user: str
    password: str
    home: str

    @property
    def host_and_port(self) -> str:
        return urlsplit(self.url).netloc

    def request(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: dict[str, str] | None = None,
        *,
        user: str = "",
    ) -> Reply:
        """One request with Basic credentials of the server's user (or another one with the same password)."""
        sent = {"Content-Length": str(len(body)), **(headers or {}), **self.credentials(user)}
        connection = http.client.HTTPConnection(self.host_and_port, timeout=120)
        try:
            connection.request(method, path, body or None, sent)
            response = connection.getresponse()
            return Reply(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            connection.close()

    def credentials(self, user: str = "") -> dict[str, str]:
        """Basic credentials, as a header; none where the server signs nobody in."""
        name = user or self.user
        token = base64.b64encode(f"{name}:{self.password}".encode()).decode()
        return {"Authorization": f"Basic {token}"} if name else {}

    def make_calendar(
        self, name: str, *, title: str = "", color: str = "", components: tuple[str, ...] = ("VEVENT",)
    ) -> Outside:
        """A new calendar in the user's home."""
        comps = "".join(f'<C:comp name="{comp}"/>' for comp in components)
        body = (
            '<C:mkcalendar xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:A="http://apple.com/ns/ical/">'
            f"<set><prop><displayname>{title or name}</displayname>"
            + (f"<A:calendar-color>{color}</A:calendar-color>" if color else "")
            + f"<C:supported-calendar-component-set>{comps}</C:supported-calendar-component-set></prop></set>"
            "</C:mkcalendar>"
        )
        path = f"{self.home}{quote(name)}/"
        reply = self.request("MKCALENDAR", path, body.encode(), {"Content-Type": "application/xml"})
        assert reply.status in (200, 201), reply
        if title or color:  # DAViCal and SOGo leave something out above
            self._describe(path, title or name, color)
        return Outside(self, path)

    def _describe(self, path: str, title: str, color: str) -> None:
        props = f"<displayname>{title}</displayname>"
        if color:
            props += f'<A:calendar-color xmlns:A="http://apple.com/ns/ical/">{color}FF</A:calendar-color>'
        body = f'<propertyupdate xmlns="DAV:"><set><prop>{props}</prop></set></propertyupdate>'
        self.request("PROPPATCH", path, body.encode(), {"Content-Type": "application/xml"})

    def calendar(self, path: str) -> Outside:
        """An existing calendar by its path."""
        return Outside(self, path)


@dataclass(frozen=True)
class Outside:
    """One calendar, as somebody at the provider changes and sees it. Names are decoded last segments."""

    server: Server
    path: str

    def put(self, name: str, text: str, etag: str | None = None) -> str:
        """Write an object; gives its ETag where the server tells it, else an empty text."""
        headers = {"Content-Type": "text/calendar; charset=utf-8"}
        if etag:
            headers["If-Match"] = etag
        reply = self.server.request("PUT", self.at(name), text.encode(), headers)
        assert reply.status in (200, 201, 204), reply
        return reply.headers.get("etag", "")

    def fill(self, texts: Mapping[str, str]) -> None:
        """Write many objects, over one connection where the server keeps it."""
        connection = http.client.HTTPConnection(self.server.host_and_port, timeout=30)
        try:
            for name, text in texts.items():
                headers = {**self.server.credentials(), "Content-Type": "text/calendar; charset=utf-8"}
                for last in (False, True):
                    try:
                        connection.request("PUT", self.at(name), text.encode(), headers)
                        reply = connection.getresponse()
                        reply.read()
                        break
                    except (ConnectionError, http.client.HTTPException):
                        connection.close()  # SOGo ends what was to be kept
                        if last:
                            raise
                assert reply.status in (200, 201, 204), reply.status
        finally:
            connection.close()

    def get(self, name: str) -> str | None:
        """The object's text as the server sends it; None if there is none."""
        reply = self.server.request("GET", self.at(name))
        if reply.status == 404:
            return None
        assert reply.status == 200, reply
        return reply.body.decode()

    def etag(self, name: str) -> str:
        return self.server.request("GET", self.at(name)).headers["etag"]

    def delete(self, name: str) -> None:
        reply = self.server.request("DELETE", self.at(name))
        assert reply.status in (200, 204), reply

    def list(self) -> dict[str, str]:
        """Name to ETag of every object."""
        reply = self.server.request(
            "PROPFIND", self.path, _LISTING, {"Depth": "1", "Content-Type": "application/xml"}
        )
        assert reply.status == 207, reply
        found = {}
        for response in ElementTree.fromstring(reply.body).iter("{DAV:}response"):
            href = urlsplit(response.findtext("{DAV:}href") or "").path
            if not href.endswith("/"):
                found[unquote(href.rpartition("/")[2])] = response.findtext(".//{DAV:}getetag") or ""
        return found

    def texts(self) -> dict[str, str]:
        """Name to text of every object."""
        return {name: text for name in self.list() if (text := self.get(name)) is not None}

    def by_uid(self, uid: str) -> str | None:
        """The text of the object with this UID; None if there is none. Fails if there are two."""
        found = [text for text in self.texts().values() if re.search(rf"(?m)^UID:{re.escape(uid)}\r?$", text)]
        assert len(found) < 2, f"{uid} is there {len(found)} times"
        return found[0] if found else None

    def name_of(self, uid: str) -> str:
        """The name of the object with this UID."""
        return next(name for name, text in self.texts().items() if f"UID:{uid}" in text)

    def exists(self) -> bool:
        headers = {"Depth": "0", "Content-Type": "application/xml"}
        return self.server.request("PROPFIND", self.path, _LISTING, headers).status == 207

    def drop(self) -> None:
        """Delete the calendar itself."""
        reply = self.server.request("DELETE", self.path)
        # Cyrus 3.6 says 404 once it is done
        assert reply.status in (200, 204) or (reply.status == 404 and not self.exists()), reply

    def at(self, name: str) -> str:
        return self.path + quote(name)
