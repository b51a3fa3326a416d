"""The provider contract over Microsoft Graph's stand-in, held to the official contract in both directions."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bridge.ports import Provider
from tests.contracts.microsoft_stand import MicrosoftStand
from tests.contracts.provider_contract import ProviderContract
from tests.contracts.samples import AWKWARD, event
from tests.contracts.stand import Calendar
from tests.servers.fault import FaultProxy
from tests.standins.microsoft import Graph


@pytest.fixture(scope="module")
def bed() -> Iterator[MicrosoftStand]:
    with Graph() as graph, FaultProxy(graph.url) as faults:
        yield MicrosoftStand(graph, faults)


@pytest.fixture
def stand(bed: MicrosoftStand) -> Iterator[MicrosoftStand]:
    bed.graph.forgets_tokens_before = 0
    yield bed
    assert bed.graph.violations == []
    assert bed.graph.mailbox.mails == []


class TestMicrosoft(ProviderContract):
    """Every test of the contract; three where Graph means something else."""

    def test_bytes_are_returned_as_the_provider_keeps_them(
        self, provider: Provider, calendar: str, somebody: Calendar
    ):
        """It keeps fields, not bytes: what they say is there, and is told in the same words each time."""
        somebody.put("awkward.ics", AWKWARD)
        (first,) = provider.changes(calendar, None).entries
        (again,) = provider.fetch(calendar, [first.href])
        assert first.text is not None
        assert again.text == first.text
        for words in ("SUMMARY:Hochzeit Müller & Söhne <Standesamt> ]]> 📷", "TRIGGER:-PT15M"):
            assert words in first.text

    def test_after_a_write_it_is_told_what_the_provider_made_of_it(
        self, provider: Provider, calendar: str, somebody: Calendar
    ):
        """Our own texts come back byte for byte: what Graph has no field for is kept beside."""
        entry = provider.put(calendar, provider.new_href(calendar, "awkward"), AWKWARD, None)
        (read,) = provider.fetch(calendar, [entry.href])
        assert (read.tag, read.text) == (entry.tag, AWKWARD)
        assert entry.text in (None, read.text)

    def test_deleted_and_written_anew_is_no_deletion(
        self, provider: Provider, calendar: str, somebody: Calendar
    ):
        """Ids are never used again there: the old one is gone, and the new one is new."""
        somebody.put("a.ics", event("a"))
        (old,) = provider.changes(calendar, None).entries
        cursor = provider.changes(calendar, None).cursor
        somebody.delete("a.ics")
        somebody.put("a.ics", event("a", "Again"))
        delta = provider.changes(calendar, cursor)
        assert delta.gone == {old.href}
        assert ["Again" in (entry.text or "") for entry in delta.entries] == [True]
