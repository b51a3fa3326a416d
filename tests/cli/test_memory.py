"""A worker that has sent a long answer does not keep its memory."""

from __future__ import annotations

import subprocess
import sys

#: Large blocks between small ones that stay, as after a long answer; prints what the process kept, in kB.
_PROGRAM = """
import sys
from pathlib import Path
from bridge import serve

def held():
    return int(Path("/proc/self/status").read_text().split("VmRSS:")[1].split()[0])

if sys.argv[1] == "serve":
    serve.give_memory_back()
for _ in range(3):
    bytearray(20_000_000)
before = held()
blocks, kept = [], []
for _ in range(200):
    blocks.append(bytearray(300_000))
    kept += [bytearray(900) for _ in range(3)]
del blocks
print(held() - before)
"""


def test_the_memory_of_a_long_answer_goes_back() -> None:
    kept = {}
    for how in ("serve", "as it comes"):
        done = subprocess.run(
            [sys.executable, "-c", _PROGRAM, how], capture_output=True, text=True, check=True, timeout=120
        )
        kept[how] = int(done.stdout)
    assert kept["serve"] < 10_000
    assert kept["as it comes"] > 20_000  # the C library's way, which makes the call worth it
