# SPDX-License-Identifier: MIT
"""A system of root, frame and slab with a program of ours in the place of linux, and idle servers in the place of the others."""
import os
import subprocess
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
REAL = ["root", "frame", "slab"]
BASES = {"region": "0x4000000", "cache": "0x5000000", "ata": "0x6000000", "linux": "0x7000000", "console": "0x8000000"}
FLAGS = """-std=c17 -O2 -Wall -Wextra -Werror -ffreestanding -nostdlib -mgeneral-regs-only -mno-red-zone -fno-stack-protector
    -fcf-protection=none -fno-pic -fno-pie -fno-asynchronous-unwind-tables -fno-strict-aliasing""".split()
IDLE = os.path.join(TOP, "tests", "system", "alloc", "idle.c")


def build_with(directory, build, linux):
    """Fills `directory` for images/run --build: what `build` has of the kernel and the real servers, and the C file `linux`."""
    os.mkdir(os.path.join(directory, "servers"))
    os.symlink(os.path.join(build, "quire.elf"), os.path.join(directory, "quire.elf"))
    for name in REAL:
        os.symlink(os.path.join(build, "servers", name + ".elf"), os.path.join(directory, "servers", name + ".elf"))
    for name, base in BASES.items():
        made = os.path.join(directory, name + ".o")
        subprocess.run(["gcc", *FLAGS, f"-I{TOP}/include", f"-I{TOP}/libipc", "-c", linux if name == "linux" else IDLE,
                        "-o", made], check=True)
        subprocess.run(["ld", "-static", "-z", "max-page-size=4096", "-z", "noexecstack", "--build-id=none", "--gc-sections",
                        "-u", "_start", f"--defsym=IMAGE_BASE={base}", "-T", f"{TOP}/servers/server.ld",
                        "-o", os.path.join(directory, "servers", name + ".elf"), made,
                        os.path.join(build, "libipc.a"), "/usr/lib/x86_64-linux-musl/libc.a"], check=True)


def allocator_figures(build, memory, program="linux.c"):
    """{name: guest instructions} of what a program of tests/bench/alloc measures, on a machine with that much memory."""
    with tempfile.TemporaryDirectory(prefix="quire-bench-") as directory:
        build_with(directory, build, os.path.join(TOP, "tests", "bench", "alloc", program))
        log = os.path.join(directory, "log")
        subprocess.run([os.path.join(TOP, "images", "run"), "--build", directory, "--disk", "none", "--mem", memory, "--icount",
                        "--log", log, "bench"], stdin=subprocess.DEVNULL, check=True)
        with open(log, encoding="utf-8", errors="replace") as file:
            lines = [line.split("bench: bench ")[1].split() for line in file if "bench: bench " in line]
    return {words[0]: int(words[1]) for words in lines if len(words) == 3}
