"""Step three, *read back*: what the provider made of our writes becomes the base, and the journal gets before
and after.

Never what we sent: servers rewrite, and sources have rules of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from bridge.ical.fields import changed, fingerprint
from bridge.ports import Entry
from bridge.store import pairings
from bridge.sync.apply.work import Sending, Work
from bridge.sync.plan import Base, DeleteRemote, PutRemote, rewritten
from bridge.sync.survey import Sight


@dataclass(slots=True)
class ReadBack:
    """The memory of what was written there."""

    work: Work

    def remember(self, written: Sequence[Sending]) -> None:
        """All of them in one transaction. Raises LeaseLost, and what the provider raises."""
        wanted = [s.href for s in written if s.answer is not None and s.answer.text is None]
        found = {s.href: s.answer for s in written if s.answer is not None and s.answer.text is not None}
        if wanted:
            found.update(
                (e.href, e) for e in self.work.provider.fetch(self.work.context.link.remote_id, wanted)
            )
        if not written:
            return
        with self.work.writing() as tx:
            now = self.work.clock.now()
            for sent in written:
                if isinstance(sent.action, DeleteRemote):
                    self._deleted_there(tx, sent, now)
                else:
                    self._written_there(tx, sent, sent.action, found.get(sent.href), now)

    def _deleted_there(self, tx: Connection, sent: Sending, now: datetime) -> None:
        item = sent.looked.item
        if sent.hub is not None:  # cancelled here: remember that it is not there, and may come back
            agreed = Base(sent.hub.text, sent.hub.etag, None, None)
            self.work.memory.settle(tx, sent.looked, agreed, sent.href, sent.pairing_id)
        else:
            pairings.forget(tx, sent.pairing_id)
        self.work.memory.journal(
            tx, sent.looked, sent.href, "delete", item.remote.text if item.remote else None, None, now
        )

    def _written_there(
        self, tx: Connection, sent: Sending, action: PutRemote, read: Entry | None, now: datetime
    ) -> None:
        assert sent.hub is not None and sent.answer is not None
        remote, tag = action.text, sent.answer.tag
        if read is not None and read.text is not None:
            if _ours(action.text, sent.answer, read):
                remote, tag = read.text, read.tag
            elif sent.answer.read_after:
                tag = ""  # of what we wrote: nobody ever told us
        if self.work.context.policy.is_source and read is not None and read.text is not None:
            if changed(action.text, read.text):  # its rules made something else of it: that comes back
                remote, tag = action.text, ""
                self.work.again.append(Sight(sent.pairing_id, sent.href, tag=read.tag, text=read.text))
            else:
                remote, tag = read.text, read.tag
        elif read is None or tag != read.tag:  # somebody was there between our write and our reading
            self.work.again.append(Sight(sent.pairing_id, sent.href, fresh=True, deleted=read is None))
        base = Base(sent.hub.text, sent.hub.etag, remote, tag)
        self.work.memory.settle(tx, sent.looked, base, sent.href, sent.pairing_id, sent.rewrites)
        item = sent.looked.item
        self.work.memory.journal(
            tx,
            sent.looked,
            sent.href,
            "update" if action.expect is not None else "restore" if item.base else "create",
            item.remote.text if item.remote else None,
            remote,
            now,
        )


def _ours(sent: str, answer: Entry, read: Entry) -> bool:
    """Whether what was read is our write as the server keeps it. Its tag proves that, if the server's answer
    to the write named it; otherwise what it says must."""
    assert read.text is not None
    if read.tag == answer.tag and not answer.read_after:
        return True
    if fingerprint(read.text) == fingerprint(sent):
        return True
    return answer.read_after and rewritten(sent, read.text)
