"""The API under Schemathesis, an independent reader of its description: whatever it sends, described or not,
is answered as the description says, and never by an error of ours."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.cli.conftest import Call
from tests.cli.test_serve import started
from tests.servers.venvs import program

#: Cases it makes up for each call, besides those it derives from the description.
EXAMPLES = 8
#: It takes every text for a time where a schema says text; a day that does not exist is refused by us.
LEFT_OUT = "positive_data_acceptance"


def test_whatever_is_sent_is_answered_as_described(data: Path, anna: str, call: Call, tmp_path: Path) -> None:
    scopes = [word for scope in ("availability", "read", "write") for word in ("--scope", scope)]
    token = call("token", "add", anna, "Schemathesis", *scopes).out.strip()
    call("booking", "add", anna, "--title", "Shoot", "--start", "2027-05-01T10:00", "--duration", "60")
    tool = program("schemathesis", "schemathesis>=4,<5") / "schemathesis"
    with started(data, "serve", "--port", "0", announces=2) as served:
        url = f"http://{served.netloc}"
        command = [
            *(str(tool), "run", f"{url}/api/v1/openapi.json", "--url", url),
            *("--header", f"Authorization: Bearer {token}", "--exclude-checks", LEFT_OUT),
            *("--max-examples", str(EXAMPLES), "--phases", "coverage,fuzzing", "--generation-deterministic"),
            *("--workers", "1", "--warnings", "off", "--no-color"),
        ]
        done = subprocess.run(
            command,
            cwd=tmp_path,
            env={**os.environ, "NO_PROXY": "127.0.0.1"},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert "Tested: 13" in done.stdout, done.stdout[-2000:]
