# SPDX-License-Identifier: MIT
"""Files of the disk are, byte for byte, what the tree held that the disk was made of."""
import os
import shutil
import subprocess

from lib import BUILD, TOP, TREE, check, disk, equal, host, launch, seeded, succeeds, temporary_folder

SUMS = "cd /data && find . -type f | sort | xargs md5sum"
# Sizes of directories and sums of blocks are the file system's own business.
LIST = "ls -lnR | grep -v '^total\\|^d'"
NAMES = f"cd /data && {LIST}; cd /etc && {LIST}; cd /test && {LIST}; find /data /big /test /etc | sort"


def compare(command, *options, tree=TREE, timeout=300):
    equal(succeeds(command, *options, timeout=timeout), host(command, tree), command)


def test_sums():
    compare(SUMS)


def test_sums_with_1k_blocks():
    compare(SUMS, "--disk", disk(1), "--snapshot")


def test_sums_with_2k_blocks():
    compare(SUMS, "--disk", disk(2), "--snapshot")


def test_names_and_attributes():
    compare(NAMES, "--disk", disk(1), "--snapshot")


def read_marks(kib):
    out = succeeds("/test/readat /big/marks /big/marks.txt", "--disk", disk(kib), "--snapshot")
    check(out.endswith(b"readat: ok\n"), out.decode())


def test_all_levels_of_indirect_blocks_1k():
    read_marks(1)


def test_all_levels_of_indirect_blocks_2k():
    read_marks(2)


def test_all_levels_of_indirect_blocks_4k():
    read_marks(4)


def test_links():
    compare("cd /data/links && cat short longer-than-the-inode to-long-name hard x && ls directory/ | wc -l"
            " && readlink longer-than-the-inode && ! cat loop 2>/dev/null && cat n*")


def random_tree(folder, random):
    """A tree to boot from, with a random part under /random: files of all sizes, holes, links, deep directories."""
    for name in ("bin", "etc", "sbin", "usr", "proc", "dev", "tmp"):
        shutil.copytree(os.path.join(TREE, name), os.path.join(folder, name), symlinks=True)
    folders = [os.path.join(folder, "random")]
    os.mkdir(folders[0])
    for i in range(250):
        path = os.path.join(random.choice(folders), "".join(random.choices("abcXYZ019._-", k=random.randrange(1, 40)))
                            + str(i))
        kind = random.random()
        if kind < 0.15:
            os.mkdir(path)
            folders.append(path)
        elif kind < 0.25:
            targets = ["/etc/passwd", "..", "x" * random.randrange(1, 200), os.path.basename(path)]
            os.symlink(random.choice(targets), path)
        else:
            with open(path, "wb") as file:
                for _ in range(random.randrange(4)):
                    file.seek(random.randrange(1 << random.randrange(1, 22)))
                    file.write(random.randbytes(random.randrange(1 << random.randrange(1, 17))))


def set_times(tree):
    """The time that images/disk-image gives to all files: both sides show the same."""
    for where, folders, files in os.walk(tree, topdown=False):
        for name in folders + files:
            os.utime(os.path.join(where, name), (1700000000, 1700000000), follow_symlinks=False)


def on_random_tree(block, inode):
    random, seed = seeded(f"tree {block}")
    command = "cd /random && find . | sort && find . -type f | sort | xargs md5sum && " + LIST
    with temporary_folder() as folder:
        tree, image = os.path.join(folder, "tree"), os.path.join(folder, "image")
        os.mkdir(tree)
        random_tree(tree, random)
        set_times(tree)
        subprocess.run([os.path.join(TOP, "images", "disk-image"), "--block", str(block), "--inode", str(inode),
                        "--size", "96", tree, image], check=True)
        try:
            compare(command, "--disk", image, tree=tree)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from None


def test_random_tree_1k():
    on_random_tree(1024, 128)


def test_random_tree_2k():
    on_random_tree(2048, 256)


def test_random_tree_4k():
    on_random_tree(4096, 256)


def test_added_file():
    with temporary_folder() as folder:
        path = os.path.join(folder, "added file")
        with open(path, "wb") as file:
            file.write(bytes(range(256)) * 300)
        check(succeeds("cat '/added file'", "--add", path) == bytes(range(256)) * 300, "the added file's bytes")


def test_unknown_feature_is_refused_by_name():
    with temporary_folder() as folder:
        image = os.path.join(folder, "image")
        subprocess.run(["cp", "--sparse=always", disk(4), image], check=True)
        subprocess.run(["debugfs", "-w", "-R", "feature extents", image], check=True, capture_output=True)
        result = launch("--build", BUILD, "--disk", image, "--timeout", "60", "true")
        check(result.status == 125 and ": extent\n" in result.log, "refused, and the log names the feature", result)
