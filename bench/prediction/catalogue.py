"""Devices that can be predicted: the device files of this package, and those that users have."""

from importlib import resources
from pathlib import Path

from edge_bench.bench.errors import BadInput
from edge_bench.bench.prediction.device_file import Device, read_device
from edge_bench.bench.prediction.personal import personal_files

__all__ = ["ALL_DEVICES", "device_names", "load_device", "reserved_names"]

#: Devices of ``--all-devices``, the slowest first.
ALL_DEVICES = ("zero2w", "pi3b+", "pi4", "pi5")
#: Boards that only run 32-bit systems, for which there are no parameters.
_ONLY_32_BIT = {"pi1", "pi2", "zero", "zerow", "zero1"}
_FOLDER = "devices"
_MOST_SHOWN = 20  # personal devices in a message


def device_names() -> list[str]:
    """Return the names of the devices with a file in this package."""
    folder = resources.files(__package__) / _FOLDER
    return sorted(each.name.removesuffix(".toml") for each in folder.iterdir() if each.name.endswith(".toml"))


def reserved_names() -> set[str]:
    """Return names that a device file of a user cannot have, because they mean a board."""
    return {*device_names(), *_ONLY_32_BIT}


def load_device(device: str | Path) -> Device:
    """Return a device by its name, also one that was calibrated here, or from a device file.

    Raise BadInput if there is none, or if it has a system of 32 bits.
    """
    name = str(device)
    if name.endswith(".toml"):
        found = read_device(Path(device))
    elif name.lower() in _ONLY_32_BIT:
        raise BadInput(
            f"{name} has a 32-bit system, whose kernels are others: no latency is predicted for it",
            "measure on the device, or choose a board with a 64-bit system: edge-bench predict MODEL --all-devices",
        )
    elif (lower := name.lower()) not in device_names():
        found = _personal(lower)
    else:
        with resources.as_file(resources.files(__package__) / _FOLDER / f"{lower}.toml") as path:
            found = read_device(path)
    if found.os_bits != 64:
        raise BadInput(
            f"{name} is a device file of a 32-bit system: no latency is predicted for it",
            "calibrate on a 64-bit system",
        )
    return found


def _personal(name: str) -> Device:
    """Return a device that was calibrated here; raise BadInput if there is none of this name."""
    personal = personal_files()
    if name not in personal:
        names = ", ".join([*device_names(), *list(personal)[:_MOST_SHOWN]])
        raise BadInput(
            f"no device is called {name[:80]!r}",
            f"choose from {names}, or give a device file (.toml) that edge-bench calibrate wrote",
        )
    return read_device(personal[name])
