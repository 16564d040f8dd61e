"""Kill `edge-bench tune` at every operation on a file.

``python -m tests.bench.system.tuning.kill_points FOLDER`` prints, as JSON, the number of kills of each machine and
action, and every kill after which `tune --restore` did not leave the machine as it was. Each action runs in a fork
of this process, so that nothing is imported again.
"""

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

from edge_bench.bench.system.tuning.settings import plan_for
from edge_bench.bench.system.tuning.tune import change, restore
from tests.bench.system.tuning.machines import MACHINES, FakeKernel, contents

#: What is killed on each machine. The others differ from these only in their settings.
_COMMANDS = {"pi_4": ("tune", "tune again", "restore"), "pi_5": ("tune", "restore"), "laptop": ("tune", "restore")}
_OPERATIONS = ("os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.chmod")
_RECORD = "edge-bench"
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class _Killer:
    """Kill this process at the operation with this number, counted from 1; 0: never."""

    def __init__(self, number: int) -> None:
        self._left = number

    def count(self) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        is_written = event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITING
        if (event in _OPERATIONS or is_written) and _RECORD in os.fsdecode(arguments[0]):
            self.count()  # the kernel's own files have points of their own

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function with a point before and after each call."""

        def call(*arguments: Any) -> Any:
            self.count()
            result = function(*arguments)
            self.count()
            return result

        return call


def tune(root: Path, cpus: str) -> None:
    """Tune a machine; interrupts are moved away from ``cpus``."""
    files = FakeKernel(root)
    change(files, lambda _: plan_for(files, cpus), lambda plan, _: bool(plan.changes))


def killed(action: Callable[[], object], number: int) -> bool:
    """Do something in a fork, and kill it at an operation; return whether it had that many. Other ends are errors."""
    child = os.fork()
    if not child:
        code = 1
        try:
            killer = _Killer(number)
            sys.addaudithook(killer.audit)
            with (
                mock.patch.object(FakeKernel, "point", killer.count),
                mock.patch.object(os, "fsync", killer.around(lambda _: None)),  # no disk is part of the test
            ):
                action()
            code = 0
        finally:
            os._exit(code)
    status = os.waitpid(child, 0)[1]
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def main(folder: Path) -> None:
    """Print the results of all machines."""
    kills: dict[str, int] = {}
    wrong: list[str] = []
    root = folder / "root"
    for name, commands in _COMMANDS.items():
        before = contents(MACHINES[name](folder / name))
        tune(Path(shutil.copytree(folder / name, folder / f"tuned {name}", symlinks=True)), "1")
        assert contents(folder / f"tuned {name}") != before, name
        for command in commands:
            start = folder / (f"tuned {name}" if command == "restore" else name)
            action = (lambda: restore(FakeKernel(root))) if command == "restore" else (lambda: tune(root, "1"))
            for number in range(1, 1000):
                shutil.copytree(start, root, symlinks=True)
                was_killed = killed(action, number)
                if command == "tune again":
                    tune(root, "0")
                restore(FakeKernel(root))
                if contents(root) != before:
                    wrong.append(f"{name}: {command}, operation {number}")
                shutil.rmtree(root)
                if not was_killed:
                    break
                kills[f"{name}: {command}"] = number
    print(json.dumps({"kills": kills, "wrong": wrong}))


if __name__ == "__main__":
    with mock.patch.object(os, "fsync", return_value=None):
        main(Path(sys.argv[1]))
