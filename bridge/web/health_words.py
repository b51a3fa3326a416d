"""How an account and its calendars are, in plain words: what the settings page says about them.

Reads rows, decides nothing; the tones (good, warn, bad, busy) choose the colour and the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from bridge.store.accounts import AccountRow
from bridge.store.links import LinkRow
from bridge.store.turns import TAKEN
from bridge.web import words


@dataclass(frozen=True, slots=True)
class State:
    """A few words with a tone, and more where there is more to say."""

    tone: str  # good | warn | bad | busy
    words: str
    detail: str = ""


def takes_part(link: LinkRow) -> bool:
    """Whether the link has a role at all."""
    return link.reads or link.edits or link.writes or link.source


def concerns(link: LinkRow) -> bool:
    """Whether the settings show it: it has a role, or has lost its last one and waits to be let go."""
    return takes_part(link) or not link.released


def running(link: LinkRow, now: datetime) -> bool:
    """Whether a pass is at work on it."""
    return link.lease_holder is not None and link.lease_until is not None and link.lease_until > now


def busy(link: LinkRow, account: AccountRow, now: datetime) -> bool:
    """Whether something will happen to it within moments, so that looking again is worth while. A link whose
    job waits in the queue is due only when that is taken for lost."""
    due = link.due_at is not None and link.due_at <= now + TAKEN
    at_once = account.state == "healthy" or (account.state == "retrying" and not waits(account, now))
    return takes_part(link) and (running(link, now) or (due and at_once))


def waits(account: AccountRow, now: datetime) -> bool:
    """Whether the account rests after a failure."""
    return account.next_try is not None and account.next_try > now


def of_account(account: AccountRow, now: datetime, zone: ZoneInfo) -> State:
    """The account as a whole."""
    reason = account.state_reason or ""
    match account.state:
        case "needs-sign-in":
            return State("bad", "Needs you to sign in again", reason)
        case "parked":
            return State("bad", "Stopped", reason)
        case "retrying":
            since = again = ""
            if account.state_since is not None:
                since = f"Since {words.moment(account.state_since, now, zone)}."
            if account.next_try is not None and waits(account, now):
                again = f"We try again by ourselves {words.moment(account.next_try, now, zone)}."
            return State("warn", "Having trouble", " ".join(part for part in (reason, since, again) if part))
        case _:
            return State("good", "Connected")


def of_all(accounts: Sequence[AccountRow], links: Sequence[LinkRow], now: datetime, zone: ZoneInfo) -> State:
    """Everything together, for the line above the calendar: good only if every calendar that takes part has
    agreed with ours and nothing stands in the way; tone ``off`` if none takes part."""
    owners = {account.id: account for account in accounts}
    states = []
    for link in links:
        if concerns(link):
            state, owner = of_link(link, owners[link.account_id], now, zone), owners[link.account_id]
            if state.tone == "busy" and link.agreed_at is not None and owner.state == "healthy":
                continue  # a pass over what agreed before is no news
            states.append(State(state.tone, f"{link.name}: {state.words}"))
    states += [
        State(state.tone, f"{account.label}: {state.words}")
        for account in accounts
        if (state := of_account(account, now, zone)).tone != "good"
    ]
    if not any(concerns(link) for link in links):
        return State("off", "No calendar is connected yet")
    for tone in ("bad", "warn", "busy"):
        for state in reversed(states):
            if state.tone == tone:
                return state
    return State("good", "Calendar Sync Connected")


def of_link(link: LinkRow, account: AccountRow, now: datetime, zone: ZoneInfo) -> State:
    """One calendar of it."""
    reason = link.state_reason or ""
    agreed = f"Last in agreement {words.ago(link.agreed_at, now, zone)}." if link.agreed_at else ""
    more = f"{reason} {agreed}".strip()
    if running(link, now):
        return State("busy", "Syncing…", agreed)
    if account.state == "needs-sign-in":
        return State("warn", "Waits for the sign-in", agreed)
    if link.held:
        return State("warn", "Waits for your OK", agreed)
    if not link.released and link.state == "stopped":
        return State("warn", "Stopped by you", agreed)
    if not link.released:
        return State("warn", "Not started")
    match link.state:
        case "gone":
            return State("bad", "No longer at the provider", more)
        case "read-only":
            return State("warn", "May not be changed by us", more)
        case "retrying":
            return State("warn", "Trying again", more)
    if link.agreed_at is None:
        return State("busy", "First sync is coming up", reason)
    if account.state != "healthy" or reason:
        return State("warn", "Waiting", more)
    return State("good", f"In agreement {words.ago(link.agreed_at, now, zone)}")


def roles(link: LinkRow) -> str:
    """What it is used for, for the line under its name."""
    used = []
    if link.edits:
        used.append("its events appear here and can be changed here")
    elif link.reads:
        used.append("its events appear here")
    if link.writes:
        used.append("your bookings go there")
    if link.source:
        used.append("your bookings come from there")
    sentence = "; ".join(used) or "no longer chosen: what we put there will be taken back"
    return sentence[:1].upper() + sentence[1:]
