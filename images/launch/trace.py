# SPDX-License-Identifier: MIT
"""After a run with --trace: carve the trace ring out of the guest's memory."""
import os
import subprocess


def carve_trace(folder, work, top):
    """Write a CTF trace into `folder` with images/trace-carve, from the memory file of the run. Returns what went
    wrong, or None."""
    tool = os.path.join(top, "images", "trace-carve")
    if not os.path.exists(tool):
        return "--trace: images/trace-carve is missing"
    if not os.path.exists(work.path("ram")):
        return "--trace: QEMU has left no memory file"
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        return f"--trace: {error}"
    result = subprocess.run([tool, work.path("ram"), folder], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    return f"--trace: {result.stderr.strip()}" if result.returncode else None
