"""Several processes behind one port: a parent that does nothing but keep them alive.

Python runs one thread at a time in a process, so one that serves uses one core. Everything is loaded, and the
port opened, before the parts fork off: they share that memory and that port. The parent answers no request
and opens no database. It starts anew what ended by itself, hands SIGTERM on, and waits for an orderly end;
should it be killed, its parts end at once, and the port is free for the next. What a part does is its own.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import select
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import NoReturn

log = logging.getLogger("picsello_bridge")

#: What ended sooner than so many seconds after its start is started again only after so many more.
REST_SECONDS = 1.0
#: How long a part may take to end after it was asked to, before it is killed.
GRACE_SECONDS = 20.0

_STOPS = (signal.SIGTERM, signal.SIGINT)


@dataclass(frozen=True, slots=True)
class Part:
    """What one process does: ``run`` returns some time after the event it is given was set."""

    name: str
    run: Callable[[threading.Event], None]


class Bell(threading.Event):
    """An event set in one process and waited for in another; make it before they fork."""

    def __init__(self) -> None:
        super().__init__()
        self._heard, self._rung = os.pipe()
        os.set_blocking(self._rung, False)

    def set(self) -> None:
        """Wake whoever listens; never waits."""
        with contextlib.suppress(BlockingIOError):  # full: there is enough to hear already
            os.write(self._rung, b".")

    def pass_on(self, event: threading.Event) -> None:
        """From now on, set ``event`` whenever the bell is rung."""

        def listen() -> None:
            while os.read(self._heard, 4096):
                event.set()

        threading.Thread(target=listen, name="bell", daemon=True).start()


def keep(parts: Sequence[Part], begin: Callable[[], None], end: Callable[[], None]) -> None:
    """Run each part in a process of its own until SIGTERM or SIGINT. ``begin`` is called as soon as these are
    heard, before the first fork, and must leave no connection to a database open; ``end`` before the parts
    are told to end. Call from the main thread."""
    with _signals() as wait:
        begin()
        for thread in threading.enumerate():
            if thread is not threading.current_thread():
                thread.join(REST_SECONDS)  # a fork copies none but its own: nothing may be left half done
        gc.collect()
        gc.freeze()  # what is shared stays so: the collector would write into all of it
        parent = _Parent(parts)
        parent.run(wait)
        end()
        parent.stop(wait)


class _Parent:
    def __init__(self, parts: Sequence[Part]):
        self._waiting: dict[Part, float] = dict.fromkeys(parts, 0.0)  # not running, and when to start it
        self._running: dict[int, tuple[Part, float]] = {}  # by process: since when
        self._alive, self._life = os.pipe()  # a part that reads its end knows that the parent is gone

    def run(self, wait: Callable[[float | None], bool]) -> None:
        """Until ``wait`` says that we are to stop."""
        while True:
            now = time.monotonic()
            for part, at in list(self._waiting.items()):
                if at <= now:
                    self._start(part)
            soonest = min(self._waiting.values(), default=None)
            if wait(None if soonest is None else max(0.0, soonest - now)):
                return
            for part, since, status in self._ended():
                log.error("%s ended by itself (%s); it is started again", part.name, _how(status))
                now = time.monotonic()
                self._waiting[part] = now + (REST_SECONDS if now - since < REST_SECONDS else 0.0)

    def stop(self, wait: Callable[[float | None], bool]) -> None:
        """Returns when all have ended."""
        deadline = time.monotonic() + GRACE_SECONDS
        self._tell(signal.SIGTERM)
        while self._running:
            if time.monotonic() > deadline:
                self._tell(signal.SIGKILL)
            wait(0.2)
            for _ in self._ended():
                pass

    def _tell(self, signum: int) -> None:
        for process in self._running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signum)

    def _ended(self) -> Iterator[tuple[Part, float, int]]:
        for process in list(self._running):
            ended, status = os.waitpid(process, os.WNOHANG)
            if ended:
                part, since = self._running.pop(process)
                yield part, since, status

    def _start(self, part: Part) -> None:
        # what is signalled while it is born is heard when it can hear
        signal.pthread_sigmask(signal.SIG_BLOCK, _STOPS)
        try:
            process = os.fork()
            if process == 0:
                self._become(part)
        except OSError as error:
            log.error("%s could not be started (%s); it is tried again", part.name, error.strerror)
            self._waiting[part] = time.monotonic() + REST_SECONDS
            return
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)
        del self._waiting[part]
        self._running[process] = (part, time.monotonic())

    def _become(self, part: Part) -> NoReturn:
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.close(self._life)
            threading.Thread(target=self._outlive, name="parent", daemon=True).start()
            stop = stop_on_signals()
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)
            part.run(stop)
            code = 0
        except BaseException:
            log.exception("%s broke off", part.name)
        finally:
            logging.shutdown()
            os._exit(code)  # what the parent would do at its end is the parent's

    def _outlive(self) -> None:
        os.read(self._alive, 1)
        os._exit(1)


def stop_on_signals() -> threading.Event:
    """An event that SIGTERM and SIGINT set. Call from the main thread."""
    stop = threading.Event()

    def stopping(_signum: int, _frame: FrameType | None) -> None:
        stop.set()

    for signum in _STOPS:
        signal.signal(signum, stopping)
    return stop


@contextlib.contextmanager
def _signals() -> Iterator[Callable[[float | None], bool]]:
    """Gives what waits so many seconds for a signal (None: for ever), and says whether we are to stop."""
    heard, told = os.pipe()
    os.set_blocking(heard, False)
    os.set_blocking(told, False)
    before: Mapping[int, object] = {
        signum: signal.signal(signum, lambda *_: None) for signum in (*_STOPS, signal.SIGCHLD)
    }
    woken = signal.set_wakeup_fd(told)

    def wait(seconds: float | None) -> bool:
        ready, _, _ = select.select([heard], [], [], seconds)
        return bool(ready) and any(signum in _STOPS for signum in os.read(heard, 4096))

    try:
        yield wait
    finally:
        signal.set_wakeup_fd(woken)
        for signum, handler in before.items():
            signal.signal(signum, handler)  # type: ignore[arg-type]
        os.close(heard)
        os.close(told)


def _how(status: int) -> str:
    if os.WIFSIGNALED(status):
        return f"signal {os.WTERMSIG(status)}"
    return f"exit {os.WEXITSTATUS(status)}"
