# SPDX-License-Identifier: MIT
"""The disk of a run: the image as it is, or a copy with files of the host added."""
import os
import stat
import subprocess

from . import LaunchError

os.environ["PATH"] += ":/usr/sbin:/sbin"  # where Debian has debugfs; not in every user's PATH


def prepared_disk(args, top, work):
    """Path of the image to attach, or None. Sets args.snapshot for the built disk, which is never written to."""
    if args.disk == "none":
        return None
    disk = args.disk
    if disk is None:
        disk = os.path.join(top, "build", "disk.img")
        args.snapshot = True
    if not os.path.isfile(disk):
        raise LaunchError(f"no disk image {disk}" + ("" if args.disk else " (make disk)"))
    if not args.add:
        return os.path.abspath(disk)
    copy = work.path("disk.img")
    subprocess.run(["cp", "--sparse=always", "--reflink=auto", disk, copy], check=True)
    os.chmod(copy, 0o600)
    add_files(copy, args.add)
    return copy


def add_files(image, paths):
    """Put each path of the host into the root directory of the ext2 `image`, owned by root, replacing files."""
    commands = []
    for path in paths:
        path = os.path.abspath(path)
        if not os.path.lexists(path):
            raise LaunchError(f"--add {path}: no such file or directory")
        commands += debugfs_commands(path, "/" + os.path.basename(path))
    result = subprocess.run(["debugfs", "-w", "-f", "-", image], input="\n".join(commands) + "\n", text=True,
                            capture_output=True, errors="surrogateescape")
    # debugfs exits 0 whatever happens. It names errors on standard error; those of "rm" and "mkdir" are expected.
    bad = [line for line in result.stderr.splitlines()
           if line and not line.startswith(("debugfs 1", "rm:", "mkdir:"))]
    if bad or result.returncode:
        raise LaunchError("--add: debugfs: " + (bad[0] if bad else f"status {result.returncode}"))


def debugfs_commands(source, target):
    """debugfs commands that copy `source` of the host to `target` of the image."""
    if any(c in source + target for c in '"\n'):
        raise LaunchError(f"--add {source}: quotes and newlines in names are not supported")
    mode = os.lstat(source).st_mode
    if stat.S_ISLNK(mode):
        yield f'rm "{target}"'
        yield f'symlink "{target}" "{os.readlink(source)}"'
    elif stat.S_ISDIR(mode):
        yield f'mkdir "{target}"'
        for name in sorted(os.listdir(source)):
            yield from debugfs_commands(os.path.join(source, name), target + "/" + name)
    elif stat.S_ISREG(mode):
        yield f'rm "{target}"'
        yield f'write "{source}" "{target}"'
    else:
        raise LaunchError(f"--add {source}: not a file, directory or symbolic link")
