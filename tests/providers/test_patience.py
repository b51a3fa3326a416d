"""A provider that asks for a pause in passing gets it; one that asks for too much ends the pass."""

from __future__ import annotations

import pytest

from bridge.providers import patience
from bridge.providers.http import Answer
from bridge.providers.patience import ALL_IN_ALL, LONGEST, Patience


class Far:
    """Answers what it is told to, the last one for ever."""

    def __init__(self, *answers: tuple[int, str]):
        self.waiting = list(answers)
        self.sent = 0

    def send(self) -> Answer:
        self.sent += 1
        status, after = self.waiting.pop(0) if len(self.waiting) > 1 else self.waiting[0]
        return Answer(status, {"Retry-After": after} if after else {}, b"", "https://far.example/")


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    made: list[float] = []
    monkeypatch.setattr(patience, "pause", made.append)
    return made


def busy(answer: Answer) -> bool:
    return answer.status == 429


def test_what_is_asked_for_is_waited_out(pauses: list[float]):
    far = Far((429, "3"), (429, "5"), (200, ""))
    assert Patience().through(far.send, busy).status == 200
    assert (pauses, far.sent) == ([3, 5], 3)


def test_a_long_pause_is_the_workers_business(pauses: list[float]):
    far = Far((429, str(int(LONGEST) + 1)))
    assert Patience().through(far.send, busy).status == 429
    assert (pauses, far.sent) == ([], 1)


def test_patience_ends(pauses: list[float]):
    far = Far((429, "10"))
    mine = Patience()
    assert mine.through(far.send, busy).status == 429
    assert sum(pauses) == ALL_IN_ALL
    assert mine.through(far.send, busy).status == 429
    assert sum(pauses) == ALL_IN_ALL, "on the whole connection"


def test_who_does_not_say_how_long_is_given_longer_and_longer_pauses(pauses: list[float]):
    far = Far((429, ""))
    assert Patience().through(far.send, busy).status == 429
    assert pauses == []
    assert Patience().through(far.send, busy, unasked=True).status == 429
    assert [round(pause // 1) for pause in pauses[:3]] == [1, 2, 4] or pauses[2] >= 4
    assert all(pause <= LONGEST for pause in pauses)
    assert far.sent == 1 + len(pauses) + 1


def test_any_other_trouble_is_not_waited_for(pauses: list[float]):
    far = Far((503, "3"))
    assert Patience().through(far.send, busy).status == 503
    assert (pauses, far.sent) == ([], 1)
