"""Sync: one algorithm for every spoke.

``plan`` decides (pure), ``observe`` gathers, ``apply`` carries out and remembers, ``engine`` runs a pass
from lease to agreement. There is no second sync anywhere.
"""
