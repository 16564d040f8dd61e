"""The program pnnx, which converts .onnx files to ncnn's format: found, or installed into the user's cache.

Its package on the index requires PyTorch, several hundred MB, for its Python functions. The program in its wheel does
not need it. So this installs the wheel alone, without its requirements, and checks it against ``pnnx.txt``.
"""

import hashlib
import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from edge_bench.bench.errors import BadInput, MissingDependency
from edge_bench.bench.io.disk_space import unwritable
from edge_bench.bench.io.temporary import cache_folder
from edge_bench.bench.progress import Progress
from edge_bench.bench.runtimes import RUNTIMES, installed_version, why_not_installed

__all__ = ["Pnnx", "pnnx_program", "require_libraries"]

EXTRA = "pip install 'edge-bench[host,ncnn-export]'"
_LOCK = Path(__file__).with_name("pnnx.txt")
_DOWNLOAD = "30 MB"
_SECONDS = 600
_BY_HAND = "on a machine without a network, copy the wheel of pnnx here and run: pip install --no-deps pnnx-….whl"


class Pnnx(NamedTuple):
    """The installed program."""

    path: Path
    version: str


def require_libraries() -> None:
    """Raise MissingDependency if a Python library for the conversion is missing. Nothing is imported."""
    for library in ("onnx", "tf2onnx"):
        if importlib.util.find_spec(library) is None:
            raise MissingDependency(f"--to ncnn needs {library}, which is not installed", EXTRA)
    if installed_version(RUNTIMES["ncnn"]) is None:
        raise why_not_installed(RUNTIMES["ncnn"])


def pnnx_program(progress: Progress) -> Pnnx:
    """Return the program: of this environment's package pnnx, otherwise of the cache, where it is installed if missing.

    Raise MissingDependency if it cannot be installed.
    """
    if (found := _installed()) is not None:
        return found
    version = _LOCK.read_text().split("==", 1)[1].split()[0]
    digest = hashlib.sha256(_LOCK.read_bytes()).hexdigest()[:8]
    folder = cache_folder() / f"pnnx-{version}-{digest}"
    path = folder / "pnnx" / "pnnx"
    if not path.is_file():
        progress.start(f"downloading pnnx {version}, {_DOWNLOAD}", 1)
        try:
            _install(folder, version)
            progress.advance()
        finally:
            progress.finish()
    return Pnnx(path, version)


def _installed() -> Pnnx | None:
    """Return the program of the package in this environment, without importing it, because that imports PyTorch."""
    try:
        package = importlib.metadata.distribution("pnnx")
    except importlib.metadata.PackageNotFoundError:
        return None
    path = Path(str(package.locate_file("pnnx/pnnx")))
    return Pnnx(path, package.version) if path.is_file() else None


def _install(folder: Path, version: str) -> None:
    if importlib.util.find_spec("pip") is None:
        raise MissingDependency(
            f"--to ncnn needs pnnx {version}, and there is no pip to install it",
            "install it in this environment without its requirements, for example: uv pip install --no-deps pnnx",
        )
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".pnnx-") as temporary:
            target = Path(temporary, "pnnx")
            _run_pip(target, version)
            if not folder.exists():  # otherwise another process was faster
                shutil.rmtree(folder, ignore_errors=True)
                target.replace(folder)
    except OSError as cause:
        raise unwritable(
            folder, cause, "set EDGE_BENCH_CACHE to a writable folder", BadInput, what="pnnx cannot be stored there"
        ) from None


def _run_pip(target: Path, version: str) -> None:
    """Install the locked wheel into a folder; raise MissingDependency if pip fails."""
    command = [
        sys.executable, "-m", "pip", "install", "--quiet", "--no-input", "--no-deps", "--only-binary", ":all:",
        "--require-hashes", "--retries", "1", "--timeout", "20", "--target", str(target), "-r", str(_LOCK),
    ]  # fmt: skip
    environment = os.environ | {"PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=_SECONDS, env=environment, check=False
        )
    except subprocess.TimeoutExpired:
        raise MissingDependency(
            f"pnnx {version} was not downloaded within {_SECONDS // 60} minutes", _BY_HAND
        ) from None
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        reason = errors[-1].removeprefix("ERROR: ")[:200] if errors else f"pip ended with exit code {done.returncode}"
        if "Retrying" in done.stderr:  # then pip's errors only say that it knows no version
            reason = "the package index does not answer"
        raise MissingDependency(f"pnnx {version} cannot be downloaded: {reason}", _BY_HAND)
