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
    directories, files = [], []
    for path in dict.fromkeys(map(os.path.abspath, paths)):
        if not os.path.lexists(path):
            raise LaunchError(f"--add {path}: no such file or directory")
        collect(path, "/" + os.path.basename(path), directories, files)
    # debugfs's mkdir of a directory that is there damages the image: look first.
    there = debugfs(image, [f'stat "{target}"' for target in directories]).stdout.split("debugfs: stat ")[1:]
    commands = [f'mkdir "{target}"' for target, found in zip(directories, there) if "Type: directory" not in found]
    result = debugfs(image, commands + files)
    # It exits 0 whatever happens, and names errors on standard error. Only rm's of what is not there are no errors.
    bad = [line for line in result.stderr.splitlines()[1:] if line and "File not found by ext2_lookup" not in line]
    if bad or result.returncode:
        raise LaunchError("--add: debugfs: " + (bad[0] if bad else f"status {result.returncode}"))


def debugfs(image, commands):
    return subprocess.run(["debugfs", "-w", "-f", "-", image], input="\n".join(commands) + "\n", text=True,
                          capture_output=True, errors="surrogateescape")


def collect(source, target, directories, commands):
    """Append the directories and the debugfs commands that copy `source` of the host to `target` of the image."""
    if any(c in source + target for c in '"\n'):
        raise LaunchError(f"--add {source}: quotes and newlines in names are not supported")
    mode = os.lstat(source).st_mode
    if stat.S_ISDIR(mode):
        directories.append(target)
        for name in sorted(os.listdir(source)):
            collect(os.path.join(source, name), target + "/" + name, directories, commands)
    elif stat.S_ISLNK(mode):
        commands += [f'rm "{target}"', f'symlink "{target}" "{os.readlink(source)}"']
    elif stat.S_ISREG(mode):
        commands += [f'rm "{target}"', f'write "{source}" "{target}"']
    else:
        raise LaunchError(f"--add {source}: not a file, directory or symbolic link")
