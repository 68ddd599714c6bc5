# SPDX-License-Identifier: MIT
"""The interactive terminal: echo, editing, Ctrl-C, exit, poweroff; from the ISO too."""
import os
import pty
import re
import select
import signal
import time

from lib import BUILD, RUN, check, launch

PROMPT = "# "
NOISE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")  # what the line editor asks and says; both ends add a \r


class Terminal:
    """images/run on a pseudo-terminal."""

    def __init__(self, *options):
        self.said = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execv(RUN, [RUN, "--build", BUILD, "--timeout", "100", *options])

    def until(self, text, limit=60):
        """Read until `text` is seen; returns what came, without colours and such."""
        end = time.monotonic() + limit
        while text not in self.said:
            check(select.select([self.fd], [], [], max(0, end - time.monotonic()))[0], f"no {text!r} in {self.said!r}")
            self.said = NOISE.sub("", self.said + os.read(self.fd, 1000).decode(errors="replace"))
        before, _, self.said = self.said.partition(text)
        return before

    def type(self, keys):
        os.write(self.fd, keys.encode())

    def status(self, limit=30):
        end = time.monotonic() + limit
        while time.monotonic() < end:
            if select.select([self.fd], [], [], 0.2)[0]:
                try:
                    self.said += os.read(self.fd, 1000).decode(errors="replace")
                except OSError:
                    pass
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
        os.kill(self.pid, signal.SIGTERM)
        raise AssertionError(f"does not end: {self.said!r}")


def session(*options):
    terminal = Terminal(*options)
    terminal.until(PROMPT)
    terminal.type("echo $((6*7)) words\r")
    terminal.until("42 words\n")
    terminal.until(PROMPT)
    terminal.type("sleep 100\r")
    time.sleep(1)
    terminal.type("\x03")
    terminal.until(PROMPT)
    terminal.type("echo $?\r")
    terminal.until("130\n")
    terminal.until(PROMPT)
    terminal.type("cat\r")
    time.sleep(1)  # the shell has left its line editor, and the terminal edits lines
    terminal.type("one twx\x7fo\r")
    terminal.until("one twx\b \bo\n")  # the echo, and then what cat got
    terminal.until("one two\n")
    terminal.type("\x04")
    terminal.until(PROMPT)
    return terminal


def test_exit():
    terminal = session()
    terminal.type("exit 5\r")
    check(terminal.status() == 5, "the shell's status")


def ends_by(command, *options):
    terminal = Terminal(*options)
    terminal.until(PROMPT)
    terminal.type(command + "\r")
    check(terminal.status() == 0, f"a clean end by {command}")


def test_poweroff():
    ends_by("poweroff")


def test_reboot():
    ends_by("reboot -f")


def test_iso():
    terminal = session("--iso", os.path.join(BUILD, "quire.iso"))
    terminal.type("exit\r")
    check(terminal.status() == 0, "a clean end")


def test_iso_poweroff():
    ends_by("halt", "--iso", os.path.join(BUILD, "quire.iso"))


def test_piped():
    result = launch("--build", BUILD, "--timeout", "60", stdin=b"echo from a $((1+1))-sided pipe\nexit 3\n")
    check(result.status == 3 and b"from a 2-sided pipe" in result.out, "commands through a pipe", result)
