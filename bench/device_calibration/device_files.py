"""Where the device file of a calibration is written, and how."""

import tempfile
from pathlib import Path

from edge_bench.bench.errors import BadInput
from edge_bench.bench.io.disk_space import unwritable
from edge_bench.bench.prediction.catalogue import reserved_names
from edge_bench.bench.prediction.device_file import Device, write_device
from edge_bench.bench.prediction.personal import devices_folder

__all__ = ["device_path", "free_name", "write_device_file"]

_SUFFIX = ".toml"


def device_path(name: str, output: Path | None) -> Path:
    """Return the path of the device file; raise BadInput if it cannot be written, before anything is measured."""
    if output is None and name in reserved_names():
        raise BadInput(
            f"--name {name}: edge-bench has a device of this name", f"use another name, such as --name my-{name}"
        )
    path = devices_folder() / f"{name}{_SUFFIX}" if output is None else output
    if path.suffix != _SUFFIX:
        raise BadInput(f"--output {path}: a device file ends in {_SUFFIX}", f"use {path.with_suffix(_SUFFIX).name}")
    if path.is_dir():
        raise BadInput(f"{path}: is a folder", "use the name of a file")
    if output is not None and not path.parent.is_dir():
        raise BadInput(f"{path.parent}: no such folder", "create it, or use another --output")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):  # the file is replaced, so its folder must be writable
            pass
    except OSError as cause:
        raise BadInput(
            f"{path.parent}: cannot be written: {cause.strerror}", "choose another file with --output"
        ) from None
    return path


def free_name(name: str) -> str:
    """Return the name, or ``my-NAME`` if edge-bench has a device of this name."""
    return f"my-{name}" if name in reserved_names() else name


def write_device_file(path: Path, device: Device) -> None:
    """Write the file, and its folder if it does not exist; raise BadInput if that fails."""
    force = "" if device.reliable else " --force"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_device(path, device)
    except OSError as cause:
        remedy = f"the measurements are kept: use them with --once{force} --output FILE"
        raise unwritable(path, cause, remedy, BadInput) from None
