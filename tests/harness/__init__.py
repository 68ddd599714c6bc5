# SPDX-License-Identifier: MIT
"""What runs and counts the tests."""
import dataclasses


@dataclasses.dataclass
class Outcome:
    """One line of the report: a system test, or a whole unit suite."""
    name: str
    passed: int
    failed: int
    seconds: float
    detail: str = ""  # why it failed

    def __str__(self):
        line = "ok    " if not self.failed else "FAILED"
        count = f" ({self.passed} of {self.passed + self.failed})" if self.passed + self.failed > 1 else ""
        text = f"{line} {self.name}{count} {self.seconds:.1f} s"
        return text + "".join("\n    " + row for row in self.detail.splitlines()) if self.failed else text
