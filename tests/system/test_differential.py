# SPDX-License-Identifier: MIT
"""The same commands in the guest and, with the same busybox and the same files, on the host: standard output and exit
status must be equal, byte for byte."""
import os
import re
import shlex
import subprocess

from lib import TREE, check, equal, mount_namespace, quire, seeded, shown, succeeds
from scripts import script

SCRIPTS = 30  # of one guest
ENVIRONMENT = {"PATH": "/bin:/sbin:/usr/bin:/usr/sbin", "HOME": "/root", "LC_ALL": "C"}


def together(scripts):
    """One command that runs them all, each in a shell of its own, and tells them apart."""
    words = " ".join(f"{name}={value}" for name, value in ENVIRONMENT.items())
    lines = [f"env -i {words} sh -c {shlex.quote(s)} </dev/null\nprintf '\\n<<status %d>>\\n' $?" for s in scripts]
    return "\n".join(["umask 022; ulimit -n 1024", *lines])


def results(output):
    """[output and status] of each script."""
    return re.findall(rb"(.*?<<status \d+>>)\n", output, re.DOTALL)


def reference(command):
    """What the same busybox prints in a chroot of the disk's tree, read-only, with the host's /dev."""
    prefix = ["env", "--default-signal", *mount_namespace()]
    inside = ("mount --bind $0 $0 && mount --rbind /dev $0/dev && mount -o remount,ro,bind $0 && "
              "exec chroot $0 /bin/busybox sh -c \"$1\"")
    run = subprocess.run([*prefix, "sh", "-c", inside, TREE, command], stdin=subprocess.DEVNULL, capture_output=True,
                         timeout=300, env={**os.environ, **ENVIRONMENT})
    return run.stdout


def compare(scripts, name):
    command = together(scripts)
    wanted = results(reference(command))
    check(len(wanted) == len(scripts), f"{name}: the host's shell did not come to its end")
    guest = quire(command, timeout=200)
    got = results(guest.out)
    for text, a, b in zip(scripts, got + [b"(missing)"] * len(scripts), wanted):
        check(a == b, f"{name}:\n{text}\ngave\n{shown(a)}\ninstead of\n{shown(b)}", guest)


def random_scripts(name):
    r, seed = seeded(name)
    compare([script(r) for _ in range(SCRIPTS)], f"{name}, seed {seed}")


def test_random_scripts():
    random_scripts("scripts")


def test_more_random_scripts():
    random_scripts("more scripts")


def same_lines(program):
    """A program that prints calls and their results, one a line."""
    equal(succeeds(f"ulimit -n 1024; {program}"), reference(f"ulimit -n 1024; {program}"), program)


def test_calls_on_files():
    same_lines("/test/calls_files")


def test_calls_on_paths():
    same_lines("/test/calls_paths")


def test_calls_on_memory():
    same_lines("/test/calls_memory")


def test_calls_on_time():
    same_lines("/test/calls_time; :")  # not the first program, which would be given others' children


def test_calls_on_processes():
    same_lines("/test/calls_processes")
