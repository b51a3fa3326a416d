"""One account's provider for as long as a run lasts, and how many requests it was sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bridge.ports import Provider


@dataclass(slots=True)
class SignIn:
    """One account's provider, signed in when first needed, and again when it is renewed."""

    connect: Callable[[int], Provider]
    _provider: Provider | None = None
    _requests_before: int = 0

    def provider(self, account_id: int) -> Provider:
        if self._provider is None:
            self._provider = self.connect(account_id)
        return self._provider

    def renew(self) -> None:
        if self._provider is not None:
            self._requests_before += self._provider.requests
            self._provider.close()
            self._provider = None

    def requests(self) -> int:
        """All that were made so far, over every sign-in."""
        return self._requests_before + (self._provider.requests if self._provider else 0)
