# SPDX-License-Identifier: MIT
"""What the lectures claim of slabs, shown from a running system's /proc/quire/slabs: less is lost inside objects than with
powers of two, the buddy system is asked seldom, and colours spread objects over the sets of the hardware's cache."""
import os
import subprocess

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
WORK = ("find / >/dev/null; ls -lR /data /bin >/dev/null; i=0; while [ $i -lt 20 ]; do ls / | md5sum >/dev/null; i=$((i+1)); "
        "done; cat /proc/quire/slabs")
PAGE, LINE, WAYS, SETS = 4096, 64, 8, 64  # a first-level cache of 32 KiB
SLABS, SWEEPS = 16, 100


def caches(build):
    """The rows of /proc/quire/slabs after some work, as dictionaries."""
    run = subprocess.run([os.path.join(TOP, "images", "run"), "--build", build, WORK], stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, text=True, check=True)
    head, *lines = run.stdout.splitlines()
    rows = [dict(zip(head.split()[1:], line.split())) for line in lines]
    return [{key: value if key in ("name", "server") else int(value, 16 if key == "flags" else 10) for key, value in row.items()}
            for row in rows]


def power_of_two(size):
    return max(32, 1 << (size - 1).bit_length())


def print_loss(rows):
    """Of the memory for as many objects as were in use at a time, how much does not hold them."""
    print(f"\n{'objects in use at a time, bytes lost':32} {'size':>6} {'most':>6} {'2^n':>6} {'lost':>6} {'a slab':>7} "
          f"{'lost':>6}")
    total = [0, 0, 0]
    for row in rows:
        size, most, per_slab, slab = row["size"], row["high"], row["objects"], PAGE << row["order"]
        if not most:
            continue
        used, powers = most * size, most * power_of_two(size)
        slabs = -(-most // per_slab) * slab
        total = [a + b for a, b in zip(total, (used, powers, slabs))]
        print(f"{row['server'] + '.' + row['name']:32} {size:6} {most:6} {power_of_two(size):6} {1 - used / powers:6.0%} "
              f"{per_slab:7} {1 - per_slab * size / slab:6.0%}")
    used, powers, slabs = total
    print(f"all of them: {used} bytes; {powers} as powers of two ({1 - used / powers:.0%} lost inside objects); "
          f"{slabs} in slabs ({1 - used / slabs:.0%} lost, with slabs that are not full)")


def print_saved(rows):
    taken, grown = sum(row["taken"] for row in rows), sum(row["grown"] for row in rows)
    print(f"\nallocations: {taken} objects out of {grown} slabs: the buddy system was asked {grown} times, not {taken} "
          f"({taken / grown:.0f} to 1)")


def misses(offsets):
    """Of sweeps over the first lines of slabs that begin at pages, whose objects begin at these offsets."""
    sets = [[] for _ in range(SETS)]
    missed = 0
    for _ in range(SWEEPS):
        for page, offset in enumerate(offsets):
            line = (page, offset // LINE)
            held = sets[offset // LINE % SETS]
            if line in held:
                held.remove(line)
            else:
                missed += 1
                if len(held) == WAYS:
                    del held[0]
            held.append(line)
    return missed / (SWEEPS * len(offsets))


def sets_of(stride):
    """Sets that the first lines of very many objects in a row fall into."""
    return len({i * stride // LINE % SETS for i in range(SETS * LINE)})


def print_colours(rows):
    """The first object of each of many slabs, looked at again and again, with the colours that there are and without; and the
    sets for the heads of all objects, packed and as powers of two."""
    print(f"\n{f'heads of the first objects of {SLABS} slabs':40} {'colours':>7} {'misses':>7} {'without':>8} "
          f"{'of all: sets':>13} {'2^n':>4}")
    seen = set()
    for row in rows:
        name, colours, stride = row["name"], row["colours"], row["stride"]
        if name in seen or row["order"] or not row["grown"]:
            continue
        seen.add(name)
        begin = 0 if row["off_slab"] else -(-(40 + 4 * row["objects"]) // LINE) * LINE
        coloured = [begin + i % max(colours, 1) * row["colour_bytes"] for i in range(SLABS)]
        print(f"{name:40} {max(colours, 1):7} {misses(coloured):7.0%} {misses([begin] * SLABS):8.0%} {sets_of(stride):13} "
              f"{sets_of(power_of_two(row['size'])):4}")


def print_claims(build):
    rows = caches(build)
    print_loss(rows)
    print_saved(rows)
    print_colours(rows)
