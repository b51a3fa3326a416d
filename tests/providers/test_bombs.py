"""What would fill the memory or the time of a worker: ten gigabytes in ten megabytes, a byte a second."""

from __future__ import annotations

import socket
import threading
import time
import tracemalloc
import zlib
from collections.abc import Iterator

import pytest

from bridge.errors import Blocked, ProviderError, Unreachable
from bridge.providers import sign_in
from bridge.providers.guard import Guard
from bridge.providers.http import Http, Limits
from tests.servers import fault
from tests.servers.fault import FaultProxy

MEGABYTE = 1024 * 1024


def ten_gigabytes() -> bytes:
    """A gzip file of zeros: one compressed block of 64 MB, which stands for itself, 160 times."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(bytes(64 * MEGABYTE)) + packer.flush(zlib.Z_FULL_FLUSH)
    return b"\x1f\x8b\x08" + bytes(6) + b"\xff" + block * 160 + b"\x03\x00" + bytes(8)


@pytest.fixture
def bomber() -> Iterator[FaultProxy]:
    """Answers whatever is asked with the bomb."""
    with FaultProxy("http://127.0.0.1:1/") as proxy:
        body = ten_gigabytes()
        assert len(body) < 12 * MEGABYTE
        for method in ("GET", "PROPFIND", "OPTIONS", "REPORT"):
            proxy.fault(method, fault.answer(207, body, {"Content-Encoding": "gzip"}), times=9)
        yield proxy


def test_ten_gigabytes_in_ten_megabytes_take_little_memory_and_time(bomber: FaultProxy):
    http = Http(Guard({bomber.host_and_port}))
    start = time.monotonic()
    tracemalloc.start()
    try:
        with pytest.raises(Blocked, match="more than 64 MB"):
            http.request("GET", bomber.url)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        http.close()
    assert peak < 180 * MEGABYTE
    assert time.monotonic() - start < Limits().seconds


@pytest.mark.parametrize("kind", ["caldav", "ics"])
def test_a_sign_in_at_a_bomb_is_refused_in_words(bomber: FaultProxy, kind: str):
    with pytest.raises(ProviderError, match="We stopped reading"):
        sign_in(kind, bomber.url, "anna", "geheim", {bomber.host_and_port})


def test_a_byte_a_second_holds_a_worker_no_longer_than_the_bound():
    listener = socket.create_server(("127.0.0.1", 0))
    ended = threading.Event()

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 86400\r\n\r\n")
            while not ended.wait(1):
                try:
                    connection.send(b"B")
                except OSError:
                    return

    threading.Thread(target=serve, daemon=True).start()
    place = f"127.0.0.1:{listener.getsockname()[1]}"
    http = Http(Guard({place}), limits=Limits(seconds=3))
    start = time.monotonic()
    try:
        with pytest.raises(Unreachable, match="too long"):
            http.request("GET", f"http://{place}/")
        assert 2 < time.monotonic() - start < 6
    finally:
        ended.set()
        listener.close()
        http.close()
