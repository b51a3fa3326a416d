"""Google's and Microsoft's sign-in as ``emulate`` plays it: consent page, PKCE, refresh, revocation.

0.12.2 is the version that was measured (``latest`` is another program), and it needs Node 22, which the npm
package ``node`` brings. Installed once, beside the environments of ``venvs``.
"""

from __future__ import annotations

import contextlib
import fcntl
import html
import http.client
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode, urljoin, urlsplit

from tests.servers.process import free_port, running
from tests.servers.venvs import FOLDER

PACKAGES = ("emulate@0.12.2", "node@22")


@dataclass(frozen=True)
class Emulate:
    """A running sign-in server for one service; ``issuer`` is its address."""

    issuer: str
    client_id: str = "client"
    client_secret: str = "secret"

    def consent(self, address: str, email: str) -> str:
        """What a browser does with the address of a sign-in: show the page, choose the account. Returns the
        address that it is sent back to."""
        _, _, page = ask("GET", address)
        forms = re.findall(r'<form[^>]*action="([^"]*)"[^>]*>(.*?)</form>', page, re.DOTALL)
        for action, inner in forms:
            fields = {k: html.unescape(v) for k, v in re.findall(r'name="(\w+)" value="([^"]*)"', inner)}
            if fields.get("email") == email:
                _, headers, _ = ask("POST", urljoin(address, html.unescape(action)), urlencode(fields))
                return headers["location"]
        raise AssertionError(f"{email} is not offered: {page[:500]}")

    def revoke(self, token: str) -> None:
        """What the user does in their account's settings there."""
        _, _, said = ask("GET", self.issuer + "/.well-known/openid-configuration")
        form = {"token": token, "client_id": self.client_id, "client_secret": self.client_secret}
        status, _, _ = ask("POST", json.loads(said)["revocation_endpoint"], urlencode(form))
        assert status == 200

    def refreshes(self, token: str) -> bool:
        """Whether a refresh token is still good for a new access token."""
        _, _, said = ask("GET", self.issuer + "/.well-known/openid-configuration")
        form = {"grant_type": "refresh_token", "refresh_token": token, "client_id": self.client_id}
        body = urlencode({**form, "client_secret": self.client_secret})
        return ask("POST", json.loads(said)["token_endpoint"], body)[0] == 200


@contextlib.contextmanager
def emulate(folder: Path, service: str, *, users: tuple[str, ...], redirect_uri: str) -> Iterator[Emulate]:
    """``service``: google or microsoft."""
    place, port = _installed(), free_port()
    client = {
        "client_id": "client",
        "client_secret": "secret",
        "name": "Bridge",
        "redirect_uris": [redirect_uri],
    }
    people = [{"email": email, "name": email.partition("@")[0].title()} for email in users]
    folder.mkdir(parents=True, exist_ok=True)
    seed = folder / "seed.json"
    seed.write_text(json.dumps({service: {"users": people, "oauth_clients": [client]}}))
    command = [place / "node", place / "emulate", "start", "--service", service]
    command += ["--port", str(port), "--seed", str(seed)]
    with running(command, port, folder / "log"):
        yield Emulate(f"http://127.0.0.1:{port}")


def ask(method: str, address: str, form: str = "") -> tuple[int, dict[str, str], str]:
    """One request of a browser that follows nothing by itself: status, headers, page."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.netloc, timeout=30)
    try:
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        kind = {"Content-Type": "application/x-www-form-urlencoded"} if form else {}
        connection.request(method, target, form, kind)
        answer = connection.getresponse()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, headers, answer.read().decode()
    finally:
        connection.close()


def _installed() -> Path:
    """The folder with the programs."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    place = FOLDER / "emulate"
    ready = place / "ready"
    with (FOLDER / "emulate.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.exists():
            place.mkdir(exist_ok=True)
            npm = ["npm", "install", "--prefix", str(place), "--silent", "--no-audit", "--no-fund"]
            done = subprocess.run([*npm, *PACKAGES], stdout=sys.stderr, check=False)
            if done.returncode:
                raise RuntimeError(f"{', '.join(PACKAGES)} could not be installed into {place}.")
            ready.touch()
    return place / "node_modules" / ".bin"
