"""What the API takes and answers, as JSON Schemas (OpenAPI 3.1): the components of ``api_document``."""

from __future__ import annotations

from typing import Any

from bridge.service.tokens import SCOPES

Json = dict[str, Any]


def schemas() -> Json:
    """Every schema, by its name."""
    text, maybe, yes = {"type": "string"}, {"type": ["string", "null"]}, {"type": "boolean"}
    whole = {"type": "integer"}
    moment = {"type": "string", "description": "ISO 8601, with offset."}
    when = {"type": "string", "minLength": 1, "description": "ISO 8601; in the user's zone without offset."}
    sentences = {"type": "array", "items": text}
    kind = {"enum": ["booking", "block", "foreign"]}
    return {
        "Problem": _object(type=text, title=text, status=whole, detail=text, error=text),
        "Me": _object(
            email=text,
            studio=text,
            timeZone=text,
            source={"enum": ["studio", "picsello", "feed"]},
            scopes={"type": "array", "items": {"enum": list(SCOPES)}},
        ),
        "Status": _object(
            ok=yes,
            accounts={"type": "array", "items": ref("Account")},
            waiting=_object(conflicts=whole, approvals=whole, notices=whole),
        ),
        "Account": _object(
            id=whole,
            provider=text,
            label=text,
            username=text,
            state={"enum": ["healthy", "retrying", "needs-sign-in", "parked"]},
            reason=maybe,
            since=maybe,
            held=sentences,
            agreed=maybe,
        ),
        "Calendar": _object(
            id=whole, kind={"enum": ["bookings", "mirror"]}, title=text, color=maybe, editable=yes, url=text
        ),
        "Link": _object(
            id=whole,
            account=whole,
            name=text,
            reads=yes,
            edits=yes,
            writes=yes,
            source=yes,
            blocksSlots=yes,
            state=text,
            reason=maybe,
            held=sentences,
            agreed=maybe,
        ),
        "Availability": _object(
            **{"from": moment, "to": moment},
            duration={"type": "number"},
            free=yes,
            room={"type": "array", "items": _object(start=moment, end=moment)},
            reasons={"type": "array", "items": ref("Reason")},
        ),
        "Reason": {
            "type": "object",
            "required": ["why", "start", "end"],
            "properties": {
                "why": text,
                "start": moment,
                "end": moment,
                "words": text,
                "uid": text,
                "title": text,
                "calendar": text,
            },
            "additionalProperties": False,
        },
        "Event": _object(
            id=text,
            object=whole,
            etag=text,
            uid=text,
            calendar=whole,
            kind=kind,
            title=text,
            place=text,
            status=text,
            start=text,
            end=text,
            allDay=yes,
            recurring=yes,
            busy=yes,
            movable=yes,
            conflict=yes,
            url=text,
        ),
        "Move": _wanted(("start", "etag"), start=when, end=when, etag=text),
        "Moved": _object(etag=text),
        "Booking": _object(
            uid=text,
            href=text,
            title=text,
            start=maybe,
            end=maybe,
            zone=text,
            status=text,
            place=text,
            kind=kind,
            all_day=yes,
            recurring=yes,
            hidden=yes,
        ),
        "Bookings": _object(total=whole, bookings={"type": "array", "items": ref("Booking")}),
        "NewBooking": _wanted(
            ("title", "start", "duration"),
            title={"type": "string", "minLength": 1, "maxLength": 500},
            start=when,
            duration={"type": "integer", "minimum": 1, "maximum": 720, "description": "Minutes."},
            place={"type": "string", "maxLength": 1_000},
            notes={"type": "string", "maxLength": 50_000},
            status={"enum": ["confirmed", "tentative"]},
        ),
        "Added": _object(uid=text, href=text),
        "NewTime": _wanted(
            ("start",), start=when, duration={"type": "integer", "minimum": 1, "maximum": 720}
        ),
    }


def _object(**properties: Json) -> Json:
    """An answer's object: exactly these, every time."""
    return {
        "type": "object",
        "required": list(properties),
        "properties": properties,
        "additionalProperties": False,
    }


def _wanted(required: tuple[str, ...], **properties: Json) -> Json:
    """What a request sends."""
    return _object(**properties) | {"required": list(required)}


def ref(name: str) -> Json:
    """The schema of that name, where one is wanted."""
    return {"$ref": f"#/components/schemas/{name}"}
