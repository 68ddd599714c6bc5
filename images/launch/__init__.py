# SPDX-License-Identifier: MIT
"""The parts of images/run. What the guest sees of it is declared in include/abi/launch.h."""
import sys


class LaunchError(Exception):
    """The run did not come to the command's own end: message and exit status."""

    def __init__(self, text, status=125):
        super().__init__(text)
        self.status = status


def say(text):
    print(f"images/run: {text}", file=sys.stderr, flush=True)
