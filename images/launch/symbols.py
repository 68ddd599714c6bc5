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


def named(address, symbols, is_return):
    """function+offset, or the address itself. What a call returns to may lie behind its function: the call was its end."""
    at = bisect.bisect([start for start, _ in symbols], address - is_return) - 1
    return f"{symbols[at][1]}+{address - symbols[at][0]:#x}" if at >= 0 else f"{address:#x}"


def call_trace(log, symbols):
    """The last call trace of a panic in the log's text, a line for each function, innermost first; or nothing."""
    lines = re.findall(r"^  trace((?: [0-9a-f]+)+)$", log, re.M)
    if not lines or not symbols:
        return ""
    return "".join(f"\n  {named(int(word, 16), symbols, f'rip {word}' not in log)}" for word in lines[-1].split())
