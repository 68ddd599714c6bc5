# SPDX-License-Identifier: MIT
"""region on the real kernel: a small client in the place of linux (tests/system/region/linux.c) runs a program that touches
all kinds of private memory, forks, and checks every page; every frame comes back."""
import os
import re
import subprocess
import tempfile

import standin
from lib import BUILD, FREE, TOP, check, launch, quire

REAL = ["root", "frame", "slab", "region"]


def compile_part(directory, *sources):
    made = []
    for source in sources:
        made.append(os.path.join(directory, os.path.basename(source) + ".o"))
        subprocess.run(["gcc", *standin.FLAGS, f"-I{TOP}/include", f"-I{TOP}/libipc", "-c",
                        f"{TOP}/tests/system/{source}", "-o", made[-1]], check=True)
    return made


def build(directory):
    os.mkdir(os.path.join(directory, "servers"))
    os.symlink(os.path.join(BUILD, "quire.elf"), os.path.join(directory, "quire.elf"))
    for name in REAL:
        os.symlink(os.path.join(BUILD, "servers", name + ".elf"), os.path.join(directory, "servers", name + ".elf"))
    for name in ("cache", "ata", "linux", "console"):
        parts = ["region/program.c", "region/linux.c"] if name == "linux" else ["alloc/idle.c"]
        subprocess.run(["ld", "-static", "-z", "max-page-size=4096", "-z", "noexecstack", "--build-id=none", "--gc-sections",
                        "-u", "_start", f"--defsym=IMAGE_BASE={standin.BASES[name]}", "-T", f"{TOP}/servers/server.ld",
                        "-o", os.path.join(directory, "servers", name + ".elf"), *compile_part(directory, *parts),
                        os.path.join(BUILD, "libipc.a"), "/usr/lib/x86_64-linux-musl/libc.a"], check=True)


def run(memory, *options):
    with tempfile.TemporaryDirectory(prefix="quire-region-") as directory:
        build(directory)
        result = launch("--build", directory, "--disk", "none", "--mem", memory, "--timeout", "100", *options, "region")
    check(result.status == 0, "the run failed", result)
    check("region-test: all rounds done" in result.log, "the client did not come to its end", result)
    check("quire: audit: ok" in result.log or "release" in BUILD, "no audit in the log", result)
    return result


def test_private_memory_and_fork():
    run("64M")


def test_under_icount():
    result = run("512M", "--icount")
    check(re.search(r"ticks: anonymous \d+", result.log), "no figures", result)


def test_out_of_memory():
    with tempfile.TemporaryDirectory(prefix="quire-eat-") as directory:
        program = os.path.join(directory, "eat")
        subprocess.run(["musl-gcc", "-static", "-O1", "-o", program, f"{TOP}/tests/system/region/eat.c"], check=True)
        result = quire(f"for i in 1 2; do /eat; echo $?; {FREE}; done; (/eat & /eat; wait); {FREE}; /test/forktree 2 2 32",
                       "--mem", "48M", "--add", program)
    lines = result.out.decode().split("\n")
    check(lines[0] == lines[2] == "137", "not killed", result)
    check(lines[1] == lines[3] == lines[4], "frames are lost", result)
    check("forktree: ok" in lines, "no fork after it", result)


def faults_go_on(*calls):
    for call in calls:
        result = quire(f"/test/delay {call} 15000", "--icount")
        worst, faults = (int(result.out.split()[i]) for i in (1, 3))
        # traps on undefined behaviour are instructions too
        check(worst <= (100000 if "ubsan" in BUILD else 50000), f"{call}: a fault took {worst} instructions", result)
        check(faults > 100, f"{call}: {faults} faults only: the program did not get on", result)


def test_faults_go_on_while_much_is_unmapped():
    faults_go_on("all")


def test_faults_go_on_while_many_regions_change():
    faults_go_on("munmap", "mmap", "mprotect", "madvise", "munlock", "munlockall")


def test_faults_go_on_while_many_regions_are_copied_or_counted():
    faults_go_on("fork", "stat", "exit")


def test_major_faults_are_those_that_wait_for_the_disk():
    count = "grep pgmajfault /proc/vmstat | cut -d' ' -f2"
    touch = "/test/mapbyte /data/random.bin 3000000 >/dev/null"
    again = f"for i in 1 2; do /test/mapbyte /data/random.bin 9000000 >/dev/null; {count}; done"
    result = quire(f"{count} >/dev/null; {touch}; {count}; {again}")
    begin, cold, warm = (int(word) for word in result.out.split())
    check(begin > 0 and cold == begin + 1, "one page that is not in the cache: one major fault", result)
    check(warm == cold, "a major fault on a page that is in the cache", result)
