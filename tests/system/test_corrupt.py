# SPDX-License-Identifier: MIT
"""Disks whose metadata has changed at random: programs get errors, and the system goes on."""
import os
import subprocess

from lib import BUILD, check, disk, launch, seeded, temporary_folder

IMAGES, FLIPS, BLOCK = 6, 60, 1024
INODES = 1200  # the tree's, and so the first ones of the table
# What might never end by right, as a file of terabytes, is cut.
SCRIPT = """timeout 5 ls -lR /data /etc /big | tail -n 1 >/dev/null
for file in /data/many/00* /data/s* /data/d* /data/t* /data/links/* /etc/*; do head -c 20000 $file; done | md5sum
for file in /data/many/01* /data/double; do /test/mapbyte $file 1; /test/mapbyte $file 300000; done
timeout 5 find /data /etc /usr -xdev | wc -l
echo end"""


def asked(request, image):
    return subprocess.run(["debugfs", "-R", request, image], check=True, capture_output=True, text=True).stdout


def metadata(image):
    """Places of the tree's inodes and directories, with a few blocks of pointers."""
    first_group = asked("stats", image).split("inode table at ")[1].split()[0].rstrip(",")
    table = int(first_group) * BLOCK
    blocks = [int(word) for path in ("/data/many", "/data/links", "/data") for word in asked(f"blocks {path}", image).split()]
    pointers = [int(part.split(":")[1]) for part in asked("stat /data/triple", image).replace(",", "").split("(")
                if "IND)" in part]
    return [(table + 12 * 128, INODES * 128)] + [(block * BLOCK, BLOCK) for block in blocks + pointers]


def test_random_metadata():
    random, seed = seeded("corrupt")
    with temporary_folder() as folder:
        image = os.path.join(folder, "image")
        for number in range(IMAGES):
            subprocess.run(["cp", "--sparse=always", disk(1), image], check=True)
            with open(image, "r+b") as file:
                for start, length in random.choices(metadata(image), k=FLIPS) + metadata(image)[:1] * FLIPS:
                    file.seek(start + random.randrange(length))
                    file.write(bytes([random.randrange(256)]))
            result = launch("--build", BUILD, "--timeout", "150", "--disk", image, "--snapshot", SCRIPT)
            what = f"seed {seed}, image {number}"
            check(b"timeout" not in result.err and "crash: " not in result.log and "panic: " not in result.log, what, result)
            shell_is_damaged = result.status > 128 or "cannot be started" in result.log
            check(result.out.endswith(b"end\n") or shell_is_damaged, what, result)
            check("quire: audit: ok" in result.log or "release" in BUILD, what, result)
