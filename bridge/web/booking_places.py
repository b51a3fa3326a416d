"""The address book of places: names, addresses, coordinates, and whose light the Light calendar tells."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from bridge.errors import BridgeError
from bridge.service import light
from bridge.service import places as service
from bridge.slots.light import light as light_of
from bridge.store import places
from bridge.store.places import PlaceRow
from bridge.web import booking_forms
from bridge.web.booking_pages import today
from bridge.web.security import the_bridge
from bridge.web.session import visitor

pages = Blueprint("booking_places", __name__, url_prefix="/booking-pages/places")


@pages.get("")
def show() -> ResponseReturnValue:
    """All places, and the form for one more or for one to change."""
    wanted = request.args.get("change", type=int)
    if wanted is None:
        return _page(booking_forms.Place(formdata=None))
    place = _mine(wanted)
    return _page(booking_forms.filled_place(place), place)


@pages.post("")
def add() -> ResponseReturnValue:
    """One more."""
    return _save(None)


@pages.post("/<int:place>")
def save(place: int) -> ResponseReturnValue:
    """Change one."""
    return _save(_mine(place))


@pages.post("/<int:place>/remove")
def remove(place: int) -> ResponseReturnValue:
    """Take one out."""
    bridge, me = the_bridge(), visitor().user
    with bridge.db.writing() as tx:
        gone = service.remove(tx, me, place)
    light.refresh(bridge, me.id)
    flash(f"“{gone.name}” is out of your address book. Booking pages keep what they took over from it.")
    return redirect(url_for("booking_places.show"), 303)


def _save(place: PlaceRow | None) -> ResponseReturnValue:
    form, me, bridge = booking_forms.Place(), visitor().user, the_bridge()
    if not form.validate():
        return _page(form, place), 422
    try:
        with bridge.db.writing() as tx:
            service.save(
                tx,
                me,
                None if place is None else place.id,
                form.name.data,
                address=form.address.data,
                latitude=form.latitude.data,
                longitude=form.longitude.data,
                before=booking_forms.number("The time kept free before", form.before.data),
                after=booking_forms.number("The time kept free after", form.after.data),
                light=form.light.data,
            )
    except BridgeError as error:
        return _page(form, place, str(error)), 422
    light.refresh(bridge, me.id)
    flash("Saved.")
    return redirect(url_for("booking_places.show"), 303)


def _mine(place_id: int) -> PlaceRow:
    with the_bridge().db.reading() as tx:
        return places.mine(tx, visitor().user.id, place_id)


def _page(form: booking_forms.Place, changed: PlaceRow | None = None, error: str = "") -> str:
    me = visitor()
    with the_bridge().db.reading() as tx:
        known = places.of_user(tx, me.user.id)
    lit = [
        (
            place,
            None
            if place.latitude is None or place.longitude is None
            else light_of(today(), place.latitude, place.longitude, me.zone),
        )
        for place in known
    ]
    return render_template("booking_pages/places.html", places=lit, form=form, changed=changed, error=error)
