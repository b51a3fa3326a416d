"""``serve``, ``web``, ``dav``, ``worker``: the processes.

The only place that puts the pages, the CalDAV front and the worker together. Standard output has the
addresses, standard error the logs.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from bridge.cli.arguments import Calls, Parser, call
from bridge.cli.opening import opened
from bridge.cli.output import Output

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

    from bridge.serve import Listener
    from bridge.wiring import Bridge

HOST, PORT = "127.0.0.1", 5232


def add_to(calls: Calls) -> None:
    """Declare the calls."""
    _address(call(calls, "serve", _serve, "web, CalDAV and worker in one process", json=False))
    _address(call(calls, "web", _web, "the pages alone, for a fleet", json=False))
    _address(call(calls, "dav", _dav, "CalDAV alone, for a fleet", json=False))
    call(calls, "worker", _worker, "the worker alone, for a fleet", json=False)


def _address(parser: Parser) -> None:
    parser.add_argument(
        "--host", metavar="H", default=HOST, help="the address to listen on (default: %(default)s)"
    )
    parser.add_argument(
        "--port", metavar="P", type=int, default=PORT, help="the port (default: %(default)s; 0: any free one)"
    )


def _serve(options: argparse.Namespace, _out: Output) -> None:
    from bridge import serve
    from bridge.web import make_app
    from bridge.worker import Worker

    bridge, listener = _listening(options)
    origin = _origin(bridge, make_app(bridge), {"/dav": _dav_app(bridge)})
    worker = Worker(bridge)
    stop = serve.stop_on_signals()
    worker.start()
    _announce(bridge, listener, {"Pages": "/", "CalDAV": "/dav/"})
    try:
        serve.run(bridge, origin, listener, stop)
    finally:
        worker.stop()


def _web(options: argparse.Namespace, _out: Output) -> None:
    from bridge import serve
    from bridge.web import make_app

    bridge, listener = _listening(options)
    stop = serve.stop_on_signals()
    _announce(bridge, listener, {"Pages": "/"})
    serve.run(bridge, _origin(bridge, make_app(bridge)), listener, stop)


def _dav(options: argparse.Namespace, _out: Output) -> None:
    from bridge import serve

    bridge, listener = _listening(options)
    origin = _origin(bridge, serve.not_found, {"/dav": _dav_app(bridge)})
    stop = serve.stop_on_signals()
    _announce(bridge, listener, {"CalDAV": "/dav/"})
    serve.run(bridge, origin, listener, stop)


def _worker(options: argparse.Namespace, out: Output) -> None:
    from bridge.serve import stop_on_signals
    from bridge.worker import Worker

    _log()
    bridge = opened(options)
    bridge.vault  # noqa: B018 - a wrong key file is refused here, not at the first pass
    worker = Worker(bridge)
    stop = stop_on_signals()
    worker.start()
    out.note("The worker runs. Stop it with Ctrl-C.")
    stop.wait()
    worker.stop()


def _listening(options: argparse.Namespace) -> tuple[Bridge, Listener]:
    from bridge.serve import Listener

    _log()
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
    from bridge import serve

    well_known = {"/.well-known/caldav": serve.redirect("/dav/")}
    return serve.health(serve.Origin({**mounts, **well_known}, pages), bridge)


def _log() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
