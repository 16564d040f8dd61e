"""Commands outside of the repository, and virtual environments without any package of the tests."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

__all__ = ["called", "index_answers", "interpreter", "new_environment", "refused"]


def _run(*command: object, cwd: Path) -> "subprocess.CompletedProcess[str]":
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("EDGE_BENCH_", "PYTHON"))}
    # uv and the other programs of the environment that runs the tests
    kept["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', os.defpath)}"
    kept.pop("VIRTUAL_ENV", None)
    return subprocess.run(
        [str(part) for part in command], cwd=cwd, env=kept, capture_output=True, text=True, check=False
    )


def called(*command: object, cwd: Path) -> str:
    """Run a command, assert that it succeeds, and return its standard output."""
    done = _run(*command, cwd=cwd)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout


def refused(*command: object, cwd: Path) -> int:
    """Run a command, assert that it fails with an error and without a traceback, and return its exit code."""
    done = _run(*command, cwd=cwd)
    assert done.returncode != 0, done.stdout[-2000:]
    assert done.stderr.startswith("error: "), done.stderr[-2000:]
    assert "Traceback" not in done.stderr
    return done.returncode


def index_answers(folder: Path) -> bool:
    """Return whether pip can download a small package."""
    pip = (sys.executable, "-m", "pip", "--retries", "0", "download", "--quiet", "--no-deps", "--no-cache-dir")
    return _run(*pip, "py-cpuinfo", cwd=folder).returncode == 0


def interpreter(version: str) -> Path | None:
    """Return an interpreter of this version, such as 3.12, from the PATH or from pyenv; None if there is none."""
    name = f"python{version}"
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    found = [shutil.which(name), *sorted(pyenv.glob(f"versions/{version}.*/bin/{name}"))]
    # pyenv's program of this name fails unless its user has chosen this version
    working = (Path(each) for each in found if each and _run(each, "-c", "import venv", cwd=Path.cwd()).returncode == 0)
    return next(working, None)


def new_environment(folder: Path, python: str | Path = sys.executable) -> Path:
    """Make a virtual environment with pip and nothing else; return its folder of programs."""
    called(python, "-m", "venv", folder, cwd=folder.parent)
    return folder / "bin"
