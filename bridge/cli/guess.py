"""Which provider an address suggests: ``account detect``, and what ``auto`` stands for in ``account add``."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from bridge.cli.opening import opened
from bridge.cli.output import Output
from bridge.errors import Invalid

if TYPE_CHECKING:
    from bridge.wiring import Bridge


def choose(options: argparse.Namespace, bridge: Bridge) -> None:
    """Put what ``auto`` stands for in its place. A password goes nowhere on a guess. Raises Invalid."""
    from bridge.providers import KINDS
    from bridge.providers.detect import UNKNOWN, detect
    from bridge.providers.kinds import OAUTH
    from bridge.providers.names import Names

    if options.url:
        options.provider = "ics" if options.url.lower().startswith("webcal") else "caldav"
        return
    address = options.username if "@" in (options.username or "") else options.email
    found = detect(address, Names(bridge.settings.name_servers))
    if found.provider == UNKNOWN:
        raise Invalid(f"{found.why} Name it instead of “auto”, one of: {', '.join(KINDS)}.")
    if not found.sure and not options.yes and found.signin != OAUTH:
        raise Invalid(f"{found.why} If that is right, add --yes, or name the provider instead of “auto”.")
    options.provider, options.url = found.provider, found.url or None


def show(options: argparse.Namespace, out: Output) -> None:
    """``account detect``: asks name servers, and the provider nothing."""
    from bridge.providers.detect import detect
    from bridge.providers.names import Names

    found = detect(options.address, Names(opened(options).settings.name_servers))
    value = {name: getattr(found, name) for name in ("provider", "signin", "why", "sure")}
    out.value(value, f"{found.provider}: {found.why}")
