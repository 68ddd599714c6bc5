# SPDX-License-Identifier: MIT
"""frame and slab on the real kernel, with a client of theirs (tests/system/alloc/linux.c) in the place of linux, and idle
servers in the place of the others."""
import os
import re
import tempfile

from lib import BUILD, TOP, check, launch
from standin import allocator_figures, build_with

CLIENT = os.path.join(TOP, "tests", "system", "alloc", "linux.c")


def run(memory, *options):
    with tempfile.TemporaryDirectory(prefix="quire-alloc-") as directory:
        build_with(directory, BUILD, CLIENT)
        result = launch("--build", directory, "--disk", "none", "--mem", memory, "--timeout", "100", *options, "alloc")
    check(result.status == 0, "the run failed", result)
    check("alloc: all rounds done" in result.log, "the client did not come to its end", result)
    check(result.log.count("client 7: mistake (named once)") == 1, "linux's mistakes are not named just once", result)
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


def test_costs_do_not_grow_with_memory():
    small, large = allocator_figures(BUILD, "64M"), allocator_figures(BUILD, "6G")
    check(small and small.keys() == large.keys(), f"figures: {small}, {large}")
    for name in small:
        if name in ("frame_refill", "frame_relief"):  # of a whole batch, which is larger where there is more memory
            continue
        check(large[name] <= small[name] * 1.05, f"{name}: {small[name]} with 64 MiB, {large[name]} with 6 GiB")
