"""``serve``, ``web``, ``dav``, ``worker``: the processes.

The only place that puts the pages, the CalDAV front and the worker together. Standard output has the
addresses, standard error the logs.
"""

from __future__ import annotations

import argparse
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import TYPE_CHECKING

from bridge.cli.arguments import Calls, Parser, call
from bridge.cli.opening import opened, settings
from bridge.cli.output import Output

if TYPE_CHECKING:
    import threading
    from wsgiref.types import WSGIApplication

    from bridge.config import Settings
    from bridge.serve import Listener
    from bridge.wiring import Bridge

HOST, PORT = "127.0.0.1", 5232
#: Where prometheus-client looks for the folder through which processes are added up.
_COUNTS = "PROMETHEUS_MULTIPROC_DIR"


def add_to(calls: Calls) -> None:
    """Declare the calls."""
    _address(call(calls, "serve", _serve, "web, CalDAV and worker together", json=False))
    _address(call(calls, "web", _web, "the pages alone, for a fleet", json=False))
    _address(call(calls, "dav", _dav, "CalDAV alone, for a fleet", json=False))
    worker = call(calls, "worker", _worker, "the worker alone, for a fleet", json=False)
    _address(worker, port=None)


def _address(parser: Parser, port: int | None = PORT) -> None:
    parser.add_argument(
        "--host", metavar="H", default=HOST, help="the address to listen on (default: %(default)s)"
    )
    parser.add_argument(
        "--port",
        metavar="P",
        type=int,
        default=port,
        help="the port (default: %(default)s; 0: any free one)"
        if port
        else "answer /healthz, /readyz and /metrics there (default: nowhere; 0: any free one)",
    )


def _serve(options: argparse.Namespace, _out: Output) -> None:
    bridge, listener = _listening(options)
    with _counting(bridge.settings):
        from bridge.web import make_app

        origin = _origin(bridge, make_app(bridge), {"/dav": _dav_app(bridge)})
        _answer(bridge, listener, origin, {"Pages": "/", "CalDAV": "/dav/"}, with_worker=True)


def _web(options: argparse.Namespace, _out: Output) -> None:
    bridge, listener = _listening(options)
    with _counting(bridge.settings):
        from bridge.web import make_app

        origin = _origin(bridge, make_app(bridge))
        _answer(bridge, listener, origin, {"Pages": "/"})


def _dav(options: argparse.Namespace, _out: Output) -> None:
    from bridge import serve

    bridge, listener = _listening(options)
    with _counting(bridge.settings):
        origin = _origin(bridge, serve.not_found, {"/dav": _dav_app(bridge)})
        _answer(bridge, listener, origin, {"CalDAV": "/dav/"})


@contextmanager
def _counting(settings: Settings) -> Iterator[None]:
    """What several processes count is added up, by way of a folder: named before ``bridge.metrics`` is
    loaded, which asks for it then."""
    if settings.processes == 1 or os.environ.get(_COUNTS):
        yield
        return
    with TemporaryDirectory(prefix="picsello-bridge-") as folder:
        os.environ[_COUNTS] = folder
        yield


def _answer(
    bridge: Bridge,
    listener: Listener,
    origin: WSGIApplication,
    paths: dict[str, str],
    *,
    with_worker: bool = False,
) -> None:
    """Announce these paths and serve until we are told to stop, in as many processes as the settings say.
    With several, the worker has one of its own: a pass keeps no request waiting."""
    from bridge import prefork, serve, sharing

    if bridge.settings.processes == 1:
        stop = prefork.stop_on_signals()
        _announce(bridge, listener, paths)
        with _traced(bridge), _passes(bridge) if with_worker else nullcontext():
            serve.run(bridge, origin, listener, stop)
        return
    bell = prefork.Bell()

    def begin() -> None:
        _announce(bridge, listener, paths)
        bridge.db.close()  # each opens its own

    def requests(share: sharing.Share, stop: threading.Event) -> None:
        if with_worker:
            bridge.due = bell
        with _traced(bridge):
            serve.run(bridge, origin, listener, stop, share)

    def passes(stop: threading.Event) -> None:
        listener.socket.close()
        bell.pass_on(bridge.due)
        with _traced(bridge), _passes(bridge):
            stop.wait()

    parts = [
        prefork.Part(f"Process {number}", partial(requests, share))
        for number, share in enumerate(sharing.shares(bridge.settings.processes), start=1)
    ]
    if with_worker:
        parts.append(prefork.Part("The worker", passes))
    prefork.keep(parts, begin, listener.socket.close)


def _traced(bridge: Bridge) -> AbstractContextManager[None]:
    """With what this process does going out as traces, if the settings say so."""
    from bridge import traces

    return traces.sent(bridge.settings.traces == "on")


@contextmanager
def _passes(bridge: Bridge) -> Iterator[None]:
    """With the worker running."""
    from bridge.worker import Worker

    worker = Worker(bridge)
    worker.start()
    try:
        yield
    finally:
        worker.stop()


def _worker(options: argparse.Namespace, out: Output) -> None:
    from bridge import prefork, serve

    _log(settings(options))
    bridge = opened(options)
    bridge.vault  # noqa: B018 - a wrong key file is refused here, not at the first pass
    listener = serve.Listener(options.host, options.port) if options.port is not None else None
    stop = prefork.stop_on_signals()
    with _traced(bridge), _passes(bridge):
        if listener is not None:
            print(f"Health: {listener.url}/healthz", flush=True)
        out.note("The worker runs. Stop it with Ctrl-C.")
        if listener is not None:
            serve.run(bridge, _origin(bridge, serve.not_found), listener, stop)
        stop.wait()


def _listening(options: argparse.Namespace) -> tuple[Bridge, Listener]:
    from bridge.serve import Listener

    _log(settings(options))
    bridge = opened(options)
    bridge.vault  # noqa: B018 - a wrong key file is refused here, not at the first request
    return bridge, Listener(options.host, options.port)


def _announce(bridge: Bridge, listener: Listener, paths: dict[str, str]) -> None:
    """Print where we are, and remember it for links that other processes print."""
    from bridge.store import installation

    if not bridge.settings.public_url:
        with bridge.db.writing() as tx:
            installation.set_public_url(tx, listener.url)
    for name, path in paths.items():
        print(f"{name}: {bridge.public_url}{path}", flush=True)


def _dav_app(bridge: Bridge) -> WSGIApplication:
    from radicale_plugin.front import make_dav_app

    return make_dav_app(bridge, lambda _calendar_id: bridge.due.set())


def _origin(
    bridge: Bridge, pages: WSGIApplication, mounts: Mapping[str, WSGIApplication] = MappingProxyType({})
) -> WSGIApplication:
    """What every process answers, whichever part of the origin is its own."""
    from bridge import operation, serve

    well_known = {"/.well-known/caldav": serve.redirect("/dav/")}
    origin = serve.Origin({**mounts, **well_known}, pages)
    every = bridge.settings.log_requests == "all"
    return operation.observed(operation.health(origin, bridge), every)


def _log(settings: Settings) -> None:
    from bridge import config, logs, traces

    traces.check(settings.traces == "on")
    logs.configure(settings.log_format, settings.log_level)
    for name in config.unknown(os.environ):
        logging.getLogger("picsello_bridge").warning("%s is no setting of ours: is it misspelt?", name)
