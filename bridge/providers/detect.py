"""From a mail address to where its calendar probably is.

In this order: the domain itself, what the domain says about its calendar server (RFC 6764), whose mail
servers it uses. The first two make sure; mail servers only suggest, because the mail house need not be the
calendar house. What is unclear is ``unknown``, and the user is asked. Name servers are asked, the provider
is not, and no trouble with them is an error. A suggestion in any case: Google and Apple accounts exist for
addresses at every domain.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from bridge.errors import Invalid
from bridge.providers.guard import ascii_host, origin
from bridge.providers.kinds import ADDRESS, KINDS, PASSWORD
from bridge.providers.lookalike import looks_like
from bridge.providers.names import Asking, Names, Service, Silent

UNKNOWN = "unknown"

_ADDRESS = re.compile(r"[^@\s]+@(?P<domain>[^@\s]+\.[^@\s.]+)\.?")
_CHOOSE = "Choose where your calendar is."


@dataclass(frozen=True, slots=True)
class Detection:
    """``signin`` is what sign-in takes (``password``, ``app-specific password``, ``oauth``, ``address``),
    empty if unknown; ``why`` a sentence for the user. Not ``sure``: send nothing there before the user
    agreed. ``url``: where the server is, if the kind does not know."""

    provider: str
    signin: str
    why: str
    sure: bool
    url: str = ""


def detect(address: str, names: Names | None = None) -> Detection:
    """What the address suggests. Without ``names`` by its domain alone. Raises ``Invalid`` for what is no
    mail address."""
    match = _ADDRESS.fullmatch(address.strip())
    if match is None:
        raise Invalid(f"“{address.strip()}” is not an e-mail address.")
    domain = ascii_host(match["domain"])
    found = _by_domain(domain)
    if found is not None:
        return found
    if (famous := looks_like(domain)) is not None:
        return _unknown(f"{domain} looks like {famous}, but is another domain. Check the spelling.")
    if names is None:
        return _unknown(f"{domain} is not a provider we know by name.")
    asking = names.asking()
    try:
        return _by_service(domain, asking) or _by_mail(domain, asking)
    except Silent:
        return _unknown(f"The name servers do not say anything about {domain} at the moment.")


def _by_domain(domain: str) -> Detection | None:
    for name, kind in KINDS.items():
        if domain in kind.domains:
            return Detection(name, kind.secret, f"Addresses at {domain} belong to {kind.label}.", True)
    if domain.endswith(".onmicrosoft.com"):
        return _kind("microsoft", f"{domain} is a domain of Microsoft 365.", sure=True)
    for house in _elsewhere().values():
        if domain in house.get("domains", ()):
            return _without(house, sure=True)
    if _ends(domain, _filters()):
        return _unknown(f"Addresses at {domain} only forward mail: type the address behind it.")
    return None


def _by_service(domain: str, asking: Asking) -> Detection | None:
    """What the domain's own records say. DNS can be forged, so a server elsewhere needs the user's yes."""
    service = asking.calendar_service(domain)
    if service is None:
        return None
    for name, kind in KINDS.items():
        if kind.start and service.host == origin(kind.start)[1]:
            why = f"{domain} says that its calendars are with {kind.label}."
            return Detection(name, kind.secret, why, False)
    here = service.host == domain or service.host.endswith(f".{domain}")
    why = f"{domain} says that its calendar server is {service.host}."
    if not here:
        why += " That is outside the domain: go on only if you know it."
    return Detection("caldav", PASSWORD, why, here, _url(service))


def _by_mail(domain: str, asking: Asking) -> Detection:
    """Whose mail servers the domain uses."""
    hosts = asking.mail_servers(domain)
    if not hosts:
        return _unknown(f"{domain} does not say where its calendars are.")
    if any(_ends(host, _filters()) for host in hosts):
        return _unknown(
            f"The mail of {domain} goes through a filter, which hides its provider. Google and Microsoft are "
            "the likeliest."
        )
    owners = {_owner(host) for host in hosts}
    owner = owners.pop() if len(owners) == 1 else None
    if owner is None:
        return _unknown(f"The mail servers of {domain} do not say where its calendars are.")
    if owner in KINDS:
        return _kind(owner, f"The mail of {domain} is with {KINDS[owner].label}.", sure=False)
    return _without(_elsewhere()[owner], sure=False)


def _owner(host: str) -> str | None:
    """The house of a mail server: the longest end of its name, by whole labels."""
    ends = {end: name for name, kind in KINDS.items() for end in kind.mx}
    ends |= {end: name for name, house in _elsewhere().items() for end in house.get("mx", ())}
    fitting = [end for end in ends if _is_end(host, end)]
    return ends[max(fitting, key=len)] if fitting else None


def _is_end(host: str, end: str) -> bool:
    return host == end or host.endswith(f".{end}")


def _ends(host: str, ends: frozenset[str]) -> bool:
    return any(_is_end(host, end) for end in ends)


def _url(service: Service) -> str:
    port = "" if service.port == 443 else f":{service.port}"
    return f"https://{service.host}{port}{service.path or '/'}"


def _kind(name: str, why: str, *, sure: bool) -> Detection:
    return Detection(name, KINDS[name].secret, why, sure)


def _without(house: dict[str, Any], *, sure: bool) -> Detection:
    """A house whose calendars can't be reached; at best it publishes addresses of them."""
    if house["kind"] == UNKNOWN:
        return Detection(UNKNOWN, "", house["why"], False)
    return Detection(house["kind"], ADDRESS, house["why"], sure)


def _unknown(why: str) -> Detection:
    return Detection(UNKNOWN, "", f"{why} {_CHOOSE}", False)


@cache
def _data() -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath("elsewhere.toml").read_text(encoding="utf-8"))


def _filters() -> frozenset[str]:
    return frozenset(_data()["filters"]["mx"])


def _elsewhere() -> dict[str, Any]:
    return {name: house for name, house in _data().items() if name != "filters"}
