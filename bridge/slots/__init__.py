"""Slots: when a client may book, and why not; pure arithmetic over the studio's rules and busy time.

Instants are whole seconds since 1970 (UTC), intervals half open, wall times seconds since midnight in a
``ZoneInfo``. No clock, store or calendar format: whoever asks brings the present moment and what is busy.

Part        a stretch of a day by the clock on the wall: when it is open, a break, or hidden.
Busy        time that something on a calendar takes.
Slot        a session that could begin at a moment, with every reason against it; none: it is free.
"""
