"""Step two, *there*: each write is sent, conditional on what was seen, and its outcome told apart.

Carried out; to be looked at again, because somebody was faster or an answer was lost; refused. The outcome of
one object never stops the others: only what makes the whole calendar unusable is raised. What the provider
made of a write is left to ``read_back``.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from bridge.errors import BridgeError, NotPermitted, ObjectGone, ObjectRefused, TagMismatch, UnknownOutcome
from bridge.store import pairings
from bridge.sync.apply.work import Sending, Work
from bridge.sync.plan import PutRemote
from bridge.sync.survey import Sight


@dataclass(slots=True)
class There:
    """Their side of a pass."""

    work: Work
    _refused_once: set[int] = field(default_factory=set)

    def send(self, sent: Sending) -> bool:
        """Send one write; True if it was carried out. The outcomes of one object never raise."""
        calendar, action = self.work.context.link.remote_id, sent.action
        try:
            if isinstance(action, PutRemote):
                sent.answer = self.work.provider.put(calendar, sent.href, action.text, action.expect)
            else:
                self.work.provider.delete(calendar, sent.href, action.expect)
        except ObjectGone:
            if action.expect is None:
                self._name_taken(sent)
            else:
                self.work.again.append(Sight(sent.pairing_id, sent.href, fresh=True, deleted=True))
        except (TagMismatch, UnknownOutcome):
            self.work.again.append(Sight(sent.pairing_id, sent.href, fresh=True))
        except NotPermitted as error:
            # one refusal is no proof: it is confirmed by a second try
            if sent.pairing_id in self._refused_once:
                self.work.not_permitted = str(error)
                self._refused_there(sent, error, "ask")
            else:
                self._refused_once.add(sent.pairing_id)
                self._nothing_sent(sent)
                self.work.again.append(Sight(sent.pairing_id, sent.href, fresh=True))
        except ObjectRefused as error:
            self._refused_there(sent, error, "give up")
        else:
            return True
        return False

    def _name_taken(self, sent: Sending) -> None:
        """A create was answered: what had this name is deleted. If it was sent before, and its answer lost,
        that was ours: it had arrived, and somebody deleted it. Else it is of an earlier life of the object,
        which gets another name."""
        before, uid = sent.looked.pairing, sent.looked.item.uid
        with self.work.writing() as tx:
            if before is not None and before.flight_text is not None and before.href == sent.href:
                assert before.flight_hub is not None and before.flight_etag is not None
                pairings.settle(
                    tx,
                    sent.pairing_id,
                    hub=before.flight_hub,
                    etag=before.flight_etag,
                    remote=before.flight_text,
                    tag="",
                )
            else:
                link_id, calendar_id = self.work.context.link.id, sent.looked.calendar_id
                known = pairings.by_uid(tx, link_id, calendar_id, uid)
                pairings.to_look_again(tx, sent.pairing_id)
                taken = known.generation if known is not None else 1
                pairings.upsert(tx, link_id, calendar_id, uid, sent.href, generation=taken + 1)
        self.work.again.append(Sight(sent.pairing_id, sent.href, fresh=True, deleted=True))

    def _nothing_sent(self, sent: Sending) -> None:
        """The far side said no, so nothing is on its way there. This pass tries again; if it does not come to
        that, the next one: a booking that was to be put back has its new name already, and nobody over there
        will speak of the old one any more."""
        with self.work.writing() as tx:
            pairings.to_look_again(tx, sent.pairing_id)

    def _refused_there(self, sent: Sending, error: BridgeError, kind: str) -> None:
        item = sent.looked.item
        with self.work.writing() as tx:
            pairings.clear_flight(tx, sent.pairing_id)
            pairings.set_problem(
                tx,
                sent.pairing_id,
                str(error),
                kind,
                tag=item.remote.tag if item.remote else None,
                etag=sent.hub.etag if sent.hub else None,
            )
        self.work.report.errors.append(self.work.memory.about(sent.looked, error))
