"""How a stand-in tells somebody that something changed: one thread that posts, in order, and notes the
answers."""

from __future__ import annotations

import http.client
import queue
import threading
from collections.abc import Mapping
from urllib.parse import urlsplit


class Teller:
    """``answers``: the status of each notice so far (0: nobody there)."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self._waiting: queue.SimpleQueue[tuple[str, Mapping[str, str], bytes]] = queue.SimpleQueue()
        threading.Thread(target=self._tell, daemon=True).start()

    def later(self, address: str, headers: Mapping[str, str], body: bytes = b"") -> None:
        """Post soon, after what waits already."""
        self._waiting.put((address, headers, body))

    def _tell(self) -> None:
        while True:
            self.answers.append(post(*self._waiting.get())[0])


def post(address: str, headers: Mapping[str, str], body: bytes = b"") -> tuple[int, str, bytes]:
    """Status, type and body of the answer; status 0 if there is none."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.netloc, timeout=10)
    try:
        connection.request("POST", f"{parts.path}?{parts.query}", body, dict(headers))
        answer = connection.getresponse()
        return answer.status, answer.headers.get("Content-Type", ""), answer.read()
    except OSError:
        return 0, "", b""
    finally:
        connection.close()
