# SPDX-License-Identifier: MIT
"""make debug: gdb stops in the kernel and in servers by the names of their symbols."""
import os
import subprocess

from lib import BUILD, TOP, check


def test_breakpoints_in_kernel_and_servers():
    words = [os.path.join(TOP, "images", "debug"), "--build", BUILD, "--ex", "hbreak kmain", "--ex", "continue",
             "--ex", "hbreak do_mmap", "--ex", "continue", "--ex", "quire-threads", "--ex", "kill", "--ex", "quit",
             "true"]
    run = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    for text in ("Breakpoint 1, kmain", "Breakpoint 2, do_mmap", "THREAD_READY"):
        check(text in run.stdout, f"no {text!r} in\n{run.stdout}\n{run.stderr}")
