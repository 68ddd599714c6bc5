# SPDX-License-Identifier: MIT
"""gdb commands that walk the kernel's objects: quire-threads, quire-spaces, quire-endpoints, quire-frames,
and quire-epitaph: what a panic has left. A panic stops before the machine is switched off.

Objects are found through the frame table: one object per frame, at PHYS_BASE + frame * 4096."""
import struct

import gdb

PHYS_BASE = 0xFFFF_8000_0000_0000
PAGE_BYTES = 4096
ENTRY = struct.Struct("<IBBBBII")  # struct frame


def enum_names(name):
    """{value: name} of an enum of the kernel."""
    return {field.enumval: field.name for field in gdb.lookup_type(f"enum {name}").fields()}


def frames():
    """(number, kind's name, account, shares, own, pins) of every frame."""
    kinds = enum_names("frame_kind")
    count = int(gdb.parse_and_eval("frame_count"))
    table = int(gdb.parse_and_eval("(unsigned long)frame_table"))
    data = gdb.selected_inferior().read_memory(table, count * ENTRY.size).tobytes()
    for number, (shares, account, state, own, pins, _, _) in enumerate(ENTRY.iter_unpack(data)):
        yield number, kinds.get(state & 15, "?"), account, shares, own, pins


def objects(kind, type_name):
    """(frame number, the object as a gdb value) for all objects of a kind."""
    pointer = gdb.lookup_type(f"struct {type_name}").pointer()
    for number, name, *_ in frames():
        if name == kind:
            yield number, gdb.Value(PHYS_BASE + number * PAGE_BYTES).cast(pointer).dereference()


def frame_of(pointer):
    """Frame number of a pointer into the physical map; - for NULL."""
    return f"{(int(pointer) - PHYS_BASE) // PAGE_BYTES:#x}" if int(pointer) else "-"


def link_length(head, most=10000):
    """Elements of a circular list (struct link)."""
    count, at = 0, head["next"]
    while at != head.address and count < most:
        count, at = count + 1, at["next"]
    return count


def threads():
    states = enum_names("thread_state")
    print(f"{'thread':>8} {'space':>8} prio {'state':<17} {'tag':>6} {'endpoint':>8} {'rip':>18}  name")
    for number, t in objects("KIND_THREAD", "thread"):
        print(f"{number:#8x} {frame_of(t['space']):>8} {int(t['priority']):4} {states[int(t['state'])]:<17} "
              f"{int(t['tag']):6} {frame_of(t['endpoint']):>8} {int(t['regs']['rip']):#18x}  {t['name'].string()}")


def spaces():
    print(f"{'space':>8} {'account':>7} {'threads':>7} {'epoch':>8} {'pool':>5} {'pager':>8} {'calls':>8}")
    for number, s in objects("KIND_SPACE", "space"):
        print(f"{number:#8x} {int(s['account']):7} {int(s['threads']):7} {int(s['epoch']):8} {int(s['pool_count']):5} "
              f"{frame_of(s['pager']['endpoint']):>8} {frame_of(s['system_call']['endpoint']):>8}")


def endpoints():
    print(f"{'endpoint':>8} {'bits':>18} {'senders':>7} {'receivers':>9} {'deadline':>16}")
    for number, e in objects("KIND_ENDPOINT", "endpoint"):
        print(f"{number:#8x} {int(e['bits']):#18x} {link_length(e['senders']):7} {link_length(e['receivers']):9} "
              f"{int(e['deadline']):16}")


def frame_counts():
    """Frames by account and kind, with how many are mapped and pinned."""
    counts = {}
    for _, kind, account, shares, own, pins in frames():
        entry = counts.setdefault((account, kind), [0, 0, 0])
        entry[0] += 1
        entry[1] += bool(shares or own)
        entry[2] += bool(pins)
    print(f"account {'kind':<14} {'frames':>9} {'mapped':>9} {'pinned':>9}")
    for (account, kind), (total, mapped, pinned) in sorted(counts.items()):
        print(f"{account:7} {kind:<14} {total:9} {mapped:9} {pinned:9}")


def epitaph():
    """The text, registers and call trace of a panic."""
    left = gdb.parse_and_eval("epitaph")
    if not int(left["magic"]):
        print("there was no panic")
        return
    print(f"panic: {left['text'].string()}")
    if int(left["regs"]["cs"]):
        names = "rip rsp rflags rax rbx rcx rdx rsi rdi rbp r8 r9 r10 r11 r12 r13 r14 r15".split()
        print(" ".join(f"{name}={int(left['regs'][name]):#x}" for name in names))
    for i in range(left["trace"].type.range()[1] + 1):
        if address := int(left["trace"][i]):
            print(f"  {address:#x} {gdb.execute(f'info symbol {address:#x}', to_string=True).split(' in section')[0].strip()}")


class Walk(gdb.Command):
    def __init__(self, name, function):
        super().__init__(name, gdb.COMMAND_DATA)
        self.function = function

    def invoke(self, argument, from_tty):
        self.function()


for command, walk in (("threads", threads), ("spaces", spaces), ("endpoints", endpoints), ("frames", frame_counts),
                      ("epitaph", epitaph)):
    Walk("quire-" + command, walk)
