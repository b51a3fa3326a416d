"""Building blocks of the command line: the options every call has, and how a call is declared.

A call is a function ``run(options, out) -> int | None``; None means exit code 0.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bridge.cli.output import Output

Run = Callable[[argparse.Namespace, "Output"], int | None]
Calls = Any  # what argparse's add_subparsers returns; it has no public name


class Parser(argparse.ArgumentParser):
    """Options in full only: an abbreviation that works today may be ambiguous tomorrow."""

    def __init__(self, **kwargs: Any):
        kwargs.setdefault("allow_abbrev", False)
        super().__init__(**kwargs)


def common_options() -> argparse.ArgumentParser:
    """``--data`` and ``--config``, accepted before and after the name of the call."""
    options = Parser(add_help=False)
    options.add_argument(
        "--data",
        metavar="DIR",
        default=argparse.SUPPRESS,
        help="the data folder (default: $PICSELLO_BRIDGE_DATA, else a folder in your data home)",
    )
    options.add_argument(
        "--config",
        metavar="FILE",
        default=argparse.SUPPRESS,
        help="a TOML file with settings (default: $PICSELLO_BRIDGE_CONFIG, else none)",
    )
    return options


def call(calls: Calls, name: str, run: Run, help: str, *, json: bool = True) -> Parser:
    """Declare one call. ``json``: it takes ``--json``."""
    parser: Parser = calls.add_parser(name, help=help, description=help, parents=[common_options()])
    parser.set_defaults(run=run, json=False)
    if json:
        parser.add_argument("--json", action="store_true", help="print one JSON value instead of text")
    return parser


def group(calls: Calls, name: str, help: str) -> Calls:
    """Declare a group of calls: ``user add``, ``user list`` ..."""
    parser = calls.add_parser(name, help=help, description=help, parents=[common_options()])
    return parser.add_subparsers(title="calls", metavar="CALL", required=True)


def password_option(parser: Parser, help: str = "read the password from standard input") -> None:
    """``--password-stdin``: the only way to give a secret without a terminal."""
    parser.add_argument("--password-stdin", action="store_true", help=help)
