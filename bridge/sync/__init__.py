"""Sync: one algorithm for every spoke.

``survey`` asks both sides what changed, ``observe`` looks at it, ``plan`` decides (pure), ``apply`` carries
out and remembers, ``one_pass`` knows that order, ``engine`` runs passes under leases. There is no second
sync anywhere.
"""
