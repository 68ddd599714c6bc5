# SPDX-License-Identifier: MIT
"""After a run with --trace: carve the trace ring out of the guest's memory."""
import os
import subprocess

from . import LaunchError


def carve_trace(folder, work, top):
    """Write a CTF trace into `folder` with images/trace-carve, from the memory file of the run."""
    tool = os.path.join(top, "images", "trace-carve")
    if not os.path.exists(tool):
        raise LaunchError("--trace: images/trace-carve is missing")
    os.makedirs(folder, exist_ok=True)
    if subprocess.run([tool, work.path("ram"), folder]).returncode:
        raise LaunchError("--trace: images/trace-carve failed")
