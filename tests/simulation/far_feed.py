"""A published calendar over there, and our own ``ICSProvider`` before it, without a network between."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bridge.errors import RetryLater, Unreachable
from bridge.ports import Provider
from bridge.providers.http import Answer
from bridge.providers.ics.address import Address
from bridge.providers.ics.provider import CALENDAR, ICSProvider
from tests.simulation.far_side import Dial, FarCalendar, FarSide

URL = "https://published.example/calendar.ics"


@dataclass(slots=True)
class Publisher:
    """Stands for ``bridge.providers.http.Http``: answers each GET with the calendar as it is."""

    far: FarSide
    dial: Dial
    step: Callable[[str], None]
    requests: int = 0

    def request(self, _method: str, url: str, *, headers: Mapping[str, str], auth: object) -> Answer:
        self.requests += 1
        self.step("request")
        if self.dial.signed_out:
            return Answer(401, {}, b"", url)
        held = self.far.calendars[CALENDAR]
        version = f'"{held.epoch} {len(held.log)} {self.dial.blank}"'
        match self.dial.fault(False, self.far.profile):
            case "unreachable":
                raise Unreachable("Nobody answers.")
            case "busy":
                raise RetryLater("Too busy.", 1.0)
            case "no sign-in":
                return Answer(401, {}, b"", url)
            case "forbidden":
                return Answer(403, {}, b"", url)
            case "truncated":
                body = self._text(held).encode()
                return Answer(200, {"ETag": '"cut"'}, body[: self.dial.random.randrange(len(body))], url)
            case "lost cursor":
                return Answer(200, {"Content-Type": "text/html"}, b"<html>Please sign in</html>", url)
        if headers.get("If-None-Match") == version:
            return Answer(304, {}, b"", url)
        return Answer(200, {"ETag": version}, self._text(held).encode(), url)

    def _text(self, held: FarCalendar) -> str:
        """Every event in one calendar; names of events that do not last are made anew at each fetch."""
        events = []
        for _, text in [] if self.dial.blank else held.objects.values():
            if "BEGIN:VEVENT" not in text:
                continue  # what is no event can't be published
            begin, end = text.index("BEGIN:VEVENT"), text.rindex("END:VEVENT")
            event = text[begin:end] + "END:VEVENT\r\n"
            events.append(
                event.replace("\r\nUID:", f"\r\nUID:{self.requests}-{self.far.versions}-")
                if self.far.profile.new_uids
                else event
            )
        return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//feed//EN\r\n{''.join(events)}END:VCALENDAR\r\n"

    def close(self) -> None:
        pass


def feed(far: FarSide, dial: Dial, step: Callable[[str], None], known: dict[str, object]) -> Provider:
    """``known``: what was learnt about this feed, kept from pass to pass."""
    publisher = Publisher(far, dial, step)
    return ICSProvider(publisher, Address(URL), known, known.update)  # type: ignore[arg-type]
