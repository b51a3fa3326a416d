"""One request as Radicale hands it to a ``do_`` method, after the front has prepared it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from radicale.pathutils import strip_path
from radicale.types import WSGIEnviron

from bridge.errors import NotAllowed, NotFound
from radicale_plugin.conditions import Conditions

#: Where the front leaves the whole body, the content type as the client sent it, and (login, password).
BODY, CONTENT_TYPE = "picsello_bridge.body", "picsello_bridge.content_type"
CREDENTIALS = "picsello_bridge.credentials"


@dataclass(frozen=True, slots=True)
class Target:
    """The address of one object."""

    owner: str
    calendar: str
    href: str


@dataclass(frozen=True, slots=True)
class Request:
    """In the order of Radicale 3.9's own (undocumented) signature. ``path`` is below ``prefix``, decoded and
    sanitized; ``user`` is empty if nobody has signed in."""

    environ: WSGIEnviron
    prefix: str
    path: str
    user: str
    groups: set[str]
    info: Any

    @property
    def body(self) -> bytes:
        return bytes(self.environ[BODY])

    @property
    def content_type(self) -> str:
        return str(self.environ[CONTENT_TYPE])

    @property
    def conditions(self) -> Conditions:
        return Conditions.of(self.environ)

    @property
    def segments(self) -> list[str]:
        """``[""]`` is the root."""
        return strip_path(self.path).split("/")

    @property
    def deep(self) -> bool:
        """Whether what lies in a collection is asked for too. All that is not said to be flat is: Depth
        ``infinity`` goes no deeper than 1 here; a missing one is 0, as Radicale has it."""
        return str(self.environ.get("HTTP_DEPTH", "0")) != "0"

    @property
    def minimal(self) -> bool:
        """RFC 8144 2.1, and ``Brief: t``, its elder: leave out what need not be said."""
        return "return=minimal" in self._preferences or self.environ.get("HTTP_BRIEF", "").lower() == "t"

    @property
    def representation(self) -> bool:
        """RFC 8144 2.2: answer a write with what is there now."""
        return "return=representation" in self._preferences

    @property
    def _preferences(self) -> list[str]:
        said = str(self.environ.get("HTTP_PREFER", "")).lower().replace('"', "")
        return [preference.partition(";")[0].strip() for preference in said.split(",")]

    def address(self, *segments: str) -> str:
        """The percent-encoded path of a collection of ours; without segments: the root's."""
        return quote("/".join((self.prefix, *segments, "")))

    def target(self, path: str | None = None) -> Target:
        """The object that the request (or another ``path``) names, in a calendar of the user's own.

        Raises NotAllowed for all that is not theirs, the same whether or not it exists, and for what is no
        single object; NotFound for what can't be an object's address.
        """
        path = self.path if path is None else path
        owner, *rest = strip_path(path).split("/")
        if owner != self.user:
            raise NotAllowed("This is not one of your calendars.")
        if len(rest) < 2 or (len(rest) == 2 and path.endswith("/")):
            raise NotAllowed("Only single events are changed this way, not a whole calendar.")
        if len(rest) > 2:
            raise NotFound("Events lie directly in a calendar.")
        return Target(owner, *rest)
