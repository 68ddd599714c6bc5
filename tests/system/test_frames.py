# SPDX-License-Identifier: MIT
"""Page frames: the figures of /proc add up, and mem_map agrees with the kernel's frame table, also after work and when memory is
short."""
import re

from lib import check, quire, succeeds

FILES = ["meminfo", "buddyinfo", "zoneinfo", "quire/frames"]
# Twice: the first time reading them may need memory itself.
READ = "cat " + " ".join(f"/proc/{name}" for name in FILES * 2)
AGREE = "tail -n 1 /proc/quire/frames"
NO_CONTRADICTION = b"contradictions with the kernel's frame table: 0\n"


class Figures:
    def __init__(self, text):
        text = text[text.rindex("MemTotal:"):]
        self.mem = {name: int(kib) // 4 for name, kib in re.findall(r"^(\w+): +(\d+) kB$", text, re.M)}
        self.buddy = {zone: [int(n) for n in row.split()]
                      for zone, row in re.findall(r"^Node 0, zone +(\w+) ((?: *\d+){10}) $", text, re.M)}
        self.zones = {zone: dict((name.strip(), int(n)) for name, n in re.findall(r"^ +([a-z_ ]+:?) +(\d+)$", body, re.M))
                      for zone, body in re.findall(r"^Node 0, zone +(\w+)\n((?: .*\n)+)", text, re.M)}
        self.states = {name: int(n) for name, n in re.findall(r"^(\w[\w ,]*?) +(\d+) +\d+$", text, re.M)}
        self.contradictions = int(re.search(r"^contradictions.*: (\d+)$", text, re.M)[1])


def same(what, *figures):
    check(len(set(figures)) == 1, f"{what}: {figures}")


def check_sums(f):
    same("contradictions", f.contradictions, 0)
    for zone, z in f.zones.items():
        in_lists = sum(n << order for order, n in enumerate(f.buddy.get(zone, [])))
        same(f"free frames of zone {zone}", z["pages free"], in_lists + z.get("count:", 0))
        check(z["managed"] <= z["present"] <= z["spanned"], f"zone {zone}: {z}")
        check(z["low"] == 2 * z["min"] and z["high"] == 3 * z["min"], f"watermarks of zone {zone}: {z}")
    same("free frames", f.mem["MemFree"], sum(z["pages free"] for z in f.zones.values()))
    at_most = f.mem["MemFree"] - sum(z["min"] for z in f.zones.values()) + f.mem["Cached"] + f.mem["Buffers"]
    check(f.mem["MemAvailable"] <= at_most, f"available: {f.mem}")
    same("magazines", f.mem["Magazines"], sum(z.get("count:", 0) for z in f.zones.values()), f.states["magazine"])
    same("frames ever free", f.mem["MemTotal"], sum(z["managed"] for z in f.zones.values()))
    for order in range(10):
        same(f"free frames of order {order}", f.states[f"free, order {order}"],
             sum(row[order] << order for row in f.buddy.values()))
    whole = f.states.pop("sum")
    same("all states", whole, sum(f.states.values()), sum(z["spanned"] for z in f.zones.values()))
    same("RAM", whole - f.states["hole"], sum(z["present"] for z in f.zones.values()))
    same("anonymous", f.mem["AnonPages"], f.states["anonymous"])
    same("page cache", f.mem["Cached"], f.states["page cache"])
    same("buffers", f.mem["Buffers"], f.states["buffer"])
    same("unknown", f.states["unknown"], 0)
    check(f.mem["PageTables"] < f.states["page table"], "page tables")
    return whole


def figures(size, *options, work=":"):
    out = succeeds(f"{work}; {READ}", "--mem", size, *options).decode()
    return Figures(out)


def test_figures_add_up_with_three_zones():
    f = figures("128M", "--append", "zones=dma:4M,normal:64M",
                work="/test/forktree 2 2 32 >/dev/null; md5sum /data/double >/dev/null")
    check(set(f.buddy) == {"DMA", "Normal", "HighMem"}, f"zones {set(f.buddy)}")
    same("borders", (f.zones["DMA"]["spanned"], f.zones["Normal"]["spanned"]), (1024, 15360))
    whole = check_sums(f)
    check(32000 < whole <= 32768, f"{whole} frames of 128 MiB")


def test_figures_add_up_on_a_small_and_a_large_machine():
    check(8000 < check_sums(figures("32M")) <= 8192, "frames of 32 MiB")
    check_sums(figures("6G"))


def test_watermarks_of_128_megabytes():
    z = figures("128M").zones
    same("DMA", (z["DMA"]["min"], z["DMA"]["low"], z["DMA"]["high"]), (128, 256, 384))
    same("Normal", z["Normal"]["min"], z["Normal"]["spanned"] // 128)


def test_no_contradiction_under_load_and_when_memory_is_short():
    eater = "/test/malloc >/dev/null & /test/forktree 3 2 32 >/dev/null &"
    out = succeeds(f"{eater} for i in 1 2 3 4 5; do {AGREE}; done; wait; {AGREE}")
    same("under load", out, NO_CONTRADICTION * 6)
    result = quire(f"dd if=/dev/zero bs=40M count=1 2>/dev/null | wc -c; {AGREE}; cat /data/* >/dev/null 2>&1; {AGREE}",
                   "--mem", "32M")
    check(result.out.count(NO_CONTRADICTION) == 2, "contradictions", result)


def test_borders_that_make_no_sense():
    result = quire("cat /proc/zoneinfo", "--mem", "64M", "--append", "zones=dma:3M")
    check("zones= makes no sense: borders as usual" in result.log, "not said", result)
    zones = Figures("MemTotal: 0 kB\n" + result.out.decode() + "\ncontradictions: 0").zones
    check(zones["DMA"]["spanned"] == 4096, "borders", result)
