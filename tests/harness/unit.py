# SPDX-License-Identifier: MIT
"""Unit suites: Criterion programs, counted by their TAP report."""
import os
import re
import subprocess
import tempfile
import time

from . import Outcome

TIMEOUT_SECONDS = 240
TAP_LINE = re.compile(r"^(ok|not ok) - (\S+)(.*)$", re.M)


def unit_tests(suite, jobs):
    """Run one suite. One that ran no test, or ended badly with all tests passed (a sanitizer), is one failure."""
    name = "unit/" + os.path.basename(os.path.dirname(suite))
    start = time.monotonic()
    with tempfile.NamedTemporaryFile("r", prefix="quire-tap-") as report:
        try:
            run = subprocess.run([suite, f"--tap={report.name}", "--jobs", str(jobs)], stdin=subprocess.DEVNULL,
                                 capture_output=True, text=True, errors="replace", timeout=TIMEOUT_SECONDS)
            status, said = run.returncode, run.stdout + run.stderr
        except subprocess.TimeoutExpired as late:
            status, said = -1, f"no end after {TIMEOUT_SECONDS} seconds\n" + (late.stderr or b"").decode()
        lines = [line for line in TAP_LINE.findall(report.read()) if "# SKIP" not in line[2]]
    passed = sum(verdict == "ok" for verdict, _, _ in lines)
    failed = len(lines) - passed
    if not lines:
        said = "ran no test\n" + said
    if (status or not lines) and not failed:
        failed = 1
    return Outcome(name, passed, failed, time.monotonic() - start, said[-6000:])
