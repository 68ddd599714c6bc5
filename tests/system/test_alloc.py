# SPDX-License-Identifier: MIT
"""frame and slab on the real kernel, with a client of theirs (tests/system/alloc/linux.c) in the place of linux, and idle
servers in the place of the others."""
import os
import re
import subprocess
import tempfile

from lib import BUILD, TOP, check, launch

REAL = ["root", "frame", "slab"]
BASES = {"region": "0x4000000", "cache": "0x5000000", "ata": "0x6000000", "linux": "0x7000000", "console": "0x8000000"}
FLAGS = """-std=c17 -O2 -Wall -Wextra -Werror -ffreestanding -nostdlib -mgeneral-regs-only -mno-red-zone -fno-stack-protector
    -fcf-protection=none -fno-pic -fno-pie -fno-asynchronous-unwind-tables -fno-strict-aliasing""".split()


def build(directory):
    os.mkdir(os.path.join(directory, "servers"))
    os.symlink(os.path.join(BUILD, "quire.elf"), os.path.join(directory, "quire.elf"))
    for name in REAL:
        os.symlink(os.path.join(BUILD, "servers", name + ".elf"), os.path.join(directory, "servers", name + ".elf"))
    for name, base in BASES.items():
        source = "linux" if name == "linux" else "idle"
        made = os.path.join(directory, name + ".o")
        subprocess.run(["gcc", *FLAGS, f"-I{TOP}/include", f"-I{TOP}/libipc", "-c",
                        f"{TOP}/tests/system/alloc/{source}.c", "-o", made], check=True)
        subprocess.run(["ld", "-static", "-z", "max-page-size=4096", "-z", "noexecstack", "--build-id=none", "--gc-sections",
                        "-u", "_start", f"--defsym=IMAGE_BASE={base}", "-T", f"{TOP}/servers/server.ld",
                        "-o", os.path.join(directory, "servers", name + ".elf"), made,
                        os.path.join(BUILD, "libipc.a"), "/usr/lib/x86_64-linux-musl/libc.a"], check=True)


def run(memory, *options):
    with tempfile.TemporaryDirectory(prefix="quire-alloc-") as directory:
        build(directory)
        result = launch("--build", directory, "--disk", "none", "--mem", memory, "--timeout", "100", *options, "alloc")
    check(result.status == 0, "the run failed", result)
    check("alloc: all rounds done" in result.log, "the client did not come to its end", result)
    check("quire: audit: ok" in result.log or "release" in BUILD, "no audit in the log", result)
    return result


def free_by_zone(result):
    found = re.search(r"frame: \d+ frames free: DMA (\d+), Normal (\d+), High (\d+)", result.log)
    check(found, "frame did not tell its zones", result)
    return [int(n) for n in found.groups()]


def test_small_machine():
    dma, normal, high = free_by_zone(run("32M"))
    check(dma > 3000 and normal > 2000 and high == 0, f"zones of 32 MiB: {dma}, {normal}, {high}")


def test_three_zones_by_default():
    dma, normal, high = free_by_zone(run("6G"))
    check(dma > 3000 and normal > 700000 and high > 700000, f"zones of 6 GiB: {dma}, {normal}, {high}")


def test_moved_borders():
    dma, normal, high = free_by_zone(run("128M", "--append", "zones=dma:4M,normal:64M"))
    check(dma <= 1024 and normal <= 15360 and high > 14000, f"zones of 128 MiB: {dma}, {normal}, {high}")
