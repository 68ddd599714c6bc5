# SPDX-License-Identifier: MIT
"""The kernel alone, from ring 3: tests/system/ring3 in the place of root."""
import os
import subprocess

from lib import BUILD, TOP, check

EXPECTED = 176  # tests at least; fewer means that some were not run
KERNEL = os.path.join(BUILD, "quire.elf")


def ring3(*options, kernel=KERNEL):
    run = subprocess.run([os.path.join(TOP, "tests/system/ring3/run.sh"), kernel, *options],
                         capture_output=True, text=True, timeout=450)
    failed = [line for line in run.stdout.splitlines() if line.startswith("FAIL")]
    passed = [line for line in run.stdout.splitlines() if line.startswith("ok ")]
    check(run.returncode == 0 and not failed, f"ring 3: {failed}\n{run.stdout[-3000:]}\n{run.stderr[-1000:]}")
    check(len(passed) >= EXPECTED, f"only {len(passed)} tests were run")
    return run.stdout


def test_largest_cpu():
    ring3()


def test_smallest_cpu():
    ring3("-cpu", "qemu64")


def test_undefined_behaviour_traps():
    if "slow" not in BUILD and "ubsan" not in BUILD:
        ring3(kernel=os.path.join(BUILD, "ubsan", "quire.elf"))


def test_everything_traced():
    ring3("-append", "trace=all")


def test_random_calls():
    """200,000; what each call returned is in the table that tests/fuzz/kernel/run prints."""
    run = subprocess.run([os.path.join(TOP, "tests/fuzz/kernel/run"), "--kernel", KERNEL],
                         capture_output=True, text=True, timeout=900)
    check(run.returncode == 0, f"{run.stdout[-6000:]}\n{run.stderr[-1000:]}")


def test_short_paths_change_nothing():
    """The kernel without them passes the same tests, and random conversations go the same way: every register that a call
    brings, every word of a message page, and the order of it all."""
    if "slow" in BUILD:
        return  # it is that kernel
    talks = [[line for line in ring3(kernel=kernel).splitlines() if line.startswith("talk ")]
             for kernel in (KERNEL, os.path.join(BUILD, "slow", "quire.elf"))]
    check(len(talks[0]) > 100, "no conversations")
    different = [pair for pair in zip(*talks) if pair[0] != pair[1]]
    check(talks[0] == talks[1], f"from here on the two kernels differ: {different[:1]}")
