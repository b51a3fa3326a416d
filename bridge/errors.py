"""The error tree, and the one place that decides what a failure means.

Every error's text is one plain sentence (or two) that says what is wrong and what to do about it:
it is shown to photographers as it stands, on the command line, on pages and in status rows. Mapping
errors to exit codes or HTTP statuses is left to the entry points.
"""

from __future__ import annotations

from enum import Enum


class BridgeError(Exception):
    """Anything we say ourselves. ``str(error)`` is a sentence for the user."""


# --- refusals: the request cannot be carried out as asked -------------------------------------


class Refused(BridgeError):
    """We will not do this; asking again in the same way gives the same answer."""


class Invalid(Refused):
    """The input is not usable: a malformed value, an unknown time zone, a text that is not iCalendar.

    ``precondition`` names the RFC 4791 5.3.2.1 element that a CalDAV client is to be told
    (``valid-calendar-data``, ``supported-calendar-component``, ``no-uid-conflict`` ...), if one fits.
    """

    def __init__(self, message: str, precondition: str | None = None):
        super().__init__(message)
        self.precondition = precondition


class TooLarge(Invalid):
    """The object or body is over the limit (RFC 4791 5.2.5 max-resource-size)."""


class NotFound(Refused):
    """What was named does not exist, or does not belong to whoever asked (never tell which)."""


class AlreadyThere(Refused):
    """Something with this name or identity exists already."""


class NotAllowed(Refused):
    """It exists, but may not be changed this way."""


class Stale(Refused):
    """The caller's version is not the current one (HTTP 412)."""


# --- failures of our own ground -------------------------------------------------------------------


class StoreError(BridgeError):
    """Our own database or key cannot be used as it is: busy, full, damaged, newer than this version, wrong
    key."""


# --- failures of an outside system --------------------------------------------------------------


class ProviderError(BridgeError):
    """A provider or source did not do what was asked."""


class Unreachable(ProviderError):
    """No answer: name not found, connection refused, time-out, TLS trouble. Nothing was applied."""


class UnknownOutcome(ProviderError):
    """A write was sent and the answer was lost: it may or may not have been applied."""


class RetryLater(ProviderError):
    """The provider is busy or limits us (429, 503, 5xx). ``after`` is in seconds, if it told."""

    def __init__(self, message: str, after: float | None = None):
        super().__init__(message)
        self.after = after


class SignInNeeded(ProviderError):
    """The credentials are not accepted (any more)."""


class NotPermitted(ProviderError):
    """Signed in, but this may not be done there (403): read-only calendar, missing scope."""


class ConsentNeeded(NotPermitted):
    """The user has not allowed this yet; signing in once more, for that, will do."""


class NotACalendarServer(ProviderError):
    """Something answered, but it does not speak the protocol (a web page, for instance)."""


class CalendarGone(ProviderError):
    """The remote calendar no longer exists at its address."""


class ObjectGone(ProviderError):
    """The remote object no longer exists."""


class TagMismatch(ProviderError):
    """A conditional write met another version than expected (412): observe again, never retry blind."""


class ObjectRefused(ProviderError):
    """The provider refuses this one object for good; the others are not affected."""


class CursorLost(ProviderError):
    """The provider no longer knows our cursor: list everything again, deletions by difference."""


class Blocked(ProviderError):
    """The guard refused the address (private network, plain http, too many redirects ...)."""


class Verdict(Enum):
    """What to do about a failure."""

    RETRY = "retry"  # later, with back-off
    SIGN_IN = "sign in"  # the user must sign in again
    ASK = "ask"  # the user must decide or change something
    GIVE_UP = "give up"  # on this object alone


def classify(error: Exception) -> Verdict:
    """Classify once; acting on the verdict is left to the engine."""
    match error:
        case SignInNeeded():
            return Verdict.SIGN_IN
        case NotPermitted() | CalendarGone() | NotACalendarServer() | Blocked():
            return Verdict.ASK
        case ObjectRefused() | Refused():
            return Verdict.GIVE_UP
        case _:
            return Verdict.RETRY
