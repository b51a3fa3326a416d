"""An installation whose user signs in on a provider's own page, as they would in a browser."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from bridge.config import Settings
from bridge.store import accounts
from bridge.wiring import Bridge
from tests.journeys.installation import EMAIL, ZONE, Installation
from tests.servers.emulate import Emulate, ask
from tests.servers.process import free_port


@dataclass
class Consenting(Installation):
    """``settings`` are further settings, by their names in the environment."""

    settings: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of_anna_with(cls, data: Path, settings: Mapping[str, str]) -> Consenting:
        made = cls(data, settings=dict(settings))
        made.port = free_port()
        made.run("user", "add", EMAIL, "--time-zone", ZONE)
        return made

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        return {**super().environment, **self.settings, "PICSELLO_BRIDGE_PUBLIC_URL": self.origin}

    def consent(self, house: Emulate, *words: str, as_: str) -> tuple[Any, str]:
        """A call that waits for a sign-in, the sign-in, and what came of it: the call's JSON (nothing if it
        failed), and the page that the browser ended at."""
        out, _, page = self._answered(words, lambda address: house.consent(address, as_))
        return (json.loads(out) if out.strip() else None), page

    def consent_refused(self, *words: str) -> tuple[str, str]:
        """The same with a no on the provider's page; what the call said to people, and the page."""

        def no(address: str) -> str:
            asked = dict(parse_qsl(urlsplit(address).query))
            return f"{asked['redirect_uri']}?error=access_denied&state={asked['state']}"

        _, said, page = self._answered(words, no)
        return said, page

    def _answered(self, words: Sequence[str], browser: Callable[[str], str]) -> tuple[str, str, str]:
        """Standard output and error, and the page at the address that the browser is sent back to."""
        call = subprocess.Popen(
            self.command(*words, "--json"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment,
        )
        try:
            assert call.stderr is not None
            address = next(
                found[0] for line in call.stderr if (found := re.search(r"https?://\S+\?\S+", line))
            )
            _, _, page = ask("GET", browser(address))
            out, said = call.communicate(timeout=30)
        finally:
            call.kill()
            call.wait()
        return out, said, page

    def secret(self, account: int) -> dict[str, Any]:
        """What is kept for an account, opened."""
        bridge = Bridge.open(Settings(data=self.data))
        try:
            with bridge.db.reading() as tx:
                row = accounts.get(tx, account)
            assert row.secret is not None
            kept: dict[str, Any] = json.loads(bridge.vault.unseal(row.secret, accounts.bind(account)))
        finally:
            bridge.db.close()
        return kept
