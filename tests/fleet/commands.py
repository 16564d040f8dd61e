"""Options and helpers of the tests on real engines."""

import re
import subprocess
from collections.abc import Callable

__all__ = ["QUICK", "Left", "wait_for"]

QUICK = ("--trials", 2, "--limit", 40)
Left = Callable[[], list[str]]


def wait_for(process: "subprocess.Popen[str]", pattern: str) -> None:
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if re.search(pattern, line):
            return
    raise AssertionError("".join(said))
