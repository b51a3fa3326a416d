"""From a call's options to the settings and the opened bridge."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from bridge.config import Settings

if TYPE_CHECKING:
    from bridge.wiring import Bridge


def settings(options: argparse.Namespace) -> Settings:
    """Read and check the settings. Raises Invalid."""
    return Settings.load(getattr(options, "data", None), getattr(options, "config", None), os.environ)


def opened(options: argparse.Namespace) -> Bridge:
    """Everything wired, the database made and brought up to date. Raises BridgeError kinds."""
    from bridge.wiring import Bridge

    return Bridge.open(settings(options))
