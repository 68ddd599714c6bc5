# SPDX-License-Identifier: MIT
"""Addresses of the kernel as functions, by the list of symbols that lies beside its image."""
import bisect
import re


def kernel_symbols(path):
    """[(address, name)] of `nm -n`, functions only; none if there is no such file."""
    try:
        with open(path, encoding="ascii") as file:
            words = [line.split() for line in file]
    except OSError:
        return []
    return [(int(address, 16), name) for address, kind, name in words if kind in "tT"]


def named(address, symbols):
    """The function that a call comes back to, and the offset, or the address itself. The call may be its last instruction."""
    at = bisect.bisect([start for start, _ in symbols], address - 1) - 1
    return f"{symbols[at][1]}+{address - symbols[at][0]:#x}" if at >= 0 else f"{address:#x}"


def call_trace(log, symbols):
    """The last call trace of a panic in the log's text, a line for each function, innermost first; or nothing."""
    lines = re.findall(r"^  trace((?: [0-9a-f]+)+)$", log, re.M)
    return "".join(f"\n  {named(int(word, 16), symbols)}" for word in lines[-1].split()) if lines and symbols else ""
