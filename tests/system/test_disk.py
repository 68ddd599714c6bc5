# SPDX-License-Identifier: MIT
"""The disk images, without the guest: sound, reproducible, and files added to a copy arrive as they are."""
import filecmp
import os
import subprocess
import sys

from lib import TOP, TREE, check, disk, temporary_folder

sys.path.append(os.path.join(TOP, "images"))
from launch.disk import add_files


def sound(image):
    run = subprocess.run(["e2fsck", "-fn", image], capture_output=True, text=True)
    check(run.returncode == 0, f"e2fsck: {run.stdout}")


def test_images_are_sound():
    for kib in (1, 2, 4):
        sound(disk(kib))


def test_image_is_reproducible():
    with temporary_folder() as folder:
        image = os.path.join(folder, "image")
        subprocess.run([os.path.join(TOP, "images", "disk-image"), "--block", "1024", TREE, image], check=True)
        check(filecmp.cmp(image, disk(1), shallow=False), "two images of one tree differ")


def test_added_files():
    with temporary_folder() as folder:
        image, source, back = (os.path.join(folder, name) for name in ("image", "my files", "back"))
        os.makedirs(os.path.join(source, "sub", "empty"))
        os.mkdir(back)
        os.symlink("a b", os.path.join(source, "link"))
        for name, size in (("a b", 5), ("sub/large", 3 << 20), ("none", 0)):
            with open(os.path.join(source, name), "wb") as file:
                file.write(os.urandom(size))
        subprocess.run(["cp", "--sparse=always", disk(4), image], check=True)
        for _ in range(2):  # the second time everything is there and is replaced
            add_files(image, [source, source, os.path.join(source, "link")])
        sound(image)
        subprocess.run(["debugfs", "-R", f'rdump "/my files" {back}', image], check=True, capture_output=True)
        run = subprocess.run(["diff", "-r", source, os.path.join(back, "my files")], capture_output=True, text=True)
        check(run.returncode == 0, run.stdout)
