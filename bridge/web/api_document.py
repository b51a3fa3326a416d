"""``/api/v1/openapi.json``: the API described for programs (OpenAPI 3.1).

What is sent and answered is described in ``api_schemas``. The tests hold every answer against it, and it
against the routes there are.
"""

from __future__ import annotations

from typing import Any

from flask import jsonify
from flask.typing import ResponseReturnValue

from bridge import __version__
from bridge.service.tokens import SCOPES
from bridge.web.access import blueprint
from bridge.web.api_schemas import Json, ref, schemas
from bridge.web.security import the_bridge

pages = blueprint("api_document")


@pages.get("/openapi.json")
def show() -> ResponseReturnValue:
    """The description, with this server's address."""
    return jsonify(document(the_bridge().public_url))


def document(url: str) -> Json:
    """The whole description of the API at ``url``."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "picsello-bridge",
            "version": __version__,
            "description": "A studio's bookings and its availability. Send a token as “Authorization: Bearer "
            "…”; make one on the page “API tokens” or with “picsello-bridge token add”. Scopes: "
            + "; ".join(f"{name}: {says.lower()}" for name, says in SCOPES.items())
            + ".",
            "license": {"name": "GPL-3.0-or-later", "identifier": "GPL-3.0-or-later"},
        },
        "servers": [{"url": url}],
        "security": [{"token": []}, {"session": []}],
        "paths": _paths(),
        "components": {
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "bridge",
                    "description": "The session of a signed-in page; writes send its CSRF token as "
                    "X-CSRFToken.",
                },
            },
            "responses": {"Problem": _answer("Why not, in words (RFC 9457).", ref("Problem"), problem=True)},
            "schemas": schemas(),
        },
    }


def _paths() -> Json:
    uid = {"name": "uid", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
    window = [_query("from", "A date or a time (ISO 8601).", True), _query("to", "Exclusive.", True)]
    return {
        "/api/v1/openapi.json": {
            "get": _call("describe", "This description", {"200": _answer("OpenAPI 3.1.", {"type": "object"})})
            | {"security": []}
        },
        "/api/v1/me": {"get": _call("me", "Who one is", _ok("Me"), "any")},
        "/api/v1/status": {"get": _call("status", "Is all well", _ok("Status"))},
        "/api/v1/calendars": {"get": _call("calendars", "The calendars served", _many("Calendar"))},
        "/api/v1/links": {"get": _call("links", "Remote calendars that take part", _many("Link"))},
        "/api/v1/availability": {
            "get": _call("availability", "Free or not, and why", _ok("Availability"), "availability")
            | {
                "parameters": [
                    *window,
                    _query("duration", "Minutes; default: all of the time asked for.", pattern="^[0-9]+$"),
                    _query("tz", "The zone times are told in (IANA); default: the user's."),
                ]
            }
        },
        "/api/v1/events": {
            "get": _call("events", "What touches a window, on all calendars", _many("Event"))
            | {"parameters": window}
        },
        "/api/v1/events/{event}/move": {
            "post": _call("moveEvent", "Another time", _ok("Moved"), "write", 404, 403, 409)
            | {
                "parameters": [
                    {
                        "name": "event",
                        "in": "path",
                        "required": True,
                        "schema": {"type": "integer", "minimum": 0, "maximum": 2**63 - 1},
                    }
                ],
                "requestBody": _body("Move"),
            }
        },
        "/api/v1/bookings": {
            "get": _call("bookings", "Bookings and blocks, earliest first", _ok("Bookings"))
            | {
                "parameters": [
                    _number("limit", 1, 500),
                    _number("offset", 0, 10_000_000),
                ]
            },
            "post": _call("addBooking", "Add a booking", {"201": _added()}, "write", 403)
            | {"requestBody": _body("NewBooking")},
        },
        "/api/v1/bookings/{uid}": {
            "parameters": [uid],
            "get": _call("booking", "One booking or block", _ok("Booking"), "read", 404),
            "patch": _call("moveBooking", "Another time", _ok("Booking"), "write", 404, 403)
            | {"requestBody": _body("NewTime")},
            "delete": _call(
                "cancelBooking",
                "Cancel a booking, or delete a block",
                {"204": {"description": "Done."}},
                "write",
                404,
                403,
            ),
        },
        "/api/v1/bookings/{uid}/confirm": {
            "parameters": [uid],
            "post": _call(
                "confirmBooking", "A held session is paid: it is a booking", _ok("Booking"), "write", 404, 403
            ),
        },
    }


def _answer(says: str, schema: Json, *, problem: bool = False) -> Json:
    kind = "application/problem+json" if problem else "application/json"
    return {"description": says, "content": {kind: {"schema": schema}}}


def _ok(schema: str) -> Json:
    return {"200": _answer("Done.", ref(schema))}


def _many(schema: str) -> Json:
    return {"200": _answer("All of them.", {"type": "array", "items": ref(schema)})}


def _added() -> Json:
    where = {"Location": {"description": "Its path.", "schema": {"type": "string"}}}
    return _answer("Added.", ref("Added")) | {"headers": where}


def _call(name: str, says: str, answers: Json, scope: str = "read", *refusals: int) -> Json:
    """One call; ``refusals``: what it may answer besides what every call may."""
    usual = (400, 401, 403, 405, 413, 429, 500)
    problems = {str(status): {"$ref": "#/components/responses/Problem"} for status in (*usual, *refusals)}
    return {
        "operationId": name,
        "summary": says,
        "description": f"Scope: {scope}.",
        "responses": {**answers, **problems},
    }


def _query(name: str, says: str, required: bool = False, **more: Any) -> Json:
    schema = {"type": "string", **more}
    return {"name": name, "in": "query", "required": required, "description": says, "schema": schema}


def _number(name: str, least: int, most: int) -> Json:
    schema = {"type": "integer", "minimum": least, "maximum": most}
    return {"name": name, "in": "query", "required": False, "schema": schema}


def _body(schema: str) -> Json:
    return {"required": True, "content": {"application/json": {"schema": ref(schema)}}}
