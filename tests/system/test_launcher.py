# SPDX-License-Identifier: MIT
"""images/run itself, with tests/system/stub.asm in the place of the system."""
import os
import pty
import random
import select
import subprocess

from lib import RUN, TOP, check, equal, launch, quire, temporary_folder

STUB = os.path.join(TOP, "build", "stub")
OPTIONS = ["--build", STUB, "--disk", "none", "--mem", "32M", "--timeout", "60"]


def stub(command, *options, stdin=b""):
    return launch(*OPTIONS, *options, command, stdin=stdin)


def fails(result, status, message):
    check(result.status == status and message in result.err, f"expected status {status} and {message}", result)


def test_streams_are_byte_exact():
    data = random.Random(1).randbytes(50000) + bytes(range(256)) + b"\r\n\x00\x01x\x04"
    result = stub("echo", stdin=data)
    check(result.status == 7, "status of the command", result)
    equal(result.out, data, "standard output")
    equal(result.err, data, "standard error")


def test_empty_input():
    result = stub("echo")
    check((result.status, result.out, result.err) == (7, b"", b""), "nothing in, nothing out", result)


def test_status_of_a_signal():
    check(stub("signal").status == 139, "128 + SIGSEGV")


def test_panic():
    fails(stub("panic"), 125, b"images/run: panic: stub.asm:1: as asked")


def test_crash_of_a_server():
    fails(stub("crash"), 125, b"images/run: crash: ata at 0x6000000")


def test_failed_audit():
    fails(stub("audit"), 125, b"images/run: audit: FAILED invariant 3")


def test_triple_fault():
    fails(stub("triple"), 125, b"images/run: triple fault or reset")


def test_end_without_status():
    fails(stub("quiet"), 125, b"without saying an exit status")


def test_hang():
    result = stub("hang", "--timeout", "2")
    fails(result, 124, b"images/run: timeout: no end after 2 seconds")
    check("EIP=" in result.log, "the registers are in the log", result)


def test_qemu_error():
    fails(stub("echo", "--cpu", "nonsense"), 125, b"images/run: QEMU error: status 1")


def test_qemu_that_ends_at_once():
    with temporary_folder() as folder:
        fake = os.path.join(folder, "qemu-system-x86_64")
        with open(fake, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\nexit 3\n")
        os.chmod(fake, 0o755)
        for _ in range(5):  # what is sent to it must not be taken for our own output
            run = subprocess.run([RUN, *OPTIONS, "echo"], env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"},
                                 stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
            check(run.returncode == 125 and b"QEMU error: status 3" in run.stderr, f"{run}")


def test_closed_streams():
    for closed in ("<&-", ">&-", "2>&-", "<&- >&- 2>&-"):
        run = subprocess.run(["sh", "-c", f'"$0" "$@" {closed}', RUN, *OPTIONS, "echo"], stdin=subprocess.DEVNULL,
                             capture_output=True, timeout=100)
        check((run.returncode, run.stdout, run.stderr) == (7, b"", b""), f"{closed}: {run}")


def test_files_that_cannot_be():
    fails(launch(*OPTIONS, "--log", "/nowhere/log", "echo"), 125, b"images/run: log: ")
    fails(stub("echo", "--trace", "/proc/nowhere"), 125, b"images/run: --trace: ")


def test_long_command():
    words = "x" * 100000
    result = quire(f"echo {words}")
    equal(result.out, words.encode() + b"\n", "a command of 100 KB")


def test_values_that_begin_with_a_dash():
    result = stub("echo", "--qemu", "-snapshot", "--append", "-x", stdin=b"in")
    check(result.status == 7 and result.out == b"in", "options of QEMU in one word", result)


def test_wrong_usage():
    fails(stub("echo", "--nonsense"), 125, b"images/run: unrecognized arguments: --nonsense")
    fails(stub("echo", "--timeout", "-1"), 125, b"images/run: --timeout must be 0 or more")
    fails(launch("--build", "/nowhere", "--disk", "none", "x"), 125, b"images/run: no /nowhere/quire.elf")


def test_too_little_memory():
    for size in ("1M", "13", "1024K"):
        result = launch("--mem", size, "echo never")
        check(result.status == 125 and b"not enough memory" in result.err, f"--mem {size}", result)


def test_reader_that_goes_away():
    with subprocess.Popen([RUN, *OPTIONS, "echo"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL) as run:
        run.stdout.close()
        run.stdin.write(b"x")
        run.stdin.close()
        check(run.wait(60) == 141, "128 + SIGPIPE")


def test_piped_terminal():
    result = launch(*OPTIONS, stdin=b"words\n")
    check((result.status, result.out) == (0, b"[words]"), "a line in, a line out", result)


def on_terminal(keys):
    """Output and status of the interactive stub, when `keys` are typed after its first output."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(RUN, [RUN, *OPTIONS])
    out = b""
    while select.select([terminal], [], [], 60)[0]:
        try:
            out += os.read(terminal, 1000)
        except OSError:  # the other side is closed
            break
        if out == b"[":
            os.write(terminal, keys)
    return out, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_terminal():
    check(on_terminal(b"a\x03b\n") == (b"[a\x03b]", 0), "Ctrl-C reaches the guest")


def test_terminal_left():
    out, status = on_terminal(b"\x01x")
    check(status == 0 and b"Terminated" in out, "Ctrl-A X leaves")
