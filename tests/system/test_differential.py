# SPDX-License-Identifier: MIT
"""The same programs in the guest and, with the same files, on the host: what they print must be equal, byte for byte."""
import os
import subprocess

from lib import TREE, equal, succeeds

ENVIRONMENT = {"PATH": "/bin:/sbin:/usr/bin:/usr/sbin", "HOME": "/root", "LC_ALL": "C"}


def reference(command):
    """What the same busybox prints in a chroot of the disk's tree, read-only, with the host's /dev."""
    prefix = ["env", "--default-signal", "unshare", "-m" if os.getuid() == 0 else "-rm"]
    inside = ("mount --bind $0 $0 && mount --rbind /dev $0/dev && mount -o remount,ro,bind $0 && "
              "exec chroot $0 /bin/busybox sh -c \"$1\"")
    run = subprocess.run([*prefix, "sh", "-c", inside, TREE, command], stdin=subprocess.DEVNULL, capture_output=True,
                         timeout=300, env={**os.environ, **ENVIRONMENT})
    return run.stdout


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
