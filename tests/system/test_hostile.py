# SPDX-License-Identifier: MIT
"""What a broken part can do (docs/security.md): a hostile server in the place of each, with its real capabilities;
and a hostile program."""
import hashlib
import os
import re
import subprocess

from lib import BUILD, FREE, TOP, TREE, check, launch, quire, temporary_folder

BASES = {"frame": 0x2000000, "slab": 0x3000000, "region": 0x4000000, "cache": 0x5000000, "ata": 0x6000000, "linux": 0x7000000,
         "console": 0x8000000}
FLAGS = """-std=c17 -O2 -Wall -Wextra -Werror -ffreestanding -nostdlib -mgeneral-regs-only -mno-red-zone -fno-stack-protector
    -fcf-protection=none -fno-pic -fno-pie -fno-asynchronous-unwind-tables -fno-strict-aliasing""".split()
# Slots of include/abi/layout.h: its own table, space, thread, account, endpoint, frame's account; then what root has given.
OWN = {1: "table", 2: "space", 4: "account", 5: "endpoint", 6: "account"}


def build(folder, name, seed):
    os.makedirs(os.path.join(folder, "servers"))
    os.symlink(os.path.join(BUILD, "quire.elf"), os.path.join(folder, "quire.elf"))
    for other in ["root", *BASES]:
        if other != name:
            os.symlink(os.path.join(BUILD, "servers", other + ".elf"), os.path.join(folder, "servers", other + ".elf"))
    made = os.path.join(folder, "hostile.o")
    subprocess.run(["gcc", *FLAGS, f"-DHOSTILE_SEED={seed}", f"-I{TOP}/include", f"-I{TOP}/libipc", "-c",
                    f"{TOP}/tests/system/hostile/server.c", "-o", made], check=True)
    subprocess.run(["ld", "-static", "-z", "max-page-size=4096", "-z", "noexecstack", "--build-id=none", "--gc-sections", "-u",
                    "_start", f"--defsym=IMAGE_BASE={BASES[name]:#x}", "-T", f"{TOP}/servers/server.ld", "-o",
                    os.path.join(folder, "servers", name + ".elf"), made, os.path.join(BUILD, "libipc.a"),
                    "/usr/lib/x86_64-linux-musl/libc.a"], check=True)


def hostile(name, more, seed=int(os.environ.get("QUIRE_SEED", "1"))):
    """In the place of `name`. It holds nothing of others but `more` (kinds, beside endpoints), whatever it calls nobody else
    crashes, the kernel's tables stay sound, and its own end is seen by root."""
    with temporary_folder() as folder:
        build(folder, name, seed)
        result = launch("--build", folder, "--timeout", "150", "true")
    held = {int(slot): kind for kind, slot in re.findall(r"hostile: holds (\w+) at (\d+)", result.log)}
    foreign = [kind for slot, kind in held.items() if OWN.get(slot) != kind and kind != "endpoint"]
    check({OWN[s] == held.get(s) for s in (1, 2, 4, 5)} == {True}, f"{name} lacks what is its own: {held}", result)
    check(sorted(set(foreign)) == sorted(more), f"{name} holds of others: {foreign}", result)
    check("hostile: 12000 calls" in result.log, "not all of its calls were made", result)
    check("hostile: audit ok" in result.log and "hostile: done" in result.log, "it did not come to its end", result)
    crashes = re.findall(r"quire: crash: (\w+) thread \d+: (.*?) at ip", result.log)
    check(crashes == [(name, "write to 0x123000")], f"crashes: {crashes}", result)
    check("panic" not in result.log and result.status == 125, "the kernel's end", result)


def test_frame():
    hostile("frame", ["account"])


def test_slab():
    hostile("slab", ["permit"])


def test_region():
    hostile("region", [])


def test_cache():
    hostile("cache", ["permit"])


def test_ata():
    hostile("ata", ["other", "space"])


def test_linux():
    hostile("linux", [])


def test_console():
    hostile("console", ["other"])


def test_program():
    """Random system calls of programs: they end or die, and the system goes on, with all of its memory and its files."""
    seed = int(os.environ.get("QUIRE_SEED", "1"))
    script = f"for run in 1 2 3; do /test/random_calls {seed} 24 || echo failed; {FREE}; done; md5sum /data/random.bin"
    result = quire(f"{script}; /test/forktree >/dev/null; echo $?", timeout=200)
    lines = result.out.decode(errors="replace").splitlines()
    ends, free = lines[0:6:2], lines[1:6:2]
    check(len(lines) == 8 and all("children" in line for line in ends), "its children did not all come to their end", result)
    check(free[1] == free[2], f"free memory after each run: {free}", result)
    with open(os.path.join(TREE, "data", "random.bin"), "rb") as file:
        digest = hashlib.md5(file.read()).hexdigest()
    check(lines[6].startswith(digest) and lines[7] == "0", "files and programs", result)


def test_storm():
    """Processes that make nearly valid calls at once, fork, exec, and signal each other, on little memory; again by
    `images/run --mem 32 '/test/storm SEED 1 5 300'`, for long by more rounds."""
    seed, rounds = int(os.environ.get("QUIRE_SEED", "1")), 12
    result = quire(f"/test/storm {seed} {rounds} 5 300", "--mem", "32", timeout=120)
    lines = result.out.decode(errors="replace").splitlines()
    check(result.status == 0 and sum(line.startswith("round") for line in lines) == rounds, "not all rounds went well", result)


def test_greedy():
    """Calls that take very long let others run, and can be killed."""
    result = quire("/test/greedy")
    check(result.status == 0, "a greedy program", result)
