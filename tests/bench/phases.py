# SPDX-License-Identifier: MIT
"""Where the instructions of the kernel's short paths go: counted one by one while tests/system/ring3/measure.c runs, from
QEMU's execution log. Phases begin at labels of ukernel/arch/entry.asm, and the C functions called from there have theirs."""
import bisect
import collections
import os
import re
import subprocess
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
PHASES = ["entry", "check", "transfer", "switch", "exit"]
# A path begins at one of these symbols, and has the name of the last other one that it comes to. It is a long one, and not
# counted, if it comes to one of LONG.
BEGINNINGS = ("syscall_entry", "page_fault")
PATHS = {"short_call": "call", "short_reply_wait": "reply", "short_alien_call": "a program's call",
         "short_reply_wait.alien": "its answer", "page_fault": "fault", "short_fault_reply_wait": "its answer of one page"}
LONG = ("syscall_long", "syscall_saved", "interrupt_saved", "interrupt_common", "short_fault_reply_wait.collected",
        "short_wait_only", "short_answer", "short_forward_wait")
FUNCTIONS = {"fault_begin": "check", "fault_happened": "check", "fault_answer_quickly": "transfer",
             "fault_answer_any": "transfer", "arch_switch_fpu": "switch"}
PHASE_OF = {"syscall_entry": "entry", "page_fault": "entry", "page_fault.check": "check",
            "short_call": "check", "short_reply_wait": "check", "short_alien_call": "check",
            "short_fault_reply_wait": "check", "short_reply_wait.alien": "transfer",
            "resume_iret": "exit", "resume_thread": "exit", **FUNCTIONS}
MARK = re.compile(r"\.\.@\d+\.(transfer|switch|exit)$")


def symbols(kernel):
    text = subprocess.run(["nm", "-n", kernel], stdout=subprocess.PIPE, check=True, text=True).stdout
    return [(int(address, 16), name) for address, kind, name in map(str.split, text.splitlines()) if kind in "tT"]


def followed(table):
    """The address ranges to log, as -dfilter has them: entry.asm and the functions that it calls."""
    names = [name for _, name in table]
    first, last = names.index("syscall_entry"), max(i for i, name in enumerate(names) if name.startswith("vector_"))
    ranges = [(table[first][0], table[last][0] + 15)]
    ranges += [(table[i][0], table[i + 1][0] - 1) for i, name in enumerate(names) if name in FUNCTIONS]
    return ",".join(f"{low:#x}..{high:#x}" for low, high in ranges)


def executed(build, table):
    """Every instruction that was followed: its symbol's name, and whether it is the first one there."""
    addresses = [address for address, _ in table]
    with tempfile.TemporaryDirectory() as folder:
        fifo = os.path.join(folder, "log")
        os.mkfifo(fifo)
        run = subprocess.Popen([os.path.join(TOP, "tests/system/ring3/run.sh"), os.path.join(build, "quire.elf"),
                                "-accel", "tcg", "-icount", "shift=0,sleep=off", "-append", "measure", "-singlestep",
                                "-d", "exec,nochain", "-D", fifo, "-dfilter", followed(table)],
                               stdout=subprocess.DEVNULL)
        with open(fifo, encoding="ascii", errors="replace") as log:
            for line in log:
                if line.startswith("Trace"):
                    pc = int(line[line.index("[") + 1:].split("/")[1], 16)
                    address, name = table[bisect.bisect(addresses, pc) - 1]
                    yield name, address == pc
        run.wait()


def count(build):
    """{path: {phase: instructions}}, each as most of its runs were."""
    runs, path, phase, counts = {}, None, "exit", dict.fromkeys(PHASES, 0)
    for name, first in executed(build, symbols(os.path.join(build, "quire.elf"))):
        if first and name in BEGINNINGS:
            if path:
                runs.setdefault(path, collections.Counter())[tuple(counts.values())] += 1
            path, counts = None, dict.fromkeys(PHASES, 0)
        if first:
            path = None if name in LONG else PATHS.get(name, path)
            mark = MARK.match(name)
            phase = mark.group(1) if mark else PHASE_OF.get(name, phase)
        counts[phase] += 1
    return {path: counter.most_common(1)[0][0] for path, counter in runs.items()}


def show(build):
    print(f"{'where the instructions go':44}" + "".join(f"{phase:>10}" for phase in PHASES) + f"{'all':>10}")
    paths = count(build)
    for name in PATHS.values():
        print(f"{name:44}" + "".join(f"{n:10}" for n in paths[name]) + f"{sum(paths[name]):10}", flush=True)
