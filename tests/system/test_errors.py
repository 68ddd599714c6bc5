# SPDX-License-Identifier: MIT
"""Read errors of the disk reach exactly the program that reads there."""
import contextlib
import hashlib
import json
import os
import shlex
import subprocess

from lib import BUILD, TREE, check, disk, equal, host, launch, quire, temporary_folder

BLOCK = 4096  # of the default disk
BAD_BLOCK = 4096  # block of /data/random.bin that cannot be read


@contextlib.contextmanager
def bad_disk():
    """Options for images/run: a copy of the default disk with one bad block in /data/random.bin."""
    blocks = subprocess.run(["debugfs", "-R", f"bmap /data/random.bin {BAD_BLOCK}", disk(4)], check=True,
                            capture_output=True, text=True).stdout
    sectors = [int(blocks) * BLOCK // 512 + i for i in range(BLOCK // 512)]
    with temporary_folder() as folder:
        image = os.path.join(folder, "image")
        subprocess.run(["cp", "--sparse=always", disk(4), image], check=True)
        rules = [{"event": "none", "iotype": "read", "errno": 5, "sector": s, "once": False} for s in sectors]
        debug = {"driver": "blkdebug", "node-name": "bad", "inject-error": rules,
                 "image": {"driver": "file", "filename": image}}
        yield ["--disk", "none", "--qemu", shlex.join([
            "-blockdev", json.dumps(debug),
            "-device", "ide-hd,drive=bad,bus=ide.0,rerror=report,werror=report"])]


def test_read_error():
    with bad_disk() as options:
        result = quire(f"dd if=/data/random.bin bs=4096 skip={BAD_BLOCK} count=1 of=/dev/null; echo $?;"
                       "cd /data && md5sum many/0*", *options)
    check(b"Input/output error" in result.err and result.out.startswith(b"1\n"), "EIO", result)
    equal(result.out[2:], host("cd /data && md5sum many/0*"), "other files")


def test_blocks_around_it():
    with bad_disk() as options:
        result = quire("cat /data/random.bin | md5sum; cat /data/random.bin | wc -c", *options)
    with open(os.path.join(TREE, "data", "random.bin"), "rb") as file:
        wanted = hashlib.md5(file.read(BAD_BLOCK * BLOCK)).hexdigest()
    check(result.err.count(b"Input/output error") == 2, "EIO for both", result)
    equal(result.out, f"{wanted}  -\n{BAD_BLOCK * BLOCK}\n".encode(), "all bytes before the bad block")


def test_mapped_error():
    with bad_disk() as options:
        at = BAD_BLOCK * BLOCK
        result = quire(f"for at in {at - 1} {at} {at + 4095} {at + 4096}; do /test/mapbyte /data/random.bin $at;"
                       " echo $?; done", *options)
    with open(os.path.join(TREE, "data", "random.bin"), "rb") as file:
        data = file.read(at + 5000)
    wanted = f"{data[at - 1]}\n0\n135\n135\n{data[at + 4096]}\n0\n".encode()
    equal(result.out, wanted, "SIGBUS for the bad page alone")


def test_others_go_on():
    with bad_disk() as options:
        result = quire(f"(cd /data && md5sum many/0* triple) & dd if=/data/random.bin bs=4096 skip={BAD_BLOCK} "
                       "count=1 2>/dev/null; wait", *options, timeout=200)
    equal(result.out, host("cd /data && md5sum many/0* triple"), "sums beside a failing reader")


def test_no_file_system():
    with temporary_folder() as folder:
        image = os.path.join(folder, "image")
        with open(image, "wb") as file:
            file.truncate(4 << 20)
        for options, why in ((["--disk", image], "E_INVAL"), (["--disk", "none"], "E_NODEV")):
            result = launch("--build", BUILD, *options, "true")
            check(result.status == 125 and f"images/run: fail: no root file system: {why}".encode() in result.err,
                  "the run ends with a status and the reason", result)
            check("assert" not in result.log and ("audit: ok" in result.log or "release" in BUILD), "nothing crashes", result)


def test_slow_disk_under_icount():
    """Idle time is skipped, and the disk seems to take as long as anyone waits for it."""
    result = quire("md5sum /data/many/0001", "--icount", "--disk-iops", "20")
    equal(result.out, host("md5sum /data/many/0001"), "sum")
    check("no answer from the disk" not in result.log, "no reset", result)
