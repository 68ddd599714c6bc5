# SPDX-License-Identifier: MIT
"""Small and large machines; nothing that a program used stays away after it."""
from lib import FREE, check, quire, succeeds

# Every test program that ends by itself, and some of the shell's. Those that measure time or fill all of memory have
# tests of their own.
FEW_PROGRAMS = ["/test/hello", "/test/malloc", "/test/forktree 3 2 32", "/test/shared",
                "/test/mapfile /data/random.bin", "cat /data/many/* | sort | md5sum", "/test/badpointer"]
PROGRAMS = FEW_PROGRAMS + [
    "/test/signals", "/test/pipes", "/test/exec", "/test/heap", "/test/segv /data/many/0001", "/test/addresses",
    "/test/calls_files", "/test/calls_paths", "/test/calls_memory", "/test/calls_time", "/test/clocks",
    "/test/efault /data/random.bin", "/test/mapbyte /data/random.bin 20000000",
    "/test/readat /big/marks /big/marks.txt", "/test/recursion", "/test/regions", "/test/remap /data/random.bin",
    "/test/resident /data/random.bin", "/test/samepage",
    "/test/threads", "/test/glibc_forktree 3 2 32", "/test/glibc_malloc", "/test/glibc_segv /data/many/0001",
    "/test/glibc_signals", "/test/glibc_threads", "ls -lR /data", "md5sum /data/random.bin"]


def free_frames_return(size, programs):
    script = "\n".join(f"for run in 1 2 3; do ({program}) >/dev/null 2>&1; {FREE}; done" for program in programs)
    lines = succeeds("exec 2>/dev/null\n" + script, "--mem", size, timeout=400).split(b"\n")
    for i, program in enumerate(programs):
        first, second, third = lines[3 * i:3 * i + 3]
        check(second == third, f"{program}: {first}, {second}, {third}")


def test_free_frames_return_32m():
    free_frames_return("32M", PROGRAMS)


def test_free_frames_return_64m():
    free_frames_return("64M", FEW_PROGRAMS)


def test_free_frames_return_128m():
    free_frames_return("128M", FEW_PROGRAMS)


def test_free_frames_return_512m():
    free_frames_return("512M", PROGRAMS)


def test_free_frames_return_6g():
    free_frames_return("6G", FEW_PROGRAMS)


def on_machine(size):
    out = succeeds("/test/hello; /test/forktree 2 2 32; grep MemTotal /proc/meminfo", "--mem", size)
    check(out.startswith(b"hello\n") and b"forktree: ok\n" in out, out.decode())
    return int(out.split()[-2]) * 1024


def test_mem_64m():
    check(40 << 20 < on_machine("64M") <= 64 << 20, "MemTotal")


def test_mem_128m():
    check(100 << 20 < on_machine("128M") <= 128 << 20, "MemTotal")


def test_mem_512m():
    check(470 << 20 < on_machine("512M") <= 512 << 20, "MemTotal")


def test_mem_6g():
    check(5800 << 20 < on_machine("6G") <= 6144 << 20, "MemTotal")


def test_large_file_on_32m_and_fork_after_it():
    import hashlib
    import os
    from lib import TREE
    with open(os.path.join(TREE, "data", "random.bin"), "rb") as file:
        wanted = hashlib.md5(file.read()).hexdigest()
    out = succeeds("md5sum </data/random.bin; /test/forktree 2 2 32; md5sum </data/random.bin", "--mem", "32M",
                   timeout=250)
    check(out.split()[0].decode() == wanted and out.count(wanted.encode()) == 2, out.decode())
    check(b"forktree: ok\n" in out, out.decode())


def short_of_memory(script):
    """Output lines of its last run of three on a machine of 32 MiB; afterwards all memory must be back."""
    result = quire(f"for run in 1 2 3; do {script}; echo /; {FREE}; done", "--mem", "32M", timeout=200)
    runs = [run.split(b"/\n") for run in result.out.split(b" kB\n")[:3]]
    check(runs[1][1] == runs[2][1], "the same memory is free", result)
    return runs[2][0].splitlines(), result


def test_programs_larger_than_memory():
    lines, result = short_of_memory("/test/hog private 100; echo $?; /test/hog private 20; echo $?")
    check(lines == [b"137", b"hog: ok", b"0"], "ended by SIGKILL, and then there is room", result)


def test_shared_memory_larger_than_memory():
    lines, result = short_of_memory("/test/hog shared 100; echo $?; /test/hog shared 10; echo $?")
    check(lines == [b"135", b"hog: ok", b"0"], "ended by SIGBUS, and then there is room", result)


def test_pipes_larger_than_memory():
    lines, result = short_of_memory("/test/hog pipes 40 1000; echo on; cat /data/random.bin | md5sum | wc -l")
    check(lines[-2:] == [b"on", b"1"], "programs go on when it has ended", result)


def test_many_programs_short_of_memory():
    lines, result = short_of_memory("for i in 1 2 3 4 5 6 7 8; do /test/hog private 6 200 & done; wait; echo on")
    check(lines[-1] == b"on" and set(lines[:-1]) == {b"hog: ok"}, "some are ended, some go on", result)


def test_first_program_is_ended_last():
    """The shell needs memory while others have it, and is larger than any of them in its last steps."""
    script = ("x=$(head -c 1000000 /dev/zero | tr '\\0' x); for i in 1 2 3 4 5 6 7 8; do /test/hog private 5 300 & "
              "done; for i in 1 2 3 4 5 6; do y=$x$x$i; z=$y$x; unset y z; done; wait; echo on")
    result = quire(script, "--mem", "32M")
    check(result.status == 0 and result.out.endswith(b"on\n"), "the shell goes on", result)


def goes_on(script):
    result = quire(f"for run in 1 2; do {script}; wait; done; /test/hello", "--mem", "32M")
    check(result.status == 0 and result.out == b"hello\n" and b"fork" not in result.err, "the shell goes on", result)


def test_file_pages_while_memory_is_short():
    """A call fails for want of memory, and its program needs pages of its file to say so."""
    goes_on("for i in 1 2 3; do dd bs=64M count=1 if=/dev/zero of=/dev/null & sleep 0.2; done")


def test_fork_while_memory_is_short():
    goes_on("for i in 1 2 3 4 5; do dd bs=64M count=1 if=/dev/zero of=/dev/null & done")
