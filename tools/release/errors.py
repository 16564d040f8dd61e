"""Errors of a release, and the commands that it calls."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

__all__ = ["ReleaseError", "call", "say"]

_ROOT = Path(__file__).resolve().parent.parent.parent


class ReleaseError(Exception):
    """The release cannot go on. The message says why, and what to do."""


def say(text: str) -> None:
    """Print a step of the release to standard error."""
    print(text, file=sys.stderr, flush=True)


def call(command: Sequence[object], environment: Mapping[str, str] | None = None, *, folder: Path = _ROOT) -> str:
    """Run a command in the repository, and return its standard output; raise ReleaseError with its last lines."""
    words = [str(each) for each in command]
    # uv is beside the interpreter
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    variables = {**os.environ, "PATH": path, **(environment or {})}
    try:
        done = subprocess.run(words, cwd=folder, env=variables, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise ReleaseError(f"{words[0]} is not installed: see CONTRIBUTING.md, “Release”") from None
    if done.returncode:
        last = "\n".join((done.stderr or done.stdout).strip().splitlines()[-8:])
        raise ReleaseError(f"`{' '.join(words[:4])} …` ended with exit code {done.returncode}:\n{last}")
    return done.stdout
