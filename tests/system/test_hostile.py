# SPDX-License-Identifier: MIT
"""What a broken part can do (docs/security.md): a hostile server in the place of each, with its real capabilities;
and a hostile program."""
import glob
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
OWN = {1: "table", 2: "space", 3: "thread", 4: "account", 5: "endpoint", 6: "account"}


def build(folder, name, seed, source="server.c", more=()):
    """In `folder` a system whose server `name` is of tests/system/hostile/`source` and the objects and flags `more`."""
    os.makedirs(os.path.join(folder, "servers"))
    os.symlink(os.path.join(BUILD, "quire.elf"), os.path.join(folder, "quire.elf"))
    for other in ["root", *BASES]:
        if other != name:
            os.symlink(os.path.join(BUILD, "servers", other + ".elf"), os.path.join(folder, "servers", other + ".elf"))
    made = os.path.join(folder, "hostile.o")
    flags = [word for word in more if not word.endswith(".o") and not word.startswith("--")]
    subprocess.run(["gcc", *FLAGS, *flags, f"-DHOSTILE_SEED={seed}", f"-I{TOP}/include", f"-I{TOP}/libipc", "-c",
                    f"{TOP}/tests/system/hostile/{source}", "-o", made], check=True)
    subprocess.run(["ld", "-static", "-z", "max-page-size=4096", "-z", "noexecstack", "--build-id=none", "--gc-sections", "-u",
                    "_start", f"--defsym=IMAGE_BASE={BASES[name]:#x}", "-T", f"{TOP}/servers/server.ld", "-o",
                    os.path.join(folder, "servers", name + ".elf"), made, *[word for word in more if word not in flags],
                    os.path.join(BUILD, "libipc.a"),
                    "/usr/lib/x86_64-linux-musl/libc.a"], check=True)


def hostile(name, more, seed=int(os.environ.get("QUIRE_SEED", "1"))):
    """In the place of `name`. It holds nothing of others but `more` (kinds, beside endpoints), whatever it calls nobody else
    crashes, the kernel's tables stay sound, and its own end is seen by root."""
    with temporary_folder() as folder:
        build(folder, name, seed)
        result = launch("--build", folder, "--timeout", "150", "true")
    held = {int(slot): kind for kind, slot in re.findall(r"hostile: holds (\w+) at (\d+)", result.log)}
    foreign = [kind for slot, kind in held.items() if OWN.get(slot) != kind and kind != "endpoint"]
    check({OWN[s] == held.get(s) for s in (1, 2, 3, 4, 5)} == {True}, f"{name} lacks what is its own: {held}", result)
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


WORK = """cd /data; while :; do cat many/000? | md5sum; sh -c 'exit 3' | tr a b; done >/dev/null 2>&1 &
    while :; do /test/forktree; done >/dev/null &
    while :; do head -c 300000 random.bin | tail -c 90000 | od -x | tail -n 2
    echo 3 >/proc/sys/vm/drop_caches; done"""
# After how many messages each turns, and who calls it, and so may end with it.
TURNS = {"frame": (150, {"slab", "region", "cache", "ata", "linux", "console"}),
         "slab": (25, {"region", "cache", "ata", "linux", "console"}),
         "region": (600, {"linux"}),
         "cache": (300, {"linux"}),
         "ata": (40, {"cache"}),
         "linux": (2500, set()),
         "console": (12, {"linux"})}


def turn(name, seed=int(os.environ.get("QUIRE_SEED", "1"))):
    """`name` turns hostile amid its work. It and those that call it may come to their end; nobody else does, and the kernel is
    sound."""
    after, dependent = TURNS[name]
    objects = glob.glob(os.path.join(BUILD, "obj", "servers", name, "*.o"))
    more = ["--wrap=server_run"]
    if name == "region":  # its loop is its own
        more = ["-DREGION", f"-I{TOP}/servers/region", "--wrap=call_dispatch", "--wrap=fault_handle"]
    with temporary_folder() as folder:
        build(folder, name, seed, "turncoat.c", [*objects, *more, f"-DTURN_AFTER={after}"])
        result = launch("--build", folder, "--timeout", "60", WORK)
    check("hostile: after" in result.log, "it did not turn", result)
    crashes = re.findall(r"quire: crash: (\w+) thread", result.log)
    check(crashes or name == "linux", "nobody came to an end", result)  # linux may end the run
    check(set(crashes) <= {name} | dependent, f"crashes: {crashes}", result)
    check("quire: audit: ok" in result.log and "panic" not in result.log, "the kernel", result)


def test_turning_frame():
    turn("frame")


def test_turning_slab():
    turn("slab")


def test_turning_region():
    turn("region")


def test_turning_cache():
    turn("cache")


def test_turning_ata():
    turn("ata")


def test_turning_linux():
    turn("linux")


def test_turning_console():
    turn("console")


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
