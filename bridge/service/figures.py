"""How an installation fares, as Prometheus' gauges; what is counted in between is in ``bridge.metrics``."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING

from bridge import __version__
from bridge.service import Bridge
from bridge.store import figures

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

#: Ages of the last agreement that are told apart, in seconds.
AGES = (300, 900, 3600, 6 * 3600, 86400)


def gauges(bridge: Bridge) -> Iterable[Metric]:
    """Read from the store at this moment."""
    from prometheus_client.metrics_core import GaugeMetricFamily

    def gauge(name: str, says: str, *labels: str) -> GaugeMetricFamily:
        return GaugeMetricFamily(f"picsello_bridge_{name}", says, labels=labels)

    now = bridge.clock.now()
    info = gauge("info", "The running version", "version")
    info.add_metric([__version__], 1)
    accounts = gauge("accounts", "Accounts by state", "provider", "state")
    links = gauge("links", "Calendars that take part, by state", "provider", "state")
    freshness = gauge("freshness_seconds", "Since the last full agreement, of the worst calendar", "provider")
    older = gauge("links_older", "Calendars without agreement for so many seconds", "provider", "than")
    backlog = gauge("backlog", "Calendars whose turn has come")
    late = gauge("backlog_seconds", "How long the first of them has waited")
    waiting = gauge("waiting", "What waits for a user or another server", "what")
    with bridge.db.reading() as tx:
        for provider, state, count in figures.accounts(tx):
            accounts.add_metric([provider, state], count)
        for provider, state, count in figures.links(tx):
            links.add_metric([provider, state], count)
        for provider, seconds in figures.oldest(tx, now).items():
            freshness.add_metric([provider], seconds)
        for age in AGES:
            for provider, count in figures.older(tx, now, timedelta(seconds=age)).items():
                older.add_metric([provider, str(age)], count)
        due, seconds = figures.backlog(tx, now)
        backlog.add_metric([], due)
        late.add_metric([], seconds)
        for what, count in figures.waiting(tx, now).items():
            waiting.add_metric([what], count)
    return [info, accounts, links, freshness, older, backlog, late, waiting]
