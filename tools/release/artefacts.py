"""Wheel and sdist, and their checksums."""

import hashlib
import shutil
import sys
import tarfile
import zipfile
from pathlib import Path

from tools.release.errors import ReleaseError, call

__all__ = ["build", "write_checksums"]


def build(folder: Path, version: str) -> list[Path]:
    """Build the sdist, and the wheel from it; return both. Raise ReleaseError if they are of another version."""
    shutil.rmtree(folder, ignore_errors=True)
    # setuptools is locked and installed here, so nothing is downloaded
    call(["uv", "build", "--no-build-isolation", "--python", sys.executable, "--out-dir", folder, "."])
    wheel, sdist = folder / f"edge_bench-{version}-py3-none-any.whl", folder / f"edge_bench-{version}.tar.gz"
    for file, is_readable in ((wheel, zipfile.is_zipfile), (sdist, tarfile.is_tarfile)):
        if not file.is_file() or not is_readable(file):
            raise ReleaseError(f"{file} was not built: bench/version.py and the build disagree about the version")
    return [wheel, sdist]


def write_checksums(files: list[Path], target: Path) -> Path:
    """Write the SHA-256 of files, in the format of sha256sum."""
    target.write_text("".join(f"{hashlib.sha256(each.read_bytes()).hexdigest()}  {each.name}\n" for each in files))
    return target
