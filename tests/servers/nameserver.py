"""A name server on loopback that answers from a small table, or misbehaves on request."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

Records = Mapping[tuple[str, str], Sequence[str]]  # (name, type) to the records as zone files spell them


class NameServer:
    """``with NameServer({("example.com", "MX"): ["10 mx.example.com."]}) as server: server.place``.

    ``mood``: ``answers``, ``silent`` (says nothing) or ``broken`` (SERVFAIL). A record list of lists is
    given out one list a question, the last one for ever: how names rebind."""

    def __init__(self, records: Mapping[tuple[str, str], Any]):
        self.records = dict(records)
        self.mood = "answers"
        self.asked: list[tuple[str, str]] = []
        server = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                wire, socket = self.request
                reply = server.answer(dns.message.from_wire(wire))
                if reply is not None:
                    socket.sendto(reply.to_wire(), self.client_address)

        self._server = socketserver.ThreadingUDPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.place = f"127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> NameServer:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, query: dns.message.Message) -> dns.message.Message | None:
        (question,) = query.question
        name = question.name.to_text(omit_final_dot=True).lower()
        kind = dns.rdatatype.to_text(question.rdtype)
        self.asked.append((name, kind))
        if self.mood == "silent":
            return None
        reply = dns.message.make_response(query)
        reply.flags |= dns.flags.RA
        if self.mood == "broken":
            reply.set_rcode(dns.rcode.SERVFAIL)
            return reply
        found = self._found(name, kind)
        if found:
            reply.answer.append(dns.rrset.from_text_list(question.name, 60, "IN", kind, found))
        elif not any(known == name for known, _ in self.records):
            reply.set_rcode(dns.rcode.NXDOMAIN)
        return reply

    def _found(self, name: str, kind: str) -> list[str]:
        found = self.records.get((name, kind), [])
        if found and not isinstance(found[0], str):
            return list(found.pop(0) if len(found) > 1 else found[0])
        return list(found)
