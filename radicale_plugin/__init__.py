"""CalDAV: Radicale's plugin interfaces over the bridge's store. Translation only, no rules.

What a client may do to a booking is decided in ``bridge.service.client_writes``; what a calendar is,
in ``bridge.store``. This package turns WebDAV requests into calls of those two, and answers back.

It runs in two ways over the same store:

* **Mounted** (``front.make_dav_app``), as ``picsello-bridge serve`` does: our WSGI front, then our
  subclass of Radicale's application. Everything the contract promises holds.
* **Radicale alone** (``python -m radicale --config config/radicale.conf``): the storage, auth and rights
  plugins in Radicale's own server. The calendars, users, policies and sync tokens are the same, and
  the client's bytes are kept too (``capture``). Lost without the front and the subclass:

  - an object that Radicale's parser refuses (RDATE periods, grouped names, an override without its
    master ...) is refused with a bare 400, without the RFC 4791 precondition element;
  - after a PUT that a policy changed, the answer carries an ETag nevertheless;
  - lists of tags in If-Match, chunked bodies, DELETE's 204, ``&#13;`` in XML answers (a multiget ends
    lines with LF), an honest DAV header, MOVE's 4xx for foreign hosts, bounds on hostile XML;
  - clients make and delete no calendars of their own;
  - expanded reports are slow, and 429 for those who guess passwords is a plain 401;
  - ``/.well-known/caldav`` leads to Radicale's root, so the base path is ``/`` instead of ``/dav/``.
"""
