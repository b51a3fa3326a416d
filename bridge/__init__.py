"""picsello-bridge: bookings as a native CalDAV calendar, in true two-way sync with everybody else's.

The words of the house, one meaning each, in code, tables, tests and pages:

Studio      the tenant; has a slug.
User        a person who signs in by e-mail address, belongs to a studio, has an IANA time zone.
Booking     a shoot on the calendar. UID ``shoot_<id>@picsello.com`` if it came from Picsello.
Block       an event the photographer made in the bookings calendar without a job; closes slots.
Source      where bookings live: ``studio`` (built in), ``picsello``, ``feed``.
Calendar    a collection we serve: *bookings* (one per user) or a *mirror* (one per read calendar).
Object      one calendar resource: a UID with its master and overrides; the unit of storage and sync.
Account     a user's sign-in at a provider.
Link        one remote calendar of an account that takes part, with its roles *reads*, *edits*, *writes*.
Base        what each side held when they last agreed, kept per side, in that side's own form.
Plan        actions as plain data that would bring two sides together.
Pass        one run of a link.
Journal     before and after of every change, on either side; what undo replays.
Device      an app password for one CalDAV client; revocable alone.
Href        the last path segment (hub) or the path (provider) that names an object.
Tag         a provider's or our version of one object: its ETag, compared only for equality.
Pairing     the row that ties one hub object to one remote object and holds their bases.
Flight      the write that is about to be sent, recorded before it is sent.

Who may import whom is checked by import-linter (``setup.cfg``); nothing here imports Radicale.
"""

__version__ = "0.1.0"
