# SPDX-License-Identifier: MIT
"""Fuzzers, each for a short while: enough to see that they still run, and what is found at once."""
import os
import subprocess
import tempfile
import time

from . import Outcome

SECONDS = 5


def fuzz_test(program):
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="quire-fuzz-") as folder:
        run = subprocess.run([os.path.realpath(program), f"-max_total_time={SECONDS}"], cwd=folder, stdin=subprocess.DEVNULL,
                             capture_output=True, text=True, errors="replace")
    failed = run.returncode != 0
    return Outcome("fuzz/" + os.path.basename(program).removeprefix("fuzz_"), not failed, failed, time.monotonic() - start,
                   run.stderr[-6000:])
