"""Graph tells us: a change there is here within seconds; a subscription that it ends is asked for again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.installation import EMAIL
from tests.journeys.test_microsoft import Story, soon, telling
from tests.journeys.waiting import soon as wait_for


@pytest.fixture
def pushed(tmp_path: Path) -> Iterator[Story]:
    """Where calendars are looked at once a day unless Graph says something."""
    settings = {"PICSELLO_BRIDGE_PUSH": "on", "PICSELLO_BRIDGE_POLL_SECONDS": "86400"}
    with telling(tmp_path, settings) as story:
        yield story


def test_a_change_is_here_within_seconds_of_graphs_word(pushed: Story):
    studio, subscriptions = pushed.studio, pushed.graph.subscriptions
    pushed.connect()
    studio.run("account", "select", str(pushed.account), "--read", pushed.calendar, "--yes")
    wait_for(lambda: len(subscriptions.open) == 1, "the worker asked for a subscription")
    pushed.graph.mailbox.add(pushed.calendar, {**soon(8), "subject": "Dentist"})
    wait_for(lambda: "Dentist" in str(studio.json("journal", EMAIL)), "their event came in")

    (first,) = subscriptions.open
    subscriptions.tell_life(first, "subscriptionRemoved")
    pushed.graph.mailbox.add(pushed.calendar, {**soon(9), "subject": "Hairdresser"})
    wait_for(lambda: subscriptions.open.keys() - {first} != set(), "it was asked for again")
    wait_for(lambda: "Hairdresser" in str(studio.json("journal", EMAIL)), "what was missed came in")
    assert set(subscriptions.teller.answers) == {202}

    studio.run("account", "remove", str(pushed.account), "--pushed", "keep")
    assert subscriptions.open == {}
