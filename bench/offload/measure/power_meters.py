"""Meters of energy that a device has, read below ``root`` so that a recorded tree of another can be read too.

A counter of joules is read before and after a trial. Where there is only a reading of watts, it is taken five times a
second while the trial goes on, and summed up: that costs the trial some microseconds each.
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

__all__ = ["Counter", "Meter", "Metered", "Wattmeter", "meter_of"]

_EVERY_S = 0.2
Reading = Callable[[], float | None]


@dataclass
class Metered:
    """What a meter says of one trial: filled in when it is over."""

    joules: float | None = None


class Meter(Protocol):
    """Something that tells joules."""

    @property
    def name(self) -> str:
        """What it is, and what it leaves out."""

    def watch(self) -> AbstractContextManager[Metered]:
        """Measures what happens within a ``with``."""


class Counter:
    """Joules since some moment; ``wraps_at`` is where it begins anew."""

    def __init__(self, name: str, read: Reading, wraps_at: float | None = None) -> None:
        self.name, self._read, self._wraps_at = name, read, wraps_at

    @contextmanager
    def watch(self) -> Iterator[Metered]:
        """Reads before and after."""
        metered, before = Metered(), self._read()
        yield metered
        after = self._read()
        if before is not None and after is not None:
            passed = after - before
            if passed < 0 and self._wraps_at:
                passed += self._wraps_at
            metered.joules = passed if passed >= 0 else None


class Wattmeter:
    """Watts at a moment: their mean over a trial, times its duration."""

    def __init__(self, name: str, read: Reading) -> None:
        self.name, self._read = name, read

    @contextmanager
    def watch(self) -> Iterator[Metered]:
        """Reads five times a second."""
        metered, samples, over = Metered(), list[float | None](), threading.Event()

        def sample() -> None:
            while True:
                samples.append(self._read())
                if over.wait(_EVERY_S):
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
    """The best meter that this device has and that may be read; None without one.

    First hwmon's energy*_input (microjoules), then its power*_input (microwatts; Linux, hwmon/sysfs-interface), then
    the Raspberry Pi 5's power chip, then RAPL's energy_uj (power/powercap), which knows only the processor packages.
    """
    for path in sorted(root.glob("sys/class/hwmon/hwmon*/energy*_input")):
        if _millionths(path) is not None:
            return Counter(f"hwmon {_text(path.parent / 'name')}", partial(_millionths, path))
    for pattern in ("power*_input", "power*_average"):
        for path in sorted(root.glob(f"sys/class/hwmon/hwmon*/{pattern}")):
            if _millionths(path) is not None:
                return Wattmeter(f"hwmon {_text(path.parent / 'name')}", partial(_millionths, path))
    if "Raspberry Pi 5" in _text(root / "proc/device-tree/model") and pmic_watts() is not None:
        return Wattmeter("the Pi 5's power chip: its rails, without USB and what hangs on 5 V", pmic_watts)
    return _rapl(root)


def _rapl(root: Path) -> Meter | None:
    files = sorted(root.glob("sys/class/powercap/intel-rapl:[0-9]*/energy_uj"))
    packages = [path for path in files if path.parent.name.count(":") == 1]
    if not packages or any(_millionths(path) is None for path in packages):
        return None
    wraps = _millionths(packages[0].parent / "max_energy_range_uj") if len(packages) == 1 else None

    def read() -> float | None:
        values = [_millionths(path) for path in packages]
        return None if None in values else sum(value or 0.0 for value in values)

    return Counter("RAPL: the processor packages only", read, wraps)


def pmic_watts(run: Callable[[], str] | None = None) -> float | None:
    """Sum over the rails of volts × amperes, as ``vcgencmd pmic_read_adc`` gives them; None where it does not."""
    try:
        text = (run or _vcgencmd)()
    except (OSError, subprocess.SubprocessError):
        return None
    amperes = dict(re.findall(r"(\S+)_A current\(\d+\)=([\d.]+)A", text))
    volts = dict(re.findall(r"(\S+)_V volt\(\d+\)=([\d.]+)V", text))
    rails = amperes.keys() & volts.keys()
    return sum(float(amperes[rail]) * float(volts[rail]) for rail in rails) if rails else None


def _vcgencmd() -> str:
    done = subprocess.run(["vcgencmd", "pmic_read_adc"], capture_output=True, text=True, timeout=2, check=True)
    return done.stdout


def _millionths(path: Path) -> float | None:
    text = _text(path)
    return int(text) / 1e6 if text.isdigit() else None


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip("\0 \n")
    except OSError:
        return ""
