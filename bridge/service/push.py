"""Push: providers that can tell us of changes are asked to, and what they tell makes a link due at once.

A notice is a hint and nothing more: the pass that it leads to asks what changed, and every calendar is looked
at from time to time whether a notice came or not. So a channel that cannot be had, or got lost, costs minutes
and never an event. Channels need an address of ours that the provider can reach: the public URL, if it is
https, or if the administrator says so (``push``). Which requests may speak for a provider is decided here,
what is answered in ``bridge.web.hooks``.
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from bridge import providers
from bridge.errors import BridgeError, NotFound
from bridge.ports import Announcing, Channel
from bridge.service import Bridge
from bridge.service.roles import takes_part
from bridge.store import channels, links
from bridge.store.channels import ChannelRow

log = logging.getLogger("picsello_bridge.push")

#: Somebody looks after a channel; nobody else does for so long.
CARE = timedelta(minutes=5)
#: Where there is none, one is asked for this often.
AGAIN = timedelta(hours=1)
#: A channel is renewed when this part of its life is over, so that a day without us loses none.
RENEW_AFTER = 0.6
#: Notices that come closer together lead to one pass.
GAP = timedelta(seconds=3)


def wanted(bridge: Bridge) -> bool:
    """Whether providers are asked for channels at all."""
    said = bridge.settings.push
    return said == "on" or (said == "auto" and bridge.public_url.startswith("https://"))


def can_tell(provider: str) -> bool:
    """Whether an account of that kind could have channels at all."""
    kind = providers.KINDS.get(provider)
    return kind is not None and kind.oauth


def tend(bridge: Bridge, link_id: int) -> None:
    """After a pass that went well: ask for the link's channel, or renew it, if it is time."""
    now = bridge.clock.now()
    try:
        with bridge.db.reading() as tx:
            link, row = links.get(tx, link_id), channels.get(tx, link_id)
    except NotFound:
        return  # disconnected meanwhile
    if not can_tell(link.provider) or not takes_part(link) or not wanted(bridge):
        return
    address = f"{bridge.public_url}/hooks/{link.provider}"
    current = row is not None and row.address in ("", address)  # else our own address is another by now
    if row is not None and current and row.look_at > now:
        return
    with bridge.db.writing() as tx:
        if not current:
            channels.look_at(tx, link_id, now)
        if not channels.claim(tx, link_id, now, now + CARE):
            return
    try:
        made = _watch(bridge, link.account_id, link.remote_id, address, _secret(bridge, link_id), row)
    except BridgeError as error:
        log.warning("link %s: no word of changes, so it is looked at as often as before: %s", link_id, error)
        made = None
    with bridge.db.writing() as tx:
        if made is None:
            channels.look_at(tx, link_id, now + AGAIN)
        else:
            channels.keep(
                tx,
                link_id,
                name=made.name,
                resource=made.resource,
                address=address,
                expires=made.expires,
                look_at=now + RENEW_AFTER * (made.expires - now),
            )
            if row is None or row.name is None:
                links.make_due(tx, link_id, now)  # what changed between the pass and now, nobody told us


def stop(bridge: Bridge, account_id: int) -> None:
    """Before we leave: what the provider still means to tell us, it need not. Channels end by themselves, so
    what cannot be stopped is only noted."""
    with bridge.db.reading() as tx:
        rows = channels.of_account(tx, account_id)
    if not rows:
        return
    try:
        provider = bridge.connect(account_id)
        try:
            for row in rows:
                if isinstance(provider, Announcing) and (channel := _channel(row)):
                    provider.unwatch(channel)
        finally:
            provider.close()
    except BridgeError as error:
        log.info("account %s: its channels are left to end by themselves: %s", account_id, error)


# --- notices -------------------------------------------------------------------------------------------


def google_told(bridge: Bridge, name: str, token: str, state: str) -> bool:
    """One notice, as its headers have it; False if it is not for us."""
    row = _known(bridge, name, token, "google")
    if row is None:
        return False
    if state != "sync":  # that one only says that the channel works
        _look(bridge, row)
    return True


def microsoft_told(bridge: Bridge, notice: Mapping[str, Any]) -> bool:
    """One notice of change or of the subscription's life; False if it is not for us."""
    row = _known(bridge, notice.get("subscriptionId"), notice.get("clientState"), "microsoft")
    if row is None:
        return False
    now, life = bridge.clock.now(), notice.get("lifecycleEvent")
    if life == "reauthorizationRequired":
        with bridge.db.writing() as tx:
            channels.look_at(tx, row.link_id, now)
    elif life == "subscriptionRemoved":
        with bridge.db.writing() as tx:
            channels.lost(tx, row.link_id, now)
    _look(bridge, row)  # "missed" too: there is something to look for
    return True


def _known(bridge: Bridge, name: Any, secret: Any, kind: str) -> ChannelRow | None:
    """The channel, if the notice knows its secret. An unknown one takes as long as a wrong secret."""
    if not all(isinstance(said, str) and said.isprintable() for said in (name, secret)):
        return None  # nor is it anything that a database could look for
    with bridge.db.reading() as tx:
        row = channels.named(tx, name)
        provider = links.get(tx, row.link_id).provider if row else None
    right = _secret(bridge, row.link_id if row else 0)
    same = hmac.compare_digest(secret.encode(), right.encode())
    return row if same and provider == kind else None


def _look(bridge: Bridge, row: ChannelRow) -> None:
    """Make the link due, at most once in ``GAP``."""
    now = bridge.clock.now()
    lately = row.noticed is not None and now - GAP < row.noticed <= now + GAP
    at = row.noticed + GAP if lately and row.noticed else now
    with bridge.db.reading() as tx:
        link = links.get(tx, row.link_id)
    if link.held or not takes_part(link) or (link.due_at is not None and link.due_at <= at):
        return  # it waits for its user, or it is due anyway
    with bridge.db.writing() as tx:
        links.make_due(tx, row.link_id, at)
        channels.noticed(tx, row.link_id, at)
    bridge.enqueue(row.link_id)


# --- channels ------------------------------------------------------------------------------------------


def _secret(bridge: Bridge, link_id: int) -> str:
    """What every notice about a link has to carry: nobody can make it without our keys."""
    return bridge.vault.mac(f"push channel of link {link_id}")


def _channel(row: ChannelRow | None) -> Channel | None:
    if row is None or row.name is None or row.expires is None:
        return None
    return Channel(row.name, row.resource, row.expires)


def _watch(
    bridge: Bridge, account_id: int, calendar: str, address: str, secret: str, row: ChannelRow | None
) -> Channel | None:
    known = _channel(row)
    provider = bridge.connect(account_id)
    try:
        if not isinstance(provider, Announcing):
            return None
        if known is not None and row is not None and row.address != address:
            provider.unwatch(known)
            known = None
        return provider.watch(calendar, address, secret, known)
    finally:
        provider.close()
