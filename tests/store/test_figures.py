"""How things stand, in numbers, on both databases."""

from __future__ import annotations

from datetime import timedelta

from bridge.store import figures, links
from tests.store.studio import NOW, Studio, event


def test_an_installation_is_told_in_numbers(studio: Studio) -> None:
    later = NOW + timedelta(hours=2)
    hour = timedelta(hours=1)
    link = studio.link(writes=True)
    with studio.db.writing() as tx:
        provider = links.get(tx, link).provider
        links.set_(tx, link, released=True, state="healthy", agreed_at=NOW, due_at=NOW + hour)
    studio.put("a.ics", event("a"))
    with studio.db.reading() as tx:
        assert figures.accounts(tx) == [(provider, "healthy", 1)]
        assert figures.links(tx) == [(provider, "healthy", 1)]
        assert figures.oldest(tx, later) == {provider: 7200.0}
        assert figures.older(tx, later, hour) == {provider: 1}
        assert figures.older(tx, later, 3 * hour) == {}
        due, seconds = figures.backlog(tx, later)
        assert due == 1
        assert seconds >= 3600
        assert figures.backlog(tx, NOW - hour) == (0, 0.0)
        assert set(figures.waiting(tx, later).values()) == {0}
    with studio.db.writing() as tx:
        links.set_(tx, link, held=["7 events would be deleted."])
    with studio.db.reading() as tx:
        assert figures.oldest(tx, later) == {}, "what waits for the user is not late"
        assert figures.waiting(tx, later)["held"] == 1
