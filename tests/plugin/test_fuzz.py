"""A few thousand of the fuzzer's inputs; ``make fuzz`` runs 200,000."""

from __future__ import annotations

from pathlib import Path

from tests.plugin import fuzz


def test_no_request_is_an_error_of_ours(tmp_path: Path) -> None:
    with fuzz.studio(tmp_path / "data", seed=7) as fuzzing:
        for number in range(3_000):
            fuzzing.input(number)
    # that it is no use to send only what is refused at the door
    assert sum(count for status, count in fuzzing.statuses.items() if status < 300) > 750
    assert {200, 201, 204, 207, 400, 401, 403, 404, 405, 409, 412} <= fuzzing.statuses.keys()
