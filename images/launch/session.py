# SPDX-License-Identifier: MIT
"""One run of QEMU: start it with its channels, wait for its end, and tell what the end means."""
import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import termios
import time

from . import LaunchError, say
from .channels import Channel, Log, Monitor, ReaderGone, copy_to, feed_chunks, piped_terminal
from .symbols import call_trace, kernel_symbols

QEMU = "qemu-system-x86_64"
QEMU_CLEAN_END = 33   # isa-debug-exit after LAUNCH_EXIT_CLEAN
GRACE_SECONDS = 3     # from a panic or crash in the log until the machine is switched off
PR_SET_PDEATHSIG = 1


class Session:
    def __init__(self, args, work, machine):
        self.args, self.machine = args, machine
        self.keep_log = args.log is not None
        folder = os.path.join(args.build, "log")
        if not self.keep_log:
            os.makedirs(folder, exist_ok=True)
        try:
            self.log = Log(args.log or os.path.join(folder, f"run-{os.getpid()}.log"), args.verbose)
        except OSError as error:
            raise LaunchError(f"log: {error}") from None
        self.monitor = Monitor()
        self.qmp = Channel("qmp", self.monitor.main)
        self.stderr_path = work.path("qemu-stderr")
        self.on_terminal = args.command is None and sys.stdin.isatty()
        self.channels = [Channel("log", self.log.main), self.qmp]
        if args.command is not None:
            self.channels += [Channel("out", copy_to(1)), Channel("err", copy_to(2)), Channel("in", feed_chunks)]
        elif not self.on_terminal:
            self.channels.append(Channel("tty", piped_terminal))

    def devices(self):
        """QEMU's devices for the ports of include/abi/launch.h."""
        words = [word for channel in self.channels for word in channel.chardev()]
        words += ["-mon", "chardev=qmp,mode=control", "-device", "isa-debug-exit,iobase=0xf4,iosize=4",
                  "-device", "isa-debugcon,iobase=0xe9,chardev=log"]
        if self.args.command is not None:
            words += ["-device", "isa-debugcon,iobase=0xea,chardev=out",
                      "-device", "isa-debugcon,iobase=0xeb,chardev=err",
                      "-serial", "null", "-serial", "chardev:in"]
        elif self.on_terminal:
            words += ["-chardev", "stdio,id=tty,mux=on,signal=off", "-serial", "chardev:tty"]
        else:
            words += ["-serial", "chardev:tty"]
        return words

    def run(self):
        """Run to the end. Returns the exit status, or raises LaunchError."""
        with terminal_kept(self.on_terminal), terminated_as_interrupt():
            process = self.start()
            try:
                timed_out = self.wait(process)
            finally:
                if process.poll() is None:
                    process.kill()
                    process.wait()
            for channel in self.channels:
                channel.thread.join(5)
        try:
            status = self.meaning(process.returncode, timed_out)
        except LaunchError as error:
            raise LaunchError(f"{error}\nimages/run: the log is in {self.log.path}", error.status) from None
        if not self.keep_log:
            os.unlink(self.log.path)
        return status

    def start(self):
        fds = [channel.theirs.fileno() for channel in self.channels]
        libc = ctypes.CDLL(None)

        def die_with_us():
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

        try:
            with open(self.stderr_path, "wb") as stderr:
                stdio = None if self.on_terminal else subprocess.DEVNULL
                process = subprocess.Popen([QEMU] + self.machine + self.devices(), cwd=self.args.build, stdin=stdio,
                                           stdout=stdio, stderr=stderr, pass_fds=fds, preexec_fn=die_with_us)
        except OSError as error:
            raise LaunchError(f"cannot start {QEMU}: {error} (make deps)") from None
        for channel in self.channels:
            channel.start()
        return process

    def wait(self, process):
        """Until QEMU ends, time is up (True), a fatal line in the log has had its time, or our reader has gone."""
        start, fatal_at = time.monotonic(), None
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.05)
                return False
            now = time.monotonic()
            if fatal_at is None and self.log.fatal:
                fatal_at = now
            if fatal_at is not None and now - fatal_at > GRACE_SECONDS:
                return False
            if any(isinstance(channel.failure, ReaderGone) for channel in self.channels):
                return False
            if self.args.timeout and not self.args.gdb and now - start > self.args.timeout:
                with open(self.log.path, "a", encoding="utf-8") as log:
                    log.write("\nimages/run: timeout; registers:\n" + self.monitor.registers(self.qmp))
                return True

    def meaning(self, qemu_status, timed_out):
        """The exit status that this end means."""
        marks = self.log.marks
        if self.log.fatal:
            with open(self.log.path, encoding="utf-8", errors="replace") as log:
                trace = call_trace(log.read(), kernel_symbols(os.path.join(self.args.build, "quire.sym")))
            raise LaunchError(self.log.fatal + trace)
        if marks.get("audit", "ok") != "ok":
            raise LaunchError(f"audit: {marks['audit']}")
        if any(isinstance(channel.failure, ReaderGone) for channel in self.channels):
            return 128 + signal.SIGPIPE
        if timed_out:
            raise LaunchError(f"timeout: no end after {self.args.timeout:g} seconds", 124)
        if qemu_status == QEMU_CLEAN_END and marks.get("exit", "").isdecimal():
            return int(marks["exit"]) & 255
        if qemu_status == QEMU_CLEAN_END:
            raise LaunchError("switched off without saying an exit status")
        reason = self.monitor.shutdown_reason
        if reason == "guest-reset":
            raise LaunchError("triple fault or reset")
        if reason == "host-qmp-quit" and self.on_terminal:
            return 0
        with open(self.stderr_path, encoding="utf-8", errors="replace") as stderr:
            said = stderr.read().strip()
        raise LaunchError(f"QEMU error: status {qemu_status}, {reason or 'no shutdown event'}"
                          + (f": {said}" if said else ""))


@contextlib.contextmanager
def terminal_kept(on_terminal):
    """Restore the terminal's settings: QEMU does so itself, but not if it is killed."""
    saved = termios.tcgetattr(0) if on_terminal else None
    try:
        yield
    finally:
        if saved:
            termios.tcsetattr(0, termios.TCSADRAIN, saved)


@contextlib.contextmanager
def terminated_as_interrupt():
    """SIGTERM and SIGHUP unwind like Ctrl-C, so that QEMU and the temporary folder go."""
    def stop(number, _):
        raise LaunchError(f"killed by {signal.Signals(number).name}", 128 + number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    yield
