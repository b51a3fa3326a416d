"""Picsello as the source of bookings, on a real PostgreSQL 15, both generations.

What Picsello promised (the capabilities of our notes, by number) and where it is seen to hold:

- 7, the old subscription warned about, shown once: ``sync/test_strangers``, ``test_moving_in``, and what its
  old sync left behind ``test_leftovers``
- 23 to 27, leads, jobs, archived, completed, paid, imported, details without private notes: ``test_reading``
- 28, payment plans: ``test_writing``
- 29, right job, right link, right client: ``test_reading``, and on the page ``test_promises``
- 32, reservations: ``test_reading``, their end moved along ``test_writing``
- 34, 35, native calendar, edits come back: ``journeys/test_picsello``, ``test_writing``
- 36, deleting: ``test_moving_in``
- 38, zones and clock changes: ``test_reading``
- 39, an hour without the provider, and without the database: ``test_promises``, ``test_troubles``
- 41, a new event in the bookings: ``test_moving_in``
"""
