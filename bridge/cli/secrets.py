"""Where a password comes from: standard input, or a prompt on a terminal. Never an argument."""

from __future__ import annotations

import argparse
import getpass
import sys

from bridge.errors import Invalid


def password(options: argparse.Namespace, what: str) -> str:
    """The secret for ``what``. Raises Invalid if there is none, or nobody to ask."""
    if options.password_stdin:
        secret = _from_stdin()
    elif sys.stdin is not None and sys.stdin.isatty():
        secret = getpass.getpass(f"{what}: ")
    else:
        raise Invalid(f"{what} is needed: give it on standard input, with --password-stdin.")
    if not secret:
        raise Invalid(f"{what} is empty. Nothing was changed.")
    return secret


def optional_password(options: argparse.Namespace) -> str | None:
    """Like ``password``, but None when ``--password-stdin`` was not given."""
    return password(options, "The password") if options.password_stdin else None


def _from_stdin() -> str:
    """All of standard input, without the line end that ``echo`` adds."""
    try:
        return sys.stdin.read().rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise Invalid("The password on standard input is not UTF-8 text.") from error
