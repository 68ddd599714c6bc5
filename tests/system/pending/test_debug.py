# SPDX-License-Identifier: MIT
"""make debug: gdb stops in the kernel and in servers by the names of their symbols."""
import os
import subprocess

from lib import BUILD, TOP, check


def test_breakpoints_in_kernel_and_servers():
    words = [os.path.join(TOP, "images", "debug"), "--build", BUILD, "--ex", "hbreak kmain", "--ex", "continue",
             "--ex", "hbreak find_vma", "--ex", "continue", "--ex", "backtrace 2", "--ex", "kill", "--ex", "quit", "true"]
    run = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    check("Breakpoint 1, kmain" in run.stdout and "Breakpoint 2, find_vma" in run.stdout, run.stdout + run.stderr)
