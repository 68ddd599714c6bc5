# SPDX-License-Identifier: MIT
"""Who may wait: a slow disk delays those who read from it, and nobody else."""
from lib import check, succeeds

READ_ALL_MAY = 8  # blocks that may have arrived when the others have done all their work


def others_go_on(readers):
    out = succeeds(f"/test/waiters /data/random.bin {readers} {READ_ALL_MAY}", "--disk-iops", "20", timeout=200)
    check(out.endswith(b"waiters: ok\n"), out.decode())


def test_one_reader():
    others_go_on(1)


def test_more_readers_than_workers():
    others_go_on(40)
