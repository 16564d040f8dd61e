"""What would spoil a measurement on this machine, each with its remedy."""

import os
import re
from pathlib import Path

import psutil

from bench.machine import Finding, Machine, usable_cores

__all__ = ["machine_findings"]

#: A machine this busy before anything is measured shares its cores with someone else.
BUSY_LOAD = 0.5
ENOUGH_MEMORY = 256 << 20


def machine_findings(machine: Machine, root: Path = Path("/")) -> list[Finding]:
    """Looks at the machine as it is now; empty where nothing is wrong."""
    findings = [
        _emulation(machine),
        _governor(machine),
        _load(),
        _cpu_limit(root),
        _memory(),
        _battery(root),
    ]
    return [finding for finding in findings if finding]


def _emulation(machine: Machine) -> Finding | None:
    if not machine.emulated:
        return None
    return Finding(
        what=f"EMULATED: {'; '.join(machine.emulation_signs)}; predictions count, times do not",
        remedy="measure times on the real device",
        spoils=True,
    )


def _governor(machine: Machine) -> Finding | None:
    if machine.governor in ("", "performance"):
        return None
    return Finding(
        what=f"the frequency governor is {machine.governor}, so the clock changes while measuring",
        remedy="echo performance | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor",
        spoils=False,
    )


def _load() -> Finding | None:
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    if load < BUSY_LOAD:
        return None
    return Finding(
        what=f"load average {load:.2f} over the last minute on {usable_cores()} cores: something else is running",
        remedy="stop other programs, or wait a minute if it was you",
        spoils=False,
    )


def _cpu_limit(root: Path) -> Finding | None:
    limit = re.match(r"(\d+) (\d+)", _text(root / "sys/fs/cgroup/cpu.max"))
    if not limit:
        return None
    return Finding(
        what=f"a cgroup limits this process to {int(limit[1]) / int(limit[2]):.2f} cores",
        remedy="run the container without --cpus",
        spoils=True,
    )


def _memory() -> Finding | None:
    free = psutil.virtual_memory().available
    if free >= ENOUGH_MEMORY:
        return None
    return Finding(
        what=f"only {free >> 20} MiB of memory are free",
        remedy="stop other programs: swapping spoils times",
        spoils=True,
    )


def _battery(root: Path) -> Finding | None:
    for status in (root / "sys/class/power_supply").glob("*/status"):
        if _text(status).strip() == "Discharging":
            return Finding(
                what="running on battery", remedy="plug it in: on battery clocks are held down", spoils=False
            )
    return None


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
