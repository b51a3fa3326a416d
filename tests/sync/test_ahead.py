"""Reading ahead: in order, two further than was asked for, and never two at the provider at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any, cast

import pytest

from bridge.errors import Unreachable
from bridge.ports import Entry, Provider
from bridge.sync.ahead import InTurn, ahead


def test_what_was_fetched_comes_in_order() -> None:
    assert list(ahead(lambda number: number * 2, range(5))) == [0, 2, 4, 6, 8]
    assert list(ahead(lambda number: number, [])) == []


def test_the_next_two_are_fetched_while_the_first_is_worked_on_and_the_fourth_is_not() -> None:
    begun = [threading.Event() for _ in range(4)]

    def fetch(number: int) -> int:
        begun[number].set()
        return number

    coming = ahead(fetch, range(4))
    assert next(coming) == 0
    assert begun[2].wait(10)
    assert not begun[3].is_set()
    coming.close()  # type: ignore[attr-defined]
    assert not begun[3].is_set()


def test_a_provider_that_fails_ahead_is_told_when_its_turn_comes() -> None:
    def fetch(number: int) -> int:
        if number == 1:
            raise Unreachable("The line is down.")
        return number

    coming = ahead(fetch, range(3))
    assert next(coming) == 0
    with pytest.raises(Unreachable):
        next(coming)


class Crowded:
    """A provider that minds being asked by two at once."""

    requests = 0

    def __init__(self) -> None:
        self.inside = threading.Lock()
        self.disturbed = False

    def fetch(self, calendar: str, hrefs: Sequence[str]) -> Iterator[Entry]:
        for href in hrefs:
            with self._alone():
                yield Entry(href, "1", "text")

    def put(self, calendar: str, href: str, text: str, expect: str | None) -> Entry:
        with self._alone():
            return Entry(href, "2", None)

    def _alone(self) -> Any:
        self.disturbed |= self.inside.locked()
        return self.inside


def test_a_write_waits_until_the_reading_ahead_is_through() -> None:
    crowded = Crowded()
    provider = InTurn(cast(Provider, crowded))
    reading = threading.Thread(target=lambda: list(provider.fetch("c", ["a"] * 5000)))
    reading.start()
    while reading.is_alive():
        provider.put("c", "b", "text", None)
    reading.join()
    assert not crowded.disturbed
