"""The power chip (PMIC) of the Raspberry Pi 5, which measures voltage and current of its rails."""

import re
import subprocess
from collections.abc import Callable

from edge_bench.bench.system.power.meters import PMIC, REAL_TIME, Timer, Wattmeter

__all__ = ["Print", "pmic_meter", "pmic_watts", "vcgencmd"]

Print = Callable[[], str]
#: Period of reading the chip. Each reading starts a program.
_PERIOD_S = 0.2


def pmic_watts(text: str) -> float | None:
    """Return the sum of volts × amperes over the rails of ``vcgencmd pmic_read_adc``; None if it reports none."""
    amperes = dict(re.findall(r"(\S+)_A current\(\d+\)=([\d.]+)A", text))
    volts = dict(re.findall(r"(\S+)_V volt\(\d+\)=([\d.]+)V", text))
    rails = amperes.keys() & volts.keys()
    try:
        return sum(float(amperes[rail]) * float(volts[rail]) for rail in rails) if rails else None
    except ValueError:
        return None


def pmic_meter(printed: Print, timer: Timer = REAL_TIME) -> Wattmeter:
    """Return the meter; ``printed`` returns what the program prints."""

    def read() -> float | None:
        try:
            return pmic_watts(printed())
        except (OSError, subprocess.SubprocessError):
            return None

    name = "the Pi 5's power chip: its rails, without USB and devices powered from 5 V"
    return Wattmeter(PMIC, name, read, _PERIOD_S, timer=timer)


def vcgencmd() -> str:
    """Return what ``vcgencmd pmic_read_adc`` prints. Raise OSError or SubprocessError if it fails."""
    command = ["vcgencmd", "pmic_read_adc"]
    return subprocess.run(command, capture_output=True, text=True, timeout=2, check=True).stdout
