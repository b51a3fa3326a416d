"""``source set|set-all``: where users' bookings live."""

from __future__ import annotations

import argparse
from typing import Any

from bridge.cli.arguments import Calls, Parser, call, group, password_option
from bridge.cli.opening import opened
from bridge.cli.output import Output
from bridge.cli.secrets import optional_password

KINDS = ("studio", "picsello", "feed")


def add_to(calls: Calls) -> None:
    """Declare the calls."""
    sources = group(calls, "source", "where bookings live")
    one = call(sources, "set", _set, "choose where a user's bookings live")
    one.add_argument("email", metavar="EMAIL")
    one.add_argument(
        "kind",
        metavar="SOURCE",
        choices=KINDS,
        help="studio: here; picsello: its own database; feed: its calendar link (read only)",
    )
    one.add_argument("--organization", metavar="ID", type=int, help="the studio's number in Picsello")
    one.add_argument(
        "--edits",
        choices=("local", "refuse"),
        help="feed: edits stay here and say so (default), or are refused",
    )
    _common(one)
    every = call(sources, "set-all", _set_all, "take over every photographer of a Picsello database")
    every.add_argument("kind", metavar="picsello", choices=("picsello",))
    _common(every)


def _common(parser: Parser) -> None:
    parser.add_argument("--url", metavar="U", help="postgresql://user@host/database, or the calendar link")
    parser.add_argument(
        "--mode",
        choices=("write", "suggest", "read"),
        help="picsello: edits reach it (default), stay here as suggestions, or go back",
    )
    parser.add_argument("--titles", choices=("full", "initials"), help="picsello: clients' names in titles")
    parser.add_argument("--app-url", metavar="U", help="picsello: where the studio opens it")
    for name, meaning in (
        ("leads", "show leads, as tentative (default: on)"),
        ("holds", "show clients' own bookings that are not paid yet (default: off)"),
        ("contact", "the client's name and phone in the description (default: off)"),
    ):
        parser.add_argument(f"--{name}", choices=("on", "off"), help=f"picsello: {meaning}")
    password_option(parser)


def _options(options: argparse.Namespace) -> dict[str, Any]:
    given: dict[str, Any] = {
        name: getattr(options, name, None) for name in ("organization", "edits", "mode", "titles", "app_url")
    }
    for name in ("leads", "holds", "contact"):
        value = getattr(options, name)
        given[name] = None if value is None else value == "on"
    return {name: value for name, value in given.items() if value is not None}


def _set(options: argparse.Namespace, out: Output) -> None:
    from bridge.service import sources

    chosen = sources.set_(
        opened(options),
        options.email,
        options.kind,
        url=options.url,
        secret=optional_password(options) or "",
        options=_options(options),
    )
    for sentence in chosen.told:
        out.note(sentence)
    where = {"studio": "live here", "picsello": "come from Picsello", "feed": "come from Picsello's link"}
    value: dict[str, Any] = {"email": chosen.user.email, "source": chosen.user.source}
    if chosen.account is not None:
        value |= {"account": chosen.account, "told": list(chosen.told)}
    out.value(value, f"The bookings of {chosen.user.email} {where[options.kind]} now.")


def _set_all(options: argparse.Namespace, out: Output) -> None:
    from bridge.errors import Invalid
    from bridge.service import sources

    if not options.url:
        raise Invalid("Give the address of Picsello's database with --url.")
    chosen = sources.set_all(
        opened(options), options.url, optional_password(options) or "", _options(options)
    )
    rows = [{"email": one.user.email, "source": one.user.source, "account": one.account} for one in chosen]
    out.rows(rows, ("email", "source", "account"), "There is no photographer in this Picsello.")
