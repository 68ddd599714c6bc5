# SPDX-License-Identifier: MIT
"""Unmodified Linux programs: those of tests/programs, with musl and with glibc."""
from lib import check, quire, succeeds


def runs(command, *options, timeout=200):
    out = succeeds("/test/" + command, *options, timeout=timeout)
    check(out.endswith(b": ok\n"), f"{command}: {out.decode()}")


def test_hello():
    check(succeeds("/test/hello one 'two words'") == b"one\ntwo words\nhello\n", "arguments")


def test_malloc():
    runs("malloc")


def test_malloc_glibc():
    runs("glibc_malloc")


def test_fork_tree():
    runs("forktree 3 3 96")


def test_fork_tree_deep():
    runs("forktree 6 2 24")


def test_fork_tree_glibc():
    runs("glibc_forktree 3 3 96")


def test_shared_memory():
    runs("shared")


def test_recursion():
    runs("recursion")


def test_segv_handlers():
    runs("segv /data/many/0001")


def test_segv_handlers_glibc():
    runs("glibc_segv /data/many/0001")


def test_addresses_beyond_user_memory():
    runs("addresses")


def test_as_many_as_there_can_be():
    runs("many", "--mem", "128M")


def test_signals():
    runs("signals")


def test_signals_glibc():
    runs("glibc_signals")


def test_regions():
    runs("regions")


def test_faults_on_one_page():
    runs("samepage")


def test_remap():
    runs("remap /data/random.bin")


def test_resident():
    runs("resident /data/random.bin cold")


def test_maps_name_files_by_inode():
    inode, line = succeeds("ls -i /bin/busybox; grep -m1 busybox /proc/self/maps").splitlines()
    check(line.split()[3:] == [b"03:00", inode.split()[0], b"/bin/busybox"], line.decode())


def test_pipes():
    runs("pipes")


def test_exec():
    runs("exec")


def test_heap():
    runs("heap")


def test_mapped_file():
    runs("mapfile /data/random.bin")


def test_unmapped_files():
    runs("unmapfiles /data/many")


def test_shared_reads():
    runs("sharedread /data/random.bin")


def test_bad_buffers():
    runs("efault /data/random.bin")


def test_threads():
    runs("threads")


def test_threads_glibc():
    runs("glibc_threads")


def test_bad_pointer():
    result = quire("/test/badpointer")
    check(result.status == 139 and result.out == b"badpointer: writing\n", "ends by SIGSEGV", result)


def test_shell_goes_on_after_bad_pointer():
    result = quire("/test/badpointer 0x7fffffffffff0000; echo $?; /test/badpointer 0; echo $?; echo on")
    check(result.status == 0 and result.out.split() == [b"badpointer:", b"writing", b"139"] * 2 + [b"on"],
          "the shell goes on", result)


def test_clocks():
    import time
    before = int(time.time())
    seconds = int(succeeds("/test/clocks"))
    check(before - 2 <= seconds <= time.time() + 2, f"wall clock: {seconds}, host {before}")
