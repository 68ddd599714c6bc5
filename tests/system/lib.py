# SPDX-License-Identifier: MIT
"""What system tests use: run a command in the guest, the host's reference, and checks that say what differs."""
import contextlib
import dataclasses
import functools
import os
import random
import subprocess
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
BUILD = os.path.join(TOP, os.environ.get("QUIRE_BUILD", "build"))  # kernel and servers
TREE = os.path.join(TOP, "build", "tree")                          # what the default disk was made of
RUN = os.path.join(TOP, "images", "run")
os.environ["PATH"] += ":/usr/sbin:/sbin"  # chroot, debugfs: not in every user's PATH
RESERVED = (124, 125)  # timeout, and everything that is not the command's doing
DROP = "echo 3 >/proc/sys/vm/drop_caches"
# Prints the free memory, what lies in magazines included. Read by the shell itself: another program would need pages for itself.
FREE = f"{DROP}; {{ read -r total; read -r free; echo \"$free\"; }} </proc/meminfo"


@dataclasses.dataclass
class Result:
    status: int
    out: bytes
    err: bytes
    log: str

    def describe(self):
        tail = "\n".join(self.log.splitlines()[-40:])
        return (f"status {self.status}\nstandard output: {shown(self.out)}\n"
                f"standard error: {shown(self.err)}\nend of the log:\n{tail}")


def shown(data, most=1500):
    text = data.decode(errors="backslashreplace")
    return text if len(text) <= most else text[:most // 2] + "\n[...]\n" + text[-most // 2:]


def launch(*arguments, stdin=b"", limit=400):
    """images/run with these arguments, whatever comes of it."""
    with tempfile.NamedTemporaryFile("r", prefix="quire-log-", errors="replace") as log:
        run = subprocess.run([RUN, "--log", log.name, *arguments], input=stdin, capture_output=True, timeout=limit)
        return Result(run.returncode, run.stdout, run.stderr, log.read())


def quire(command, *options, stdin=b"", timeout=120):
    """Run `command` by the guest's shell. A run that did not come to the command's own end raises, and so does
    one without the kernel's audit (debug builds) having found all invariants kept."""
    result = launch("--build", BUILD, "--timeout", str(timeout), *options, command, stdin=stdin, limit=timeout + 60)
    check(result.status not in RESERVED or b"images/run: " not in result.err, "the run failed", result)
    check("quire: audit: ok" in result.log or "release" in BUILD, "no audit in the log", result)
    return result


def succeeds(command, *options, **more):
    """Its standard output; status must be 0 and standard error empty."""
    result = quire(command, *options, **more)
    check(result.status == 0 and result.err == b"", f"{command!r} failed", result)
    return result.out


def check(condition, what, result=None):
    if not condition:
        raise AssertionError(what + ("\n" + result.describe() if result else ""))


def equal(got, wanted, what):
    """Both bytes; on a difference shows the first lines that differ."""
    if got == wanted:
        return
    for i, (a, b) in enumerate(zip(got.split(b"\n") + [b"(end)"], wanted.split(b"\n") + [b"(end)"])):
        if a != b:
            raise AssertionError(f"{what}: line {i + 1} is\n{shown(a)}\ninstead of\n{shown(b)}")


def host(command, tree=TREE):
    """Standard output of the same busybox on the host, in a chroot of `tree`."""
    prefix = [] if os.getuid() == 0 else ["unshare", "-r"]
    words = prefix + ["chroot", tree, "/bin/busybox", "sh", "-c", command]
    environment = {"PATH": "/bin:/sbin:/usr/bin:/usr/sbin:" + os.environ["PATH"], "HOME": "/root"}
    out = subprocess.run(words, check=True, stdout=subprocess.PIPE, timeout=120, env=environment).stdout
    with contextlib.suppress(FileNotFoundError):  # what the command sent to /dev/null is a file in the tree, and not of the disk
        os.remove(os.path.join(tree, "dev", "null"))
    return out


@functools.cache
def mount_namespace():
    """The beginning of a command that may mount what it likes, seen by nobody else: as root, or else in a user namespace."""
    said = []
    for prefix in (["unshare", "-m"], ["unshare", "-rm"]):
        try:
            trial = subprocess.run([*prefix, "sh", "-c", 'mount --bind "$0" "$0" && chroot "$0" /bin/busybox true', TREE],
                                   capture_output=True, text=True, timeout=60)
        except OSError as error:
            raise AssertionError(f"unshare (util-linux) is needed: {error}") from None
        if trial.returncode == 0:
            return prefix
        said.append(f"{' '.join(prefix)}: {trial.stderr.strip() or trial.returncode}")
    raise AssertionError("this test compares with the host in a mount namespace of its own, to have a read-only tree with /dev. "
                         "Neither the right CAP_SYS_ADMIN nor user namespaces for everybody are given here "
                         "(user.max_user_namespaces, kernel.unprivileged_userns_clone; in a container: --privileged, or "
                         "--cap-add SYS_ADMIN without a seccomp or apparmor profile):\n" + "\n".join(said))


def disk(kib):
    """The default disk with blocks of `kib` KiB."""
    return os.path.join(TOP, "build", f"disk-{kib}k.img")


@contextlib.contextmanager
def temporary_folder():
    with tempfile.TemporaryDirectory(prefix="quire-test-") as folder:
        yield folder


def seeded(name):
    """A random source; QUIRE_SEED overrides the seed, which is in the log of the test if it fails."""
    seed = int(os.environ.get("QUIRE_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)
    return random.Random(f"{name} {seed}"), seed
