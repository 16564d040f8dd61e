"""Power sensors and energy counters of Linux' hwmon, such as INA219, INA226 and INA238. Source: hwmon/sysfs-interface.

energy*_input is in microjoules, power*_input and power*_average in microwatts, update_interval in milliseconds.
"""

from functools import partial
from pathlib import Path
from typing import NamedTuple

from edge_bench.bench.io.files import read_text_or_empty
from edge_bench.bench.system.power.meters import METER, Counter, Meter, Part, Timer, Wattmeter
from edge_bench.bench.system.power.values import ReadText, micro, micro_or_none, why_unreadable

__all__ = ["Candidate", "hwmon_candidates", "hwmon_meter"]

#: Chips that measure one part of a computer, such as its graphics card, and not its supply.
_PARTS = frozenset(
    ("amd_energy", "amdgpu", "fam15h_power", "i915", "nouveau", "nvme", "radeon", "xe", "zenergy", "zenpower")
)
#: Time between two updates of a sensor that does not state it, in seconds. INA219 and INA226 take less.
_ASSUMED_UPDATE_S = 0.05
#: The same of power*_average, which ACPI power meters have.
_ASSUMED_AVERAGE_S = 1.0
#: Period of reading a power sensor. A reading is a file of the kernel, which asks the sensor over I²C.
_PERIOD_S = 0.05
#: An energy counter is preferred to the power of the same chip if its updates are at most this many seconds apart.
#: Otherwise it could not measure trials of 200 ms.
_FAST_UPDATE_S = 0.003
#: Hardware monitors that the kernel makes for batteries and chargers. They do not measure what the machine takes.
_POWER_SUPPLIES = frozenset(("Battery", "Mains", "UPS", "USB", "Wireless"))


class Candidate(NamedTuple):
    """A sensor of a chip that may be the meter of the supply, or why it cannot be read."""

    path: Path
    chip: str
    problem: str = ""


def hwmon_candidates(root: Path, read: ReadText) -> list[Candidate]:
    """Return the sensors of all chips but those that are known to measure something else than the whole computer.

    A channel that has an energy counter and a power is one sensor.
    """
    found = []
    for folder in sorted(root.glob("sys/class/hwmon/hwmon*")):
        chip = read_text_or_empty(folder / "name").strip()
        if chip in _PARTS or read_text_or_empty(folder / "device/type").strip() in _POWER_SUPPLIES:
            continue
        channels: dict[str, list[Path]] = {}
        for pattern in ("energy*_input", "power*_input", "power*_average"):
            for path in sorted(folder.glob(pattern)):
                number = "".join(filter(str.isdigit, path.name))
                channels.setdefault(number, []).append(path)
        found += [_of_channel(paths, chip, read) for paths in channels.values()]
    return found


def _of_channel(paths: list[Path], chip: str, read: ReadText) -> Candidate:
    readable = [path for path in paths if not why_unreadable(path, read)]
    if not readable:
        return Candidate(paths[0], chip, why_unreadable(paths[0], read))
    first = readable[0]
    is_slow = first.name.startswith("energy") and _update_s(first, read) > _FAST_UPDATE_S
    return Candidate(readable[1] if is_slow and len(readable) > 1 else first, chip)


def hwmon_meter(path: Path, read: ReadText, timer: Timer) -> Meter:
    """Return the meter of a file, which is the energy*_input, power*_input or power*_average of a chip."""
    chip = read_text_or_empty(path.parent / "name").strip() or path.parent.name
    label = read_text_or_empty(path.with_name(f"{path.name.rpartition('_')[0]}_label")).strip()
    name, value = f"hwmon {chip}{f' {label}' if label else ''}", partial(micro_or_none, path, read)
    update_s = _update_s(path, read)
    if path.name.startswith("energy"):
        return Counter(METER, name, [Part(value)], update_s, timer)
    return Wattmeter(METER, name, value, _PERIOD_S, update_s, timer)


def _update_s(path: Path, read: ReadText) -> float:
    """Return the time in seconds over which a sensor averages, and between its updates."""
    is_average = path.name.endswith("_average")
    stated = path.with_name(f"{path.name}_interval") if is_average else path.with_name("update_interval")
    assumed = _ASSUMED_AVERAGE_S if is_average else _ASSUMED_UPDATE_S
    try:
        return 1e3 * micro(stated, read) or assumed  # milliseconds
    except (OSError, ValueError):
        return assumed
