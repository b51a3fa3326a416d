"""A decision in sentences, for the preview, ``--dry-run`` and the page of a plan that waits."""

from __future__ import annotations

from bridge.ical.facts import facts
from bridge.ical.fields import changed
from bridge.sync.plan.actions import (
    Agree,
    Decision,
    DeleteHub,
    DeleteRemote,
    Forget,
    Keep,
    PutHub,
    PutRemote,
    Restored,
    Stop,
    Suggest,
    Tell,
)
from bridge.sync.plan.items import Item


def describe(decision: Decision) -> list[str]:
    """The decision as sentences for the preview and ``--dry-run``."""
    item = decision.item
    shown = item.hub or item.remote
    title = (facts(shown.text).summary if shown else "") or "an event without a title"
    sentences: list[str] = []
    for action in decision.actions:
        match action:
            case PutHub(expect=None):
                sentences.append(f"Add “{title}” here.")
            case PutHub(cancel=True):
                sentences.append(f"Cancel “{title}” here.")
            case PutHub():
                sentences.append(f"Change “{title}” here{_what(item, here=True)}.")
            case DeleteHub():
                sentences.append(f"Delete “{title}” here.")
            case PutRemote(expect=None):
                sentences.append(f"Add “{title}” there.")
            case PutRemote():
                sentences.append(f"Change “{title}” there{_what(item, here=False)}.")
            case DeleteRemote():
                sentences.append(f"Delete “{title}” there.")
            case Restored():
                sentences.append(f"“{title}” was deleted there; as a booking it is put back.")
            case Suggest():
                sentences.append(f"“{title}” was changed there; the change waits for your approval.")
            case Stop(why):
                sentences.append(f"“{title}”: {why}")
            case Agree() if item.base is None and item.remote is not None:
                sentences.append(f"“{title}” is in both calendars already: one and the same event.")
            case Tell(message):
                sentences += [f"“{title}”: {message}"] if message else []
            case Agree() | Forget() | Keep():
                pass
    return sentences


def _what(item: Item, *, here: bool) -> str:
    base = item.base
    before, after = (base and base.remote, item.remote) if here else (base and base.hub, item.hub)
    if not before or after is None:
        return ""
    names = sorted({plain(group) for _, group in changed(before, after.text)})
    return f" ({', '.join(names)})" if names else ""


def plain(group: str) -> str:
    return {"when": "time", "component": "one date of the series"}.get(group, group.removeprefix("x:"))
