# SPDX-License-Identifier: MIT
"""Who may wait: a slow disk delays those who read from it, and nobody else."""
from lib import check, succeeds

# Blocks that may have arrived when the others have done all their work: what a disk with 20 requests a second gives in
# 3 seconds, of which a busy host needs most. Did each of the 8,000 steps wait for one block, it would be all 1,200.
FEW = 60


def others_go_on(readers):
    out = succeeds(f"/test/waiters /data/random.bin {readers} {FEW}", "--disk-iops", "20", timeout=200)
    check(out.endswith(b"waiters: ok\n"), out.decode())


def test_one_reader():
    others_go_on(1)


def test_more_readers_than_workers():
    others_go_on(40)
