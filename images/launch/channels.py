# SPDX-License-Identifier: MIT
"""Byte channels between QEMU's devices and the launcher: connected socket pairs, one thread each."""
import json
import os
import socket
import threading

CHUNK_BYTES = 1024  # LAUNCH_CHUNK_BYTES


class ReaderGone(OSError):
    """Nobody reads our standard output or error any more."""


class Channel:
    """A QEMU character device `name`. self.ours is our end; run `main(self)` in a thread."""

    def __init__(self, name, main):
        self.name, self.failure = name, None
        self.ours, self.theirs = socket.socketpair()
        self.thread = threading.Thread(target=self._run, args=(main,), daemon=True)

    def chardev(self):
        return ["-chardev", f"socket,id={self.name},fd={self.theirs.fileno()}"]

    def start(self):
        """QEMU has its end: close our copy, so that its exit is our end of file."""
        self.theirs.close()
        self.thread.start()

    def _run(self, main):
        try:
            main(self)
        except OSError as error:
            self.failure = error

    def received(self):
        """Blocks of bytes until QEMU exits."""
        while block := self.ours.recv(65536):
            yield block


def write_all(fd, data):
    try:
        while data:
            data = data[os.write(fd, data):]
    except BrokenPipeError:
        raise ReaderGone from None


def copy_to(fd):
    """Copies everything to a file descriptor of ours. A reader that went away is left to the session to see."""
    def main(channel):
        for block in channel.received():
            write_all(fd, block)
    return main


def feed_chunks(channel):
    """Standard input for the guest, in chunks, once the guest has sent a byte (include/abi/launch.h)."""
    if channel.ours.recv(1):
        data = b"x"
        while data:
            data = read_stdin(CHUNK_BYTES)
            channel.ours.sendall(len(data).to_bytes(2, "little") + data)


def piped_terminal(channel):
    """COM1 without a terminal of the host: standard input goes in once the guest has said something (before
    that, setting up the UART would lose bytes), and then Ctrl-D."""
    typist = None
    for block in channel.received():
        if typist is None:
            typist = threading.Thread(target=type_stdin, args=(channel,), daemon=True)
            typist.start()
        write_all(1, block)


def type_stdin(channel):
    try:
        while data := read_stdin(CHUNK_BYTES):
            channel.ours.sendall(data)
        channel.ours.sendall(b"\x04")
    except OSError:
        pass  # the guest has ended


def read_stdin(most):
    """Up to `most` bytes of our standard input; empty at its end, or if there is none."""
    try:
        return os.read(0, most)
    except OSError:
        return b""


class Log:
    """The log of kernel and servers: kept in a file, searched for marks."""
    MARKS = ("exit ", "audit: ")
    FATAL = ("panic: ", "crash: ", "fail: ")

    def __init__(self, path, verbose):
        self.path, self.verbose, self.marks = path, verbose, {}
        self.fatal = None  # the first fatal line
        with open(path, "wb"):
            pass

    def main(self, channel):
        with open(self.path, "ab") as file:  # others may append too
            rest = b""
            for block in channel.received():
                file.write(block)
                file.flush()
                if self.verbose:
                    write_all(2, block)
                *lines, rest = (rest + block).split(b"\n")
                for line in lines:
                    self._line(line.decode(errors="replace").rstrip("\r"))
            self._line(rest.decode(errors="replace"))

    def _line(self, line):
        if not line.startswith("quire: "):
            return
        text = line.removeprefix("quire: ")
        if self.fatal is None and text.startswith(self.FATAL):
            self.fatal = text
        for mark in self.MARKS:
            if text.startswith(mark):
                self.marks.setdefault(mark.strip(": "), text.removeprefix(mark))


class Monitor:
    """QMP: tells why the machine shut down, and answers a few questions about a machine that hangs."""

    def __init__(self):
        self.shutdown_reason, self.answers = None, []
        self.answered = threading.Event()

    def main(self, channel):
        channel.ours.sendall(b'{"execute": "qmp_capabilities"}\n')
        rest = b""
        for block in channel.received():
            *lines, rest = (rest + block).split(b"\n")
            for message in map(json.loads, filter(None, lines)):
                if message.get("event") == "SHUTDOWN":
                    self.shutdown_reason = message["data"]["reason"]
                elif isinstance(message.get("return"), str):
                    self.answers.append(message["return"])
                    self.answered.set()

    def registers(self, channel):
        """The CPU's registers as text, or "" if QEMU does not answer within two seconds."""
        question = {"execute": "human-monitor-command", "arguments": {"command-line": "info registers"}}
        try:
            channel.ours.sendall(json.dumps(question).encode() + b"\n")
        except OSError:
            return ""
        return self.answers[0] if self.answered.wait(2) else ""
