"""Refusals as a program reads them: problem details (RFC 9457), with the sentence a person would get."""

from __future__ import annotations

import json
from http import HTTPStatus

from flask import Response


class Problem(Exception):
    """An API call is refused with this status; ``str(problem)`` says why and what to do."""

    def __init__(self, status: int, sentence: str):
        super().__init__(sentence)
        self.status = status


def problem(status: int, sentence: str) -> Response:
    """The answer. ``error`` repeats ``detail`` for those who look there."""
    said = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": sentence,
        "error": sentence,
    }
    response = Response(json.dumps(said, ensure_ascii=False), status, mimetype="application/problem+json")
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="picsello-bridge"'
    return response
