"""One request as Radicale hands it to a ``do_`` method, after the front has prepared it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from radicale.pathutils import strip_path
from radicale.types import WSGIEnviron

from bridge.errors import NotAllowed, NotFound
from radicale_plugin.conditions import Conditions

#: Where the front leaves the whole body, and the content type as the client sent it.
BODY, CONTENT_TYPE = "picsello_bridge.body", "picsello_bridge.content_type"


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
