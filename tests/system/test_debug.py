# SPDX-License-Identifier: MIT
"""make debug: gdb stops in the kernel and in servers by the names of their symbols."""
import os
import subprocess

from lib import BUILD, TOP, check, temporary_folder


def debug(expected, commands, *options):
    """Run gdb's commands from the machine's first instruction on; all that is expected must be printed."""
    words = [os.path.join(TOP, "images", "debug"), "--build", BUILD, *options]
    words += [word for command in [*commands, "kill", "quit"] for word in ("--ex", command)]
    run = subprocess.run([*words, "true"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    for text in expected:
        check(text in run.stdout, f"no {text!r} in\n{run.stdout}\n{run.stderr}")


def test_breakpoints_in_kernel_and_servers():
    debug(["Breakpoint 2, kmain", "Breakpoint 3, do_mmap", "THREAD_READY", "there was no panic"],
          ["hbreak kmain", "continue", "hbreak do_mmap", "continue", "quire-threads", "quire-epitaph"])


def test_kernel_stack_overflow():
    """The page below the kernel's stack is absent, and the double fault has a stack of its own."""
    debug(["Breakpoint 1, switch_off", "panic: exception 8 in ring 0", " kernel_syscall"],
          ["hbreak kernel_syscall", "continue", "delete 2", "set $rsp = (unsigned long)kernel_stack_guard + 4096", "continue",
           "quire-epitaph"])


def test_kernel_panic_is_told():
    """The launcher names the functions of the call trace."""
    with temporary_folder() as folder:
        root = os.path.join(folder, "servers")
        os.makedirs(root)
        for name in ("quire.elf", "quire.sym"):
            os.link(os.path.join(BUILD, name), os.path.join(folder, name))
        run = subprocess.run([os.path.join(TOP, "images", "run"), "--build", folder, "--timeout", "30", "true"],
                             stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    check(run.returncode == 125 and "there is no boot module named root" in run.stderr, run.stderr)
    check("\n  kmain" in run.stderr, run.stderr)
