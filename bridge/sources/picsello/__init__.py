"""Picsello's own database as the source of bookings: both generations of it, read and written.

``schema`` finds out what is there, ``queries`` reads, ``booking`` renders, ``edits`` reads what a calendar
wants, ``writing`` carries it out by Picsello's rules, ``provider`` is the port.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from bridge.sources import SignedIn
from bridge.sources.picsello import schema
from bridge.sources.picsello.database import Database, checked_url
from bridge.sources.picsello.options import Options
from bridge.sources.picsello.provider import PicselloSource
from bridge.sources.picsello.schema import Found, Studio


def first_contact(url: str, secret: str, email: str, given: Mapping[str, Any]) -> SignedIn:
    """Sign in, and find out what is there and what we may do. Raises Invalid, NotFound, ProviderError."""
    options = Options.of(given)
    database = Database(checked_url(url), secret)
    try:
        with database.reading() as asking:
            found = schema.detect(asking)
            schema.check_rights(asking, found, writes=options.mode == "write")
            studio = schema.studio_of(asking, email, given.get("organization"))
            told = schema.old_sync(asking, studio.organization_id)
    finally:
        database.close()
    return signed_in(database.url, options, found, studio, told)


def everybody(url: str, secret: str, given: Mapping[str, Any]) -> list[tuple[str, Studio, SignedIn]]:
    """The same for every photographer of the database, over one connection: e-mail, studio, sign-in."""
    options = Options.of(given)
    database = Database(checked_url(url), secret)
    try:
        with database.reading() as asking:
            found = schema.detect(asking)
            schema.check_rights(asking, found, writes=options.mode == "write")
            return [
                (email, studio, signed_in(database.url, options, found, studio, None))
                for email, studio in schema.everybody(asking)
            ]
    finally:
        database.close()


def signed_in(url: str, options: Options, found: Found, studio: Studio, told: str | None) -> SignedIn:
    profile = {
        **options.as_profile(),
        "edits": options.edits,
        "organization": studio.organization_id,
        "user": studio.user_id,
        "slots": found.slots,
        "materialized": found.materialized,
    }
    return SignedIn(
        url=url,
        username=str(studio.organization_id),
        label=f"Picsello: {studio.name} at {urlsplit(url).hostname or 'this machine'}",
        calendar=f"organization/{studio.organization_id}",
        profile=profile,
        told=(told,) if told else (),
        time_zone=studio.time_zone,
    )


def reconnect(url: str, secret: str, profile: Mapping[str, Any]) -> PicselloSource:
    """The source of an account; sends nothing yet."""
    return PicselloSource(Database(url, secret), profile)
