"""A pause that a provider asks for in passing is waited out; a longer one ends the pass, which comes back.

A refusal for too many requests (429, or Google's quota reasons) says that nothing was applied, so that even a
write may be sent again. Keeping to a pace so that it does not come to that is left to ``pace``.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from itertools import count

from bridge.providers.http import Answer, retry_after

#: The longest single pause that is waited out, and all of them on one connection: seconds.
LONGEST = 15.0
ALL_IN_ALL = 120.0

pause = time.sleep


class Patience:
    """What one connection has of it."""

    def __init__(self) -> None:
        self._left = ALL_IN_ALL

    def through(
        self, send: Callable[[], Answer], busy: Callable[[Answer], bool], *, unasked: bool = False
    ) -> Answer:
        """Send until it is not too busy to answer, as long as patience lasts; the last answer. ``unasked``:
        one that does not say how long is given longer and longer pauses (1, 2, 4 ... seconds and a little,
        so that those who were refused together do not all come back together)."""
        for tries in count():
            answer = send()
            if not busy(answer):
                break
            wait = retry_after(answer)
            if wait is None and unasked:
                wait = 2.0**tries * (1 + random.random() / 4)  # noqa: S311 - no secret
            if wait is None or wait > min(LONGEST, self._left):
                break
            self._left -= wait
            pause(wait)
        return answer
