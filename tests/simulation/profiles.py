"""What servers are like, as dials: each real provider of the notes, and plain servers with one oddity each.

A profile says what ``bridge.ports.Provider`` looks like to the engine in front of that server, after what our
own provider class already evens out (see the class, and ``providers.md``, whose sections are cited).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bridge.ports import Capabilities


@dataclass(frozen=True, slots=True)
class Profile:
    """``spelling``: what becomes of a text that is stored; see ``spelled``."""

    name: str = "plain"
    tokens: bool = True
    trusts_token: bool = True
    rewrites: bool = False  # adds a line of its own to whatever it stores
    only_new: bool = False  # only to what is new to it
    tells_tag: bool = True  # a PUT is answered with the new tag
    reads_back: bool = False  # where it is not, the provider's own GET can fail, too
    tells_text: bool = False  # a write is answered with the text as it is stored
    texts_in_listing: bool = False
    spelling: str = "kept"  # kept | respelt | translated
    conditional: bool = True  # conditions of writes are honoured; else the provider looks before it writes
    tells_all: bool = True  # False: some edits are missing in a delta
    nets_out: bool = False  # what came and went since a token is in no delta (Xandikos compares two trees)
    ids_stay_taken: bool = False  # a name once used is never free again
    one_uid: bool = False  # a UID under a second name is refused
    renames: bool = True  # people may move an object to another name
    one_by_one: bool = False  # a missing name spoils a multiget, and all are read singly
    moves: bool = False  # the calendar may seem to be gone
    busy: float = 0.0  # how often it asks for patience, beside all else
    feed: bool = False  # a published calendar: read only, ``far_feed`` stands before it
    new_uids: bool = False  # ... whose UIDs are new at each fetch

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            sync_token=self.tokens,
            trusts_token=self.trusts_token,
            conditional_writes=self.conditional,
            tells_all=self.tells_all,
        )

    @property
    def patient(self) -> bool:
        """Whether only a listing of everything finds all that happened."""
        return not self.trusts_token or not self.tells_all

    def spelled(self, text: str) -> str:
        """The text as this server would keep it; the same again for what it already keeps."""
        if "BEGIN:VEVENT" not in text:
            return text  # no event: nothing it could make something of
        if self.spelling == "respelt":
            return _respelt(text)
        if self.spelling == "translated":
            return _translated(text)
        return with_server_line(text) if self.rewrites else text


def with_server_line(text: str) -> str:
    if "X-SERVER-WAS-HERE" in text:
        return text
    return text.replace("END:VEVENT", "X-SERVER-WAS-HERE:1\r\nEND:VEVENT", 1)


def _respelt(text: str) -> str:
    """Other order, other PRODID, parameters in quotes: the same meaning (section 4)."""
    kept: list[str] = []
    waiting: list[str] | None = None  # the properties of an event, to be put in order
    for line in text.replace("X-P=1", 'X-P="1"').replace("-//somebody//EN", "-//server//EN").split("\r\n"):
        if line.startswith(("BEGIN:", "END:")):
            kept += sorted(waiting or ())
            waiting = [] if line == "BEGIN:VEVENT" else None
            kept.append(line)
        else:
            (kept if waiting is None else waiting).append(line)
    return "\r\n".join(kept)


#: What a provider with fields of its own can hold of an event; the rest of a text is lost on it.
_FIELDS = ("UID", "DTSTAMP", "LAST-MODIFIED", "SEQUENCE", "SUMMARY", "LOCATION", "DESCRIPTION", "DTSTART")
_FIELDS += ("DURATION", "DTEND", "RRULE", "EXDATE", "RECURRENCE-ID", "STATUS", "X-PICSELLO-BRIDGE")


def _translated(text: str) -> str:
    """Into fields and back: unknown properties and the words of reminders are gone (sections 2.2 and 3)."""
    kept = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//translated//EN"]
    inside: list[str] = []
    for line in text.split("\r\n"):
        if line.startswith(("BEGIN:", "END:")):
            name = line.partition(":")[2]
            if name == "VCALENDAR":
                continue
            inside.append(name) if line.startswith("BEGIN:") else inside.pop()
            kept.append(line)
        elif inside[-1:] == ["VEVENT"] and re.split("[:;]", line)[0] in _FIELDS:
            kept.append(line)
        elif inside[-1:] == ["VALARM"]:
            kept.append("DESCRIPTION:Reminder" if line.startswith("DESCRIPTION") else line)
    return "\r\n".join([*kept, "END:VCALENDAR", ""])


#: Plain servers with one oddity each.
PLAIN = (
    Profile(),
    Profile("no token", tokens=False),
    Profile("rewriting", rewrites=True),
    Profile("rewriting what is new", rewrites=True, only_new=True),
    Profile("no tag on put", tells_tag=False),
    Profile("rewriting, no tag", rewrites=True, tells_tag=False),
    Profile("lying token", trusts_token=False),
    Profile("texts in listing", texts_in_listing=True),
)

#: The providers of the notes; the number is the section of ``providers.md``.
PROVIDERS = (
    # 2.2: ids are chosen by us and never free again; fields; tombstones; 410 for a lost token
    Profile(
        "google",
        spelling="translated",
        texts_in_listing=True,
        tells_text=True,
        ids_stay_taken=True,
        renames=False,
    ),
    # 3: delta as a signal that leaves things out, no condition on writes, ids that never change; what Graph
    # has no word for is kept beside the event
    Profile(
        "microsoft",
        spelling="respelt",
        texts_in_listing=True,
        tells_text=True,
        conditional=False,
        tells_all=False,
        renames=False,
    ),
    # 4: the measured table
    Profile("radicale", spelling="respelt", one_uid=True),
    Profile("xandikos", spelling="respelt", tells_tag=False, reads_back=True, nets_out=True),
    Profile("sabre", tokens=False, one_by_one=True),
    Profile("davical", trusts_token=False),
    Profile("sogo", rewrites=True, trusts_token=False, conditional=False, one_uid=True),
    Profile("cyrus", one_uid=True),
    # 4, other servers: no token, a weak tag on PUT (so it is read back), one request per two seconds
    Profile("gmx", tokens=False, tells_tag=False, reads_back=True, busy=0.05),
    # 4: sign-in refused now and then without saying how, odd names
    Profile("yahoo", tokens=False, tells_tag=False, reads_back=True, one_by_one=True),
    # 5: own lines, no tag on PUT, one UID an account, partitions that move
    Profile("icloud", rewrites=True, tells_tag=False, reads_back=True, one_uid=True, moves=True),
    # 8: a published calendar; one whose UIDs do not last
    Profile("ics", feed=True),
    Profile("ics, new uids", feed=True, new_uids=True),
)

PROFILES = (*PLAIN, *PROVIDERS)
