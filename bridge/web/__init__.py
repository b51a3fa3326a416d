"""The pages: a Flask application that renders what the services and the store know.

``make_app`` assembles it: one blueprint per group of pages, one place for the security of all of them
(``security``), one for who is signed in (``session``), one for the pages that say what went wrong
(``refusals``). Rules live in ``bridge.service``; a view asks, and puts the answer into words.
"""

from __future__ import annotations

from flask import Flask
from werkzeug.routing import IntegerConverter, Map, PathConverter

from bridge.web import (
    agenda,
    api,
    api_bookings,
    api_document,
    api_overview,
    assets,
    availability,
    booking,
    booking_days,
    booking_hours,
    booking_pages,
    booking_picsello,
    booking_places,
    booking_receipt,
    calendar_settings,
    compress,
    connect,
    contact,
    dashboard,
    decisions,
    device_setup,
    devices,
    disconnect,
    event,
    feed,
    feeds,
    forgotten,
    help,
    history,
    hooks,
    notices,
    oauth,
    profile,
    programs,
    progress,
    refusals,
    roles,
    second_step,
    security,
    session,
    signin,
    source,
    why,
    words,
)
from bridge.wiring import Bridge

#: One blueprint each, called ``pages``.
PAGES = (
    signin,
    second_step,
    forgotten,
    dashboard,
    agenda,
    event,
    api,
    api_bookings,
    api_document,
    api_overview,
    availability,
    booking,
    booking_days,
    booking_hours,
    booking_pages,
    booking_picsello,
    booking_places,
    booking_receipt,
    why,
    calendar_settings,
    progress,
    connect,
    oauth,
    roles,
    disconnect,
    source,
    feeds,
    feed,
    notices,
    decisions,
    device_setup,
    devices,
    history,
    profile,
    programs,
    contact,
    help,
    hooks,
)


class Number(IntegerConverter):
    """A number in an address: what no database column can hold names nothing."""

    def __init__(self, url_map: Map) -> None:
        super().__init__(url_map, max=2**63 - 1)


class Uid(PathConverter):
    """A UID in an address. It may hold slashes, and so would swallow the path of what can be done with it."""

    regex = r"(?!.*/confirm$)[^/].*?"


def make_app(bridge: Bridge) -> Flask:
    """The pages of one installation, as a WSGI application; it answers everything but ``/dav`` paths."""
    app = Flask("bridge.web")
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    app.extensions["bridge"] = bridge
    app.url_map.converters["int"] = Number
    app.url_map.converters["uid"] = Uid
    session.identify(app)  # limits are for whoever asks
    security.install(app, bridge)
    session.install(app)
    refusals.install(app)
    assets.install(app)
    compress.install(app)
    words.install(app)
    help.install(app)
    for module in PAGES:
        app.register_blueprint(module.pages)
    app.register_blueprint(profile.first_visit)
    app.register_blueprint(second_step.at_sign_in)
    return app
