"""Devices: an app password for each phone or computer that shows the calendars, and how to set it up."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from bridge.errors import AlreadyThere, Invalid
from bridge.service import people
from bridge.web import device_setup, forms
from bridge.web.security import the_bridge
from bridge.web.session import now, visitor

#: So long after a device was added the page looks by itself for its first sign.
AWAITED = timedelta(minutes=30)

pages = Blueprint("devices", __name__, url_prefix="/devices")


@pages.get("")
def show() -> ResponseReturnValue:
    """The devices there are, and the form for one more."""
    return _page(forms.Device(formdata=None))


@pages.post("")
def add() -> ResponseReturnValue:
    """Make a device. This answer shows its password; nothing keeps it, and a reload can't repeat it."""
    form = forms.Device()
    if not form.validate():
        return _page(form), 422
    try:
        device = people.add_device(the_bridge(), visitor().user.email, form.name.data)
    except (Invalid, AlreadyThere) as error:
        form.name.errors = [str(error)]
        return _page(form), 422
    token = device_setup.token(device)
    address = the_bridge().public_url + url_for("device_setup.show", token=token)
    return render_template(
        "device_added.html",
        name=form.name.data,
        device=device,
        qr=device_setup.code(address),
        profile=device_setup.profile_address(token),
    )


@pages.post("/<int:device>/revoke")
def revoke(device: int) -> ResponseReturnValue:
    """Take the password back."""
    row = people.revoke_device(the_bridge(), visitor().user.email, device)
    flash(f"“{row.name}” is removed. Its password no longer works.")
    return redirect(url_for("devices.show"), 303)


def _page(form: forms.Device) -> str:
    devices = people.list_devices(the_bridge(), visitor().user.email)
    awaited = any(row.last_used is None and now() - row.created < AWAITED for row in devices)
    return render_template(
        "devices.html", form=form, devices=devices, awaited=awaited, now=now(), zone=visitor().zone
    )
