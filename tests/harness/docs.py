# SPDX-License-Identifier: MIT
"""The documents: what they point at is there, and what is generated is up to date."""
import os
import subprocess
import time

from . import Outcome

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))


def document_tests(capabilities):
    """Yield three outcomes. `capabilities` prints what docs/capabilities.md must be."""
    for what in "references", "errors":
        start = time.monotonic()
        run = subprocess.run([os.path.join(TOP, "tests", "docs", f"check-{what}")], capture_output=True, text=True)
        failed = run.returncode != 0
        yield Outcome(f"docs/{what}", not failed, failed, time.monotonic() - start, run.stdout + run.stderr)
    with open(os.path.join(TOP, "docs", "capabilities.md"), encoding="utf-8") as file:
        stale = file.read() != subprocess.check_output([capabilities], text=True)
    yield Outcome("docs/capabilities", not stale, stale, 0, "docs/capabilities.md is not what `make docs` makes")
