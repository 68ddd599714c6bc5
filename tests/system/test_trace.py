# SPDX-License-Identifier: MIT
"""The trace of one cold page fault on a mapped file, read by babeltrace2: all steps, in order, under one id."""
import os
import re
import subprocess

from lib import TREE, check, equal, succeeds, temporary_folder

OFFSET = 20_000_000
ATA_IRQ_LINE = 14
EVENT = re.compile(r"^\[[^]]*\] \([^)]*\) (?:\S+ )?(\w+): (.*)$")
FIELD = re.compile(r'(\w+) = (?:\( "(\w+)"|(0x[0-9A-F]+|-?\d+))')


def events(folder):
    """[(name, {field: number or word})] in order; a server's event goes by its own name."""
    text = subprocess.run(["babeltrace2", folder], check=True, capture_output=True, text=True).stdout
    found = []
    for line in text.splitlines():
        match = EVENT.match(line)
        check(match is not None, f"not an event: {line}")
        fields = {name: word or int(number, 0) for name, word, number in FIELD.findall(match[2])}
        found.append((fields["what"] if match[1] == "user" else match[1], fields))
    return found


def position(trace, start, name, call=None, **wanted):
    """Index of the first event after `start` with this name, id and fields."""
    for at in range(start + 1, len(trace)):
        kind, fields = trace[at]
        if kind == name and (call is None or fields.get("call") == call) \
                and all(fields.get(key) == value for key, value in wanted.items()):
            return at
    steps = [kind for kind, fields in trace[start:] if fields.get("call") == call]
    raise AssertionError(f"no {name} {wanted} after event {start} under id {call}; there are: {steps}")


def test_one_cold_fault():
    with temporary_folder() as folder:
        trace_folder = os.path.join(folder, "trace")
        out = succeeds(f"ls -i /data/random.bin; /test/mapbyte /data/random.bin {OFFSET}", "--trace", trace_folder)
        trace = events(trace_folder)
    inode, byte = int(out.split()[0]), out.split()[-1]
    with open(os.path.join(TREE, "data", "random.bin"), "rb") as file:
        file.seek(OFFSET)
        equal(byte, str(file.read(1)[0]).encode(), "the byte that the program saw")

    misses = [(at, fields["call"]) for at, (name, fields) in enumerate(trace)
              if name == "cache_miss" and fields["inode"] == inode and fields["index"] <= OFFSET // 4096]
    check(len(misses) > 0, "no cache miss for the file")
    missed, call = misses[-1]
    fault = position(trace, -1, "page_fault", call)
    forward = position(trace, fault, "forward", call, label="cache_page_in")
    check(forward < missed, "forwarded to cache before the miss")
    request = position(trace, missed, "disk_request", call)
    irq = position(trace, request, "irq", line=ATA_IRQ_LINE)
    done = position(trace, irq, "disk_done", call, lba=trace[request][1]["lba"], error=0)
    resume = position(trace, done, "resume", call)
    check(trace[resume][1]["entered"] >= 1, "the answer entered mappings")
    check(trace[resume][1]["address"] // 4096 == trace[fault][1]["address"] // 4096, "the thread that had faulted")
