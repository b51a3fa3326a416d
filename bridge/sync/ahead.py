"""Reading ahead: the next texts come from the provider while those that came are worked on.

A provider is used by one thread at a time, so whoever wants it waits for its turn.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import TypeVar

from bridge.ports import Capabilities, Changes, Entry, Provider, RemoteCalendar

T = TypeVar("T")
R = TypeVar("R")


#: So many tasks are fetched before their turn: while one that came is worked on longer than usual, the
#: provider need not wait for us.
AHEAD = 2


def ahead(fetch: Callable[[T], R], tasks: Sequence[T]) -> Iterator[R]:
    """``fetch`` for each of the tasks, in order; in another thread, ``AHEAD`` further than was asked for."""
    thread = ThreadPoolExecutor(1, "ahead")
    coming: deque[Future[R]] = deque()
    try:
        for task in tasks:
            coming.append(thread.submit(fetch, task))
            if len(coming) > AHEAD:
                yield coming.popleft().result()
        while coming:
            yield coming.popleft().result()
    finally:
        thread.shutdown(cancel_futures=True)


class InTurn:
    """A provider that several threads may use: each of its requests waits for the one before."""

    def __init__(self, provider: Provider):
        self._provider = provider
        self._turn = Lock()

    @property
    def capabilities(self) -> Capabilities:
        return self._provider.capabilities

    @property
    def requests(self) -> int:
        return self._provider.requests

    def calendars(self) -> list[RemoteCalendar]:
        with self._turn:
            return self._provider.calendars()

    def survey(self) -> Mapping[str, str] | None:
        with self._turn:
            return self._provider.survey()

    def changes(self, calendar: str, cursor: str | None) -> Changes:
        with self._turn:
            return self._provider.changes(calendar, cursor)

    def fetch(self, calendar: str, hrefs: Sequence[str]) -> Iterator[Entry]:
        with self._turn:
            return iter(list(self._provider.fetch(calendar, hrefs)))

    def put(self, calendar: str, href: str, text: str, expect: str | None) -> Entry:
        with self._turn:
            return self._provider.put(calendar, href, text, expect)

    def delete(self, calendar: str, href: str, expect: str) -> None:
        with self._turn:
            self._provider.delete(calendar, href, expect)

    def new_href(self, calendar: str, key: str) -> str:
        with self._turn:
            return self._provider.new_href(calendar, key)

    def close(self) -> None:
        with self._turn:
            self._provider.close()
