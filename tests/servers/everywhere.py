"""The whole suite on PostgreSQL: every data folder of a test keeps its rows in a database of its own there.

Asked for by PICSELLO_BRIDGE_TEST_DATABASE=postgresql. What tests write stays as it is: where an
installation would make an SQLite file, in this process or in one that a test starts, it gets a database of
the tests' server instead. Tests that are about that file say so by the marker ``embedded`` and are left
out.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bridge.config import Settings
from bridge.store.db import Database
from tests.servers.postgres import Cluster

ASKED = os.environ.get("PICSELLO_BRIDGE_TEST_DATABASE") == "postgresql"


@dataclass
class Everywhere:
    """Which folder has which database."""

    cluster: Cluster
    template: str
    names: dict[Path, str] = field(default_factory=dict)

    def url(self, data: Path) -> str:
        """The folder's database, made if there is none."""
        data = Path(os.path.abspath(data))
        if data not in self.names:
            self.names[data] = self.cluster.create(self.template)
        return self.cluster.url(self.names[data])

    def copied(self, source: Path, target: Path) -> None:
        """A copied folder has a copy of the database."""
        name = self.names.get(Path(os.path.abspath(source)))
        if name is not None:
            Database(self.cluster.url(name)).close()
            self.names[Path(os.path.abspath(target))] = self.cluster.create(name)

    def environment(self, command: Sequence[Any], given: Mapping[str, str] | None) -> dict[str, str] | None:
        """What a program that a test starts must be told besides, if it is one of ours."""
        words = [os.fspath(word) for word in command] if not isinstance(command, str) else []
        environ = dict(os.environ if given is None else given)
        folder = (
            words[words.index("--data") + 1] if "--data" in words else environ.get("PICSELLO_BRIDGE_DATA")
        )
        if not folder or environ.get("PICSELLO_BRIDGE_DATABASE_URL"):
            return None
        return {**environ, "PICSELLO_BRIDGE_DATABASE_URL": self.url(Path(folder))}

    def forget(self, below: Path) -> None:
        """A test is over: drop the databases of its folders."""
        for data in [known for known in self.names if known.is_relative_to(below)]:
            name = self.names.pop(data)
            Database(self.cluster.url(name)).close()
            self.cluster.drop(name)


@contextlib.contextmanager
def everywhere(cluster: Cluster) -> Iterator[Everywhere]:
    """Until the block ends, there is no SQLite but where a test names it."""
    template = cluster.create()
    database = Database(cluster.url(template))
    database.migrate()
    database.close()
    made = Everywhere(cluster, template)
    settled, popen, copytree = Settings.__post_init__, subprocess.Popen.__init__, shutil.copytree

    def post_init(self: Settings) -> None:
        if not self.database_url:
            object.__setattr__(self, "database_url", made.url(self.data))
        settled(self)

    def start(self: Any, args: Any, *more: Any, **how: Any) -> None:
        if (env := made.environment(args, how.get("env"))) is not None:
            how["env"] = env
        popen(self, args, *more, **how)

    def copy(source: Any, target: Any, *more: Any, **how: Any) -> Any:
        result = copytree(source, target, *more, **how)
        made.copied(Path(source), Path(target))
        return result

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Settings, "__post_init__", post_init)
        patch.setattr(subprocess.Popen, "__init__", start)
        patch.setattr(shutil, "copytree", copy)
        yield made
