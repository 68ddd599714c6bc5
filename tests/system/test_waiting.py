# SPDX-License-Identifier: MIT
"""Who may wait: a slow disk delays those who read from it, and nobody else.

What happened first is told by counting the blocks that the readers have got when the others have done all their
work: had each of their 8,500 steps to wait for one block, it would be all 1,200. The disk goes by the host's clock,
so the program allows as many as the disk gives in four times the time that the work takes alone."""
import json
import os
import socket
import subprocess

from lib import BUILD, RUN, check, succeeds, temporary_folder

SLOW = 20  # requests a second
STOPPED = 1


def slow_disk(readers):
    command = f"/test/waiters /data/random.bin {readers} {SLOW}"
    out = succeeds(command, "--disk-iops", str(SLOW), stdin=b"go\n", timeout=200)
    check(out.endswith(b"waiters: ok\n"), out.decode())


class Monitor:
    """A QMP connection of our own, beside the launcher's."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.lines = self.socket.makefile()
        self.lines.readline()
        self.ask("qmp_capabilities")

    def ask(self, command, **arguments):
        self.socket.sendall(json.dumps({"execute": command, "arguments": arguments}).encode())
        while True:
            answer = json.loads(self.lines.readline())
            if "event" not in answer:
                return answer["return"]


def stopping_disk(readers):
    """All but stops the disk when everything is loaded."""
    with temporary_folder() as folder:
        path = os.path.join(folder, "qmp")
        command = f"/test/waiters /data/random.bin {readers} {STOPPED}"
        words = [RUN, "--build", BUILD, "--timeout", "200", "--qemu", f"-qmp unix:{path},server=on,wait=off", command]
        with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as run:
            check(run.stdout.readline() == b"warm\n", "the workers were not warmed")
            Monitor(path).ask("block_set_io_throttle", device="disk", iops=STOPPED, iops_rd=0, iops_wr=0,
                              bps=0, bps_rd=0, bps_wr=0)
            out = run.communicate(b"go\n", timeout=250)[0]
        check(run.returncode == 0 and out.endswith(b"waiters: ok\n"), f"status {run.returncode}: {out.decode()}")


def test_one_reader():
    slow_disk(1)


def test_more_readers_than_workers():
    slow_disk(40)


def test_one_reader_of_a_stopped_disk():
    stopping_disk(1)


def test_more_readers_than_workers_of_a_stopped_disk():
    stopping_disk(40)
