"""CalDAV: our server beside stock Radicale, Xandikos, Cyrus and a floor. ``make bench`` runs it."""
