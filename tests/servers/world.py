"""Names of the world, served from this machine: a house's real host names with certificates for them, so that
what looks at names, at addresses and at certificates is tested as it is. Nothing else can be reached.
"""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpcore2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bridge.providers.guard import Guard
from bridge.providers.http import Http


class Certificates:
    """One for all ``names``, and who trusts it."""

    def __init__(self, folder: Path, *names: str):
        key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
        whose = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "tests")])
        certificate = (
            x509.CertificateBuilder(whose, whose, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([*map(x509.DNSName, names)]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(key, SHA256())
        )
        shown = certificate.public_bytes(Encoding.PEM)
        file = folder / "names.pem"
        file.write_bytes(shown + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        self.server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.server.load_cert_chain(file)
        self.client = ssl.create_default_context(cadata=shown.decode())


@contextlib.contextmanager
def world(ports: Mapping[str, int], trust: ssl.SSLContext) -> Iterator[None]:
    """Each name has a public address of its own, whose port 443 is that port of ours."""
    places = {f"17.0.0.{number}": name for number, name in enumerate(ports, 1)}
    addresses = {name: address for address, name in places.items()}
    connect = httpcore2.SyncBackend.connect_tcp

    def resolve(host: str, _port: int) -> list[str]:
        if host not in addresses:
            raise OSError(f"{host} is not of this world")
        return [addresses[host]]

    def connected(self: Any, host: str, port: int, *more: Any, **how: Any) -> Any:
        if host in places:
            if port != 443:
                raise httpcore2.ConnectError(f"nobody listens at port {port}")
            host, port = "127.0.0.1", ports[places[host]]
        return connect(self, host, port, *more, **how)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Guard.__init__, "__defaults__", ((), resolve))
        patch.setattr(httpcore2.SyncBackend, "connect_tcp", connected)
        patch.setattr(Http.__init__, "__kwdefaults__", {**Http.__init__.__kwdefaults__, "verify": trust})
        yield
