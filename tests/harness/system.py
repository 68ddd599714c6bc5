# SPDX-License-Identifier: MIT
"""System tests: every function test_* of tests/system/test_*.py is one test; it fails by raising."""
import concurrent.futures
import glob
import importlib.util
import os
import sys
import time
import traceback

from . import Outcome

FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(__file__))), "system")


def system_tests(only, jobs):
    """Yield outcomes in the tests' order, running `jobs` at a time."""
    found = [(name, function) for name, function in discovered() if only in name]
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(lambda pair: run_one(*pair), found)


def discovered():
    sys.path.insert(0, FOLDER)
    for path in sorted(glob.glob(os.path.join(FOLDER, "test_*.py"))):
        stem = os.path.basename(path).removesuffix(".py")
        spec = importlib.util.spec_from_file_location(stem, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        for name, value in vars(module).items():
            if name.startswith("test_") and callable(value):
                yield f"system/{stem.removeprefix('test_')}/{name.removeprefix('test_')}", value


def run_one(name, function):
    start = time.monotonic()
    try:
        function()
        return Outcome(name, 1, 0, time.monotonic() - start)
    except AssertionError as error:  # says by itself what is wrong
        return Outcome(name, 0, 1, time.monotonic() - start, str(error))
    except Exception:  # whatever it is: the test has failed, and the others go on
        return Outcome(name, 0, 1, time.monotonic() - start, traceback.format_exc())
