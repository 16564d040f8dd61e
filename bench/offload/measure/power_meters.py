"""Energy meters built into a device. All files are read below ``root``, so that tests can use another tree.

An energy counter is read before and after a trial. A power sensor is read five times per second during the trial and
averaged. Each reading costs the trial a few microseconds.
"""

import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from edge_bench.bench.io.files import read_text_or_empty

__all__ = ["Counter", "Meter", "Metered", "Wattmeter", "meter_of"]

_SAMPLING_PERIOD_S = 0.2
Read = Callable[[], float | None]


@dataclass
class Metered:
    """The energy of one trial. ``joules`` is set when the trial ends, and stays None without a valid reading."""

    joules: float | None = None


class Meter(Protocol):
    """An energy meter."""

    @property
    def name(self) -> str:
        """The device that it reads, and what is not included."""

    def watch(self) -> AbstractContextManager[Metered]:
        """Measure the energy used within a ``with`` block."""


class Counter:
    """An energy counter in joules that starts again from zero at ``wraps_at``."""

    def __init__(self, name: str, read: Read, wraps_at: float | None = None) -> None:
        self.name, self._read, self._wraps_at = name, read, wraps_at

    @contextmanager
    def watch(self) -> Iterator[Metered]:
        """Read the counter before and after the block."""
        metered, before = Metered(), self._read()
        yield metered
        after = self._read()
        if before is not None and after is not None:
            joules = after - before
            if joules < 0 and self._wraps_at:
                joules += self._wraps_at
            metered.joules = joules if joules >= 0 else None


class Wattmeter:
    """A power sensor in watts; energy is mean power times duration."""

    def __init__(self, name: str, read: Read) -> None:
        self.name, self._read = name, read

    @contextmanager
    def watch(self) -> Iterator[Metered]:
        """Read the sensor five times per second during the block."""
        metered, samples, over = Metered(), list[float | None](), threading.Event()

        def sample() -> None:
            while True:
                samples.append(self._read())
                if over.wait(_SAMPLING_PERIOD_S):
                    return

        thread, began = threading.Thread(target=sample, daemon=True), time.monotonic()
        thread.start()
        try:
            yield metered
        finally:
            over.set()
            thread.join()
        watts = [sample for sample in samples if sample is not None]
        if watts:
            metered.joules = sum(watts) / len(watts) * (time.monotonic() - began)


def meter_of(root: Path = Path("/")) -> Meter | None:
    """Return the best readable energy meter of this device, or None.

    In order of preference: hwmon's energy*_input (microjoules), hwmon's power*_input and power*_average (microwatts;
    both in Linux, hwmon/sysfs-interface), the Raspberry Pi 5's power chip, and RAPL's energy_uj (microjoules; Linux,
    power/powercap), which covers the processor packages only.
    """
    for pattern in ("energy*_input", "power*_input", "power*_average"):
        for path in sorted(root.glob(f"sys/class/hwmon/hwmon*/{pattern}")):
            if _read_micro(path) is not None:
                name = f"hwmon {read_text_or_empty(path.parent / 'name').strip()}"
                return (Counter if pattern == "energy*_input" else Wattmeter)(name, partial(_read_micro, path))
    if "Raspberry Pi 5" in read_text_or_empty(root / "proc/device-tree/model") and pmic_watts() is not None:
        return Wattmeter("the Pi 5's power chip: its rails, without USB and devices powered from 5 V", pmic_watts)
    return _rapl(root)


def _rapl(root: Path) -> Meter | None:
    files = sorted(root.glob("sys/class/powercap/intel-rapl:[0-9]*/energy_uj"))
    packages = [path for path in files if path.parent.name.count(":") == 1]
    if not packages or any(_read_micro(path) is None for path in packages):
        return None
    wraps_at = _read_micro(packages[0].parent / "max_energy_range_uj") if len(packages) == 1 else None

    def read() -> float | None:
        values = [_read_micro(path) for path in packages]
        return None if None in values else sum(value or 0.0 for value in values)

    return Counter("RAPL: only the processor packages", read, wraps_at)


def pmic_watts(run: Callable[[], str] | None = None) -> float | None:
    """Return the sum of volts × amperes over the rails in ``vcgencmd pmic_read_adc``, or None if it reports none."""
    try:
        text = (run or _vcgencmd)()
    except (OSError, subprocess.SubprocessError):
        return None
    amperes = dict(re.findall(r"(\S+)_A current\(\d+\)=([\d.]+)A", text))
    volts = dict(re.findall(r"(\S+)_V volt\(\d+\)=([\d.]+)V", text))
    rails = amperes.keys() & volts.keys()
    return sum(float(amperes[rail]) * float(volts[rail]) for rail in rails) if rails else None


def _vcgencmd() -> str:
    command = ["vcgencmd", "pmic_read_adc"]
    return subprocess.run(command, capture_output=True, text=True, timeout=2, check=True).stdout


def _read_micro(path: Path) -> float | None:
    """Return a file's value in joules or watts from microjoules or microwatts; None if it is not an integer."""
    text = read_text_or_empty(path).strip("\0 \n")
    return int(text) / 1e6 if text.isdigit() else None
