"""The store: the hub's memory, in SQL.

``tables`` is the schema, ``db`` the transactions, ``objects`` the one module through which objects are
changed. Every function takes the transaction (a SQLAlchemy ``Connection``) first, so that callers compose
what belongs together into one commit.
"""
