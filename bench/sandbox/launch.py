"""How to start one of this project's modules in the sandbox."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from edge_bench.bench.io.python_process import module_command
from edge_bench.bench.sandbox.support import Support

__all__ = ["Access", "Plan", "sandboxed_command"]


class Access(NamedTuple):
    """The user's files that a process may use, besides Python and its libraries."""

    read: Sequence[Path] = ()  # files, or folders with everything in them
    scratch: Path | None = None  # a folder to write in
    program: Path | None = None  # the only other program that it may become
    devices: Sequence[Path] = ()  # device files, or folders of them, to open for reading, writing and control


class Plan(NamedTuple):
    """The restrictions that ``edge_bench.bench.sandbox`` applies to its process before it runs a module."""

    landlock: int  # version of the interface to use; 0: none
    seccomp: bool
    read: list[str]
    write: list[str]
    program: str = ""  # that may be executed; empty: none
    devices: Sequence[str] = ()

    def encode(self) -> str:
        """Return it as ASCII text. Names that are not UTF-8 are preserved."""
        return json.dumps(self._asdict())

    @classmethod
    def decode(cls, text: str) -> "Plan":
        """Return the plan that ``encode`` wrote."""
        return cls(**json.loads(text))


def sandboxed_command(module: str, access: Access, support: Support) -> list[str]:
    """Return the command that runs a module in the sandbox, with the parts in ``support``."""
    plan = Plan(
        support.landlock,
        support.seccomp,
        [str(path.absolute()) for path in access.read],
        [] if access.scratch is None else [str(access.scratch.absolute())],
        "" if access.program is None else str(access.program.absolute()),
        [str(path) for path in access.devices],
    )
    return [*module_command("edge_bench.bench.sandbox"), plan.encode(), module]
