"""The forms of the photographer's own booking pages, and what was typed into them as the services take it."""

from __future__ import annotations

import re
from typing import Any

from flask_wtf import FlaskForm
from wtforms import BooleanField, SelectMultipleField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length

from bridge.errors import Invalid
from bridge.service.booking_plans import WEEKDAYS, Plan, spelled
from bridge.store.booking_events import EventRow
from bridge.store.places import PlaceRow

_SHORT = [Length(max=100, message="That is longer than it can be.")]


def _trim(value: str | None) -> str:
    return (value or "").strip()


def _line(label: str, default: str = "") -> Any:
    return StringField(label, _SHORT, [_trim], default=default)


class Dates(FlaskForm):  # type: ignore[misc]
    """Dates of a booking page: one, or the first of many, with its blocks."""

    date = _line("Date")
    blocks = StringField("When sessions are offered", [Length(max=1000)], [_trim])
    breaks = StringField("Breaks", [Length(max=1000)], [_trim])
    hidden = StringField("Shown as taken", [Length(max=1000)], [_trim])
    repeat = _line("Repeats")
    every = _line("Every", "1")
    on = SelectMultipleField("On", choices=list(WEEKDAYS), validate_choice=False)
    until = _line("Until")
    times = _line("Or so many times")


class Event(Dates):
    """A booking page."""

    title = StringField(
        "Title", [DataRequired("Please give it a title, such as “Spring mini-sessions”.")], [_trim]
    )
    place_id = _line("Place from your address book")
    place = StringField("Place", [Length(max=1000)], [_trim])
    address = StringField("Address", [Length(max=1000)], [_trim])
    latitude = _line("Latitude")
    longitude = _line("Longitude")
    description = TextAreaField("What clients should know", [Length(max=20_000)], [_trim])
    job_type = _line("Job type")
    length = _line("Length of a session", "60")
    gap = _line("Gap between sessions", "0")
    before = _line("Kept free before", "0")
    after = _line("Kept free after", "0")
    notice = _line("Notice", "0")
    furthest = _line("Furthest day")
    per_day = _line("Most a day")
    per_week = _line("Most a week")
    hold = _line("A hold lasts", "0")
    sun = _line("Sessions follow the sun")
    sessions = _line("So many on a date", "1")


class Place(FlaskForm):  # type: ignore[misc]
    """An entry of the address book."""

    name = StringField("Name", [DataRequired("Please give the place a name."), Length(max=200)], [_trim])
    address = StringField("Address", [Length(max=1000)], [_trim])
    latitude = _line("Latitude")
    longitude = _line("Longitude")
    before = _line("Kept free before sessions there", "0")
    after = _line("Kept free after", "0")
    light = BooleanField("Show its golden hours in my “Light” calendar")


def plan_of(form: Event) -> Plan:
    """What was typed. Raises Invalid for what is no number."""
    return Plan(
        **dates_of(form),
        title=form.title.data,
        length=number("The length of a session", form.length.data),
        gap=number("The gap", form.gap.data),
        place=form.place.data,
        address=form.address.data,
        place_id=int(form.place_id.data) if re.fullmatch(r"[0-9]{1,18}", form.place_id.data or "") else None,
        latitude=form.latitude.data,
        longitude=form.longitude.data,
        description=form.description.data or "",
        job_type=form.job_type.data,
        before=number("The time kept free before", form.before.data),
        after=number("The time kept free after", form.after.data),
        notice=60 * number("The notice", form.notice.data),
        furthest=perhaps("The furthest day", form.furthest.data),
        per_day=perhaps("The most a day", form.per_day.data),
        per_week=perhaps("The most a week", form.per_week.data),
        hold=number("The hold", form.hold.data),
        sun=form.sun.data or "",
        sessions=number("The number of sessions", form.sessions.data),
    )


def dates_plan(form: Dates, event: EventRow) -> Plan:
    """More dates for an event that is there. Raises Invalid."""
    sessions = sessions_of(event) if event.sun else 1
    how: dict[str, Any] = {
        "length": event.length // 60,
        "gap": event.gap // 60,
        "sun": event.sun,
        "sessions": sessions,
    }
    return Plan(event.title, **how, **dates_of(form))


def dates_of(form: Dates) -> dict[str, Any]:
    """The part of a plan that is about dates."""
    return {
        "dates": [form.date.data] if form.date.data else [],
        "blocks": split(form.blocks.data),
        "breaks": split(form.breaks.data),
        "hidden": split(form.hidden.data),
        "repeat": form.repeat.data or "",
        "every": number("“Every”", form.every.data or "1"),
        "on": (form.on.data or []) if form.repeat.data == "week" else [],
        "until": form.until.data,
        "times": perhaps("“So many times”", form.times.data),
    }


def filled(event: EventRow) -> Event:
    """The form of an event as it is."""
    minutes = ("length", "gap", "before", "after", "hold")
    same = ("title", "place", "address", "description", "job_type", "sun")
    maybe = ("furthest", "per_day", "per_week", "latitude", "longitude")
    values: dict[str, Any] = {name: str(getattr(event, name) // 60) for name in minutes}
    values |= {name: getattr(event, name) for name in same}
    values |= {name: _spelled(getattr(event, name)) for name in maybe}
    values |= {"notice": str(event.notice // 3600), "place_id": str(event.place_id or "")}
    return Event(formdata=None, **values, sessions=str(sessions_of(event)))


def filled_place(place: PlaceRow) -> Place:
    """The form of a place as it is."""
    values = {name: _spelled(getattr(place, name)) for name in ("latitude", "longitude")}
    minutes = {"before": str(place.before // 60), "after": str(place.after // 60)}
    return Place(
        formdata=None, name=place.name, address=place.address, light=place.light, **values, **minutes
    )


def sessions_of(event: EventRow) -> int:
    """How many sessions follow the sun on each date."""
    for parts in (event.days or {}).values():
        for opens, closes in parts["open"][:1]:
            return int((closes - opens + event.gap) // (event.length + event.gap))
    return 1


def spelled_parts(pairs: Any) -> str:
    """``09:00-13:00, 15:00-17:00``."""
    return ", ".join(f"{spelled(opens)}-{spelled(closes)}" for opens, closes in pairs)


def split(text: str | None) -> list[str]:
    """Blocks with commas, semicolons or blanks between; dashes of any length."""
    plain = re.sub(r"\s*[\u2012-\u2015-]\s*", "-", text or "")
    return [one for one in re.split(r"[,;\s]+", plain) if one]


def number(what: str, text: str | None) -> int:
    """Whole minutes and the like. Raises Invalid."""
    found = perhaps(what, text)
    return 0 if found is None else found


def perhaps(what: str, text: str | None) -> int | None:
    """The same, or None where nothing was typed. Raises Invalid."""
    typed = (text or "").strip()
    if not typed:
        return None
    if not re.fullmatch(r"[0-9]{1,6}", typed):
        raise Invalid(f"{what} must be a number such as 30, not “{typed[:30]}”.")
    return int(typed)


def _spelled(value: float | None) -> str:
    return (
        ""
        if value is None
        else f"{value:g}"
        if isinstance(value, int)
        else f"{value:.6f}".rstrip("0").rstrip(".")
    )
