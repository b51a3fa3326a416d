"""From an exception to one line on standard error and an exit code; nobody ever sees a traceback.

What we raise ourselves is already a sentence for the user. Anything else is a bug: its traceback goes to
``errors.log`` in the data folder, and the line says where.
"""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from datetime import UTC, datetime

from bridge.cli.output import Output
from bridge.errors import BridgeError

FAILED = 1


def explained(options: argparse.Namespace) -> int:
    """Run the chosen call; turn whatever goes wrong into one line and exit code 1."""
    out = Output(json=options.json)
    try:
        code: int = options.run(options, out) or 0
        sys.stdout.flush()
    except BridgeError as error:
        return _fail(str(error))
    except KeyboardInterrupt:
        return _fail("Stopped. What was done so far is kept; the same call goes on from there.")
    except BrokenPipeError:
        # Whoever read our output has gone (``| head``): nothing to tell anyone.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as error:
        return _fail(_unexpected(error, options))
    return code


def _fail(sentence: str) -> int:
    print("picsello-bridge: " + " ".join(sentence.split()), file=sys.stderr)
    return FAILED


def _unexpected(error: Exception, options: argparse.Namespace) -> str:
    what = f"Something went wrong that should not have ({type(error).__name__})."
    try:
        from bridge.cli.opening import settings

        log = settings(options).data / "errors.log"
        log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a") as file:
            file.write(f"--- {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC\n")
            file.writelines(traceback.format_exception(error))
    except (OSError, BridgeError):
        return f"{what} Nothing could be written to the data folder about it: check that it is writable."
    return f"{what} The details are in {log}: please report them."
