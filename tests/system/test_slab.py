# SPDX-License-Identifier: MIT
"""slab and vmalloc on the real kernel: tests/system/alloc/slab.c in the place of linux. And with the whole system: debugging of
all caches, and /proc/slabinfo as procps reads it."""
import os
import re
import subprocess
import tempfile

from lib import BUILD, TOP, check, launch, mount_namespace, succeeds
from standin import build_with

CLIENT = os.path.join(TOP, "tests", "system", "alloc", "slab.c")


def run(word, *options):
    with tempfile.TemporaryDirectory(prefix="quire-slab-") as directory:
        build_with(directory, BUILD, CLIENT)
        result = launch("--build", directory, "--disk", "none", "--timeout", "100", "--append", f"slab-test={word}",
                        *options, "slab")
        symbols = subprocess.check_output(["nm", os.path.join(directory, "servers", "linux.elf")], text=True)
    return result, symbols


def ends_well(word, *options):
    result, _ = run(word, *options)
    check(result.status == 0 and "slab-test: done" in result.log, "the client did not come to its end", result)
    check("quire: audit: ok" in result.log or "release" in BUILD, "no audit in the log", result)
    return result


def test_vmalloc_in_fragmented_memory():
    ends_well("v", "--mem", "64M")


def test_a_client_that_ruins_its_slabs_and_starts_anew():
    ends_well("a")


def test_a_client_that_dies():
    """root has slab bury it: all of its slabs go back, without its doing."""
    result, _ = run("d")
    check(result.status == 125 and "slab-test: dies now" in result.log, "the client did not die", result)
    found = re.search(r"root: (\d+) pages of slabs of linux are back", result.log)
    check(found and int(found[1]) > 200, "its slabs did not come back", result)


def function_at(symbols, address):
    found = ""
    for line in sorted(symbols.splitlines()):
        start, _, name = line.rsplit(" ", 2)
        if start.strip() and int(start, 16) <= address:
            found = name
    return found


def told(how, what, owner, caller, taken, given_back):
    """The client's misuse ends the run, and says what was wrong, and by whom."""
    result, symbols = run("m" + how)
    check(result.status == 125, "a misuse passed", result)
    first = re.search(r"kmem: cache (\S+): object 0x80\w+ \(of watched\) (.*)", result.log)
    check(first and first.groups() == (owner, what), "the misuse was not told of", result)
    second = re.search(r"kmem: by (\w+); last taken by (\w+), last given back by (\w+)", result.log)
    check(second, "the callers were not told", result)
    names = [function_at(symbols, int(word, 16)) if int(word, 16) else "" for word in second.groups()]
    check(names == [caller, taken, given_back], f"callers {names}", result)


def test_a_write_past_the_end():
    told("p", "was written past its end", "watched", "giver", "taker", "")


def test_a_write_after_the_free():
    told("a", "was written while it was free", "watched", "taker", "taker", "giver")


def test_a_second_free():
    told("t", "is free already", "watched", "giver", "taker", "giver")


def test_a_free_into_the_wrong_cache():
    told("w", "is of another cache", "other", "giver", "taker", "")


def test_the_system_with_all_caches_debugged():
    """As slab=debug asks for; and all objects that programs cost come back."""
    work = "i=0; while [ $i -lt 5 ]; do ls -lR /data/many /bin | md5sum >/dev/null & i=$((i+1)); done; wait; find / | wc -l"
    drop = "echo 3 >/proc/sys/vm/drop_caches"
    out = succeeds(f"{work}; {drop}; cat /proc/slabinfo; sh -c '{work}' >/dev/null; {drop}; echo; cat /proc/slabinfo; true",
                   "--append", "slab=debug", timeout=240).decode()
    before, after = (dict(re.findall(r"^(\S+) +(\d+) ", text, re.M)) for text in out.split("\n\n"))
    for name in ("task_struct", "mm_struct", "vm_area_struct", "files_cache", "sigqueue", "filp"):
        check(before[name] == after[name], f"{name}: {before[name]} objects before, {after[name]} after")


SLAB_LINE = re.compile(r"^(\S+) +(\d+) +(\d+) +(\d+) +(\d+) +(\d+) : tunables 0 0 0 : slabdata +(\d+) +(\d+) 0$")


def procps(text, command):
    """What a program of the host's procps makes of it, in the place of /proc/slabinfo (in a mount namespace of its own)."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(text)
        file.flush()
        script = f"mount --bind {file.name} /proc/slabinfo && {command}"
        return subprocess.check_output([*mount_namespace(), "sh", "-c", script], text=True, env=os.environ | {"LC_ALL": "C"})


def test_slabinfo():
    """A line for each cache, with totals over servers; procps reads it; and its pages are those of /proc/meminfo."""
    text = succeeds("cat /proc/slabinfo; grep ^Slab: /proc/meminfo")
    *lines, slab = text.decode().splitlines()
    check(lines[0] == "slabinfo - version: 2.1" and lines[1].startswith("# name "), lines[0])
    matches = [SLAB_LINE.match(line) for line in lines[2:]]
    check(all(matches), "a line is not as Linux has it:\n" + "\n".join(lines))
    rows = {match[1]: [int(word) for word in match.groups()[1:]] for match in matches}
    check(len(rows) == len(lines) - 2, "a name is there twice:\n" + "\n".join(lines))
    for name in ("kmem_cache", "slab_cache", "mm_struct", "vm_area_struct", "buffer_head", "inode_cache", "dentry_cache", "filp",
                 "task_struct", "sigqueue", "files_cache", "size-32"):
        check(name in rows, f"no cache {name}")
    for name, (active, objects, _, per_slab, _, active_slabs, slabs) in rows.items():
        check(active <= objects == slabs * per_slab and active_slabs <= slabs and active <= active_slabs * per_slab, name)
    check(rows["kmem_cache"][0] > 20 and rows["vm_area_struct"][0] > 5, "what is in use is counted")
    pages = sum(row[4] * row[6] for row in rows.values())
    told_kib = int(slab.split()[1])
    check(abs(told_kib - 4 * pages) <= 32, f"{pages} pages, but {told_kib} KiB in /proc/meminfo")
    captured = "\n".join(lines).encode() + b"\n"
    told = [line.split() for line in procps(captured, "vmstat -m").splitlines() if not line.startswith("Cache ")]
    seen = {words[0]: [int(word) for word in words[1:]] for words in told}
    check(seen == {name: [row[0], row[1], row[2], row[3]] for name, row in rows.items()}, f"vmstat -m: {seen}")
    top = procps(captured, "slabtop -o -s a")
    objects = re.search(r"Active / Total Objects.*: (\d+) / (\d+) ", top)
    check(objects and [int(word) for word in objects.groups()] == [sum(row[0] for row in rows.values()),
                                                                sum(row[1] for row in rows.values())], top)
    shown = {words[7]: [int(words[0]), int(words[1]), int(words[4]), int(words[5])]
             for words in map(str.split, top.splitlines()[7:]) if len(words) == 8}
    check(shown and all(rows[name][1] == row[0] and rows[name][0] == row[1] and rows[name][6] == row[2] for name, row in
                        shown.items()), top)
