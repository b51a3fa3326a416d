"""The pages that say what went wrong: 400, 403, 404, 405, 409, 413, 429, 500.

A ``Refused`` from a service that no view caught becomes the page of its kind, with its own sentence. An
unexpected error is logged in full and shown as a short apology: never a traceback, never its text.
"""

from __future__ import annotations

import logging

from flask import Flask, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, MethodNotAllowed, TooManyRequests

from bridge import errors
from bridge.web.problems import Problem, problem

log = logging.getLogger(__name__)

#: Status: title, what it means and what to do.
WORDS = {
    400: ("That request was incomplete", "Go back, reload the page and try once more."),
    403: ("That is not allowed", "You are signed in, but this is not yours to change."),
    404: ("Nothing here", "The address may be mistyped, or what was here has been removed."),
    405: ("That can't be opened directly", "Please use the button on the page it belongs to."),
    409: ("That changed in the meantime", "Somebody else was quicker. Look at it again, then decide."),
    413: (
        "That was too much at once",
        "The form you sent is larger than any of ours. Shorten the text and try again.",
    ),
    429: (
        "Let's pause for a moment",
        "There were many tries in a short time. To keep your bookings safe we wait a little: "
        "please try again in 15 minutes. Nothing has been changed or locked.",
    ),
    500: (
        "Something broke on our side",
        "Nothing you did was wrong, and what was saved is safe. Please try again; if it keeps happening, "
        "tell whoever runs this server the time it happened.",
    ),
}

EXPIRED = (
    "This page was open for too long",
    "To protect you, a form works only in the session it was opened in. "
    "Go back, reload the page and send it again.",
)

#: The first kind that fits, most special first.
STATUS = [
    (errors.NotFound, 404),
    (errors.NotAllowed, 403),
    (errors.TooLarge, 413),
    (errors.Stale, 409),
    (errors.BridgeError, 400),
]


def install(app: Flask) -> None:
    """Register the pages."""
    app.register_error_handler(CSRFError, _csrf)
    app.register_error_handler(Problem, lambda error: problem(error.status, str(error)))
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(errors.BridgeError, _ours)
    app.register_error_handler(Exception, _unexpected)


def page(status: int, title: str, advice: str) -> ResponseReturnValue:
    """One refusal, in the frame of all pages; problem details where a program asked."""
    if request.path.startswith("/api/"):
        return problem(status, advice)
    return render_template(
        "refusal.html", title=title, advice=advice, status=status, for_clients=_for_clients()
    ), status


def _csrf(_error: CSRFError) -> ResponseReturnValue:
    return page(400, *EXPIRED)


def _http(error: HTTPException) -> ResponseReturnValue:
    status = error.code or 500
    if status < 400:
        return error.get_response()  # a redirect raised as an exception
    answer = make_response(page(status, *WORDS.get(status, WORDS[500 if status >= 500 else 400])))
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        answer.headers["Allow"] = ", ".join(sorted(error.valid_methods))
    if isinstance(error, TooManyRequests) and isinstance(error.retry_after, int):
        answer.headers["Retry-After"] = str(error.retry_after)
    return answer


def _ours(error: errors.BridgeError) -> ResponseReturnValue:
    status = next(status for kind, status in STATUS if isinstance(error, kind))
    title, advice = WORDS[status]
    return page(status, title, advice if status == 404 and not _for_clients() else str(error))


def _for_clients() -> bool:
    """On the public booking pages: what is not there may be said, and the studio's calendar is not theirs."""
    return request.path.startswith("/book/")


def _unexpected(error: Exception) -> ResponseReturnValue:
    log.exception("A page failed", exc_info=error)
    return page(500, *WORDS[500])
