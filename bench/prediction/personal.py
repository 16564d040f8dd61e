"""Device files that this user's calibrations wrote."""

import os
from pathlib import Path

import platformdirs

from edge_bench.bench.errors import BadInput

__all__ = ["VARIABLE", "devices_folder", "personal_files"]

#: Environment variable with another folder.
VARIABLE = "EDGE_BENCH_DEVICES"


def devices_folder() -> Path:
    """Return EDGE_BENCH_DEVICES if set, else a folder of this user; raise BadInput if the user has none."""
    if named := os.environ.get(VARIABLE):
        return Path(named)
    try:
        folder = Path(platformdirs.user_data_dir("edge-bench")) / "devices"
    except (OSError, RuntimeError):  # HOME is not set, and the user is not in the password database
        folder = Path()
    if not folder.is_absolute():
        raise BadInput("this user has no folder for device files", f"use --output FILE, or set {VARIABLE}")
    return folder


def personal_files() -> dict[str, Path]:
    """Return the personal device files by name in lower case; they are not read yet."""
    try:
        return {path.stem.lower(): path for path in sorted(devices_folder().glob("*.toml"))}
    except (BadInput, OSError):
        return {}
