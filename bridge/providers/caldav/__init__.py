"""The CalDAV spoke: RFC 4791 calendars, RFC 6578 sync, RFC 6764 discovery.

``discovery`` finds the calendar home behind what a person types, ``provider`` implements
``bridge.ports.Provider`` (by ``listing``, ``texts`` and ``writing`` on one ``server``); ``client`` sends
requests through the ``caldav`` library, ``xml`` writes and reads bodies, ``refusals`` turns statuses into
``bridge.errors``.
"""
