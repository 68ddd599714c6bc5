# SPDX-License-Identifier: MIT
"""A temporary folder for one run."""
import os
import shutil
import tempfile


class Work:
    """Context: a folder that is removed at the end; path(name) is a file in it."""

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="quire-")
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.folder, name)
