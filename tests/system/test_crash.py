# SPDX-License-Identifier: MIT
"""A server's crash is reported with its registers and ends the run with a failure."""
import os
import shutil
import subprocess

from lib import BUILD, TOP, check, temporary_folder

LOADER_FLAGS = ("-std=c17 -O2 -ffreestanding -nostdlib -mgeneral-regs-only -mno-red-zone -fno-stack-protector "
                "-fcf-protection=none -fno-pic -fno-pie -fno-asynchronous-unwind-tables -fno-strict-aliasing").split()
LINUX_BASE = "0x7000000"
CRASHES = {"write": "*(volatile int *)0x123000 = 1;", "undefined": "__builtin_trap();"}
SOURCE = """
#include <ipc/server.h>
int main(void) { __asm__ volatile("movabs $0x1122334455667788, %%%%r12" ::: "r12"); %s for (;;) { } }
"""


def crash(folder, statement):
    """The launcher's run of the system with a linux server that does nothing but crash."""
    build = os.path.join(folder, "build")
    os.makedirs(os.path.join(build, "servers"))
    shutil.copy(os.path.join(BUILD, "quire.elf"), build)
    for name in os.listdir(os.path.join(BUILD, "servers")):
        if name.endswith(".elf"):
            shutil.copy(os.path.join(BUILD, "servers", name), os.path.join(build, "servers"))
    source = os.path.join(folder, "crash.c")
    with open(source, "w", encoding="ascii") as file:
        file.write(SOURCE % statement)
    subprocess.run(["gcc", *LOADER_FLAGS, f"-I{TOP}/include", f"-I{TOP}/libipc", "-c", source, "-o", source + ".o"], check=True)
    subprocess.run(["ld", "-static", "-z", "max-page-size=4096", "-z", "noexecstack", "--gc-sections", "-u", "_start",
                    f"--defsym=IMAGE_BASE={LINUX_BASE}", "-T", f"{TOP}/servers/server.ld", "-o",
                    os.path.join(build, "servers", "linux.elf"), source + ".o", os.path.join(BUILD, "libipc.a"),
                    "/usr/lib/x86_64-linux-musl/libc.a"], check=True)
    log = os.path.join(folder, "log")
    run = subprocess.run([os.path.join(TOP, "images", "run"), "--build", build, "--log", log, "true"],
                         stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    with open(log, encoding="utf-8", errors="replace") as file:
        return run, file.read()


def reported(kind, words):
    with temporary_folder() as folder:
        run, log = crash(folder, CRASHES[kind])
    check(run.returncode == 125, f"status {run.returncode}")
    check("images/run: crash: linux" in run.stderr, run.stderr)
    check(words in log, log)
    check("r12 1122334455667788" in log, "the registers are those of the crash:\n" + log)


def test_wild_write():
    reported("write", "write to 0x123000")


def test_undefined_instruction():
    reported("undefined", "exception 6")
