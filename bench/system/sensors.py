"""Sensors of the machine: temperature, clock, throttling and CPU time.

The parent process reads them before and after each trial, never during one. All files are below ``root``, so that a
recorded file tree of another machine can be read too. Unknown values are None or empty, never guessed.
"""

import os
import re
from collections.abc import Collection, Iterator
from pathlib import Path

import msgspec

from edge_bench.bench.io.files import read_text_or_empty

__all__ = ["MachineState", "Sensors", "throttling"]

#: Bits of the Raspberry Pi firmware's get_throttled. The bit 16 higher is set if it has happened since boot.
#: Source: Raspberry Pi documentation, "vcgencmd get_throttled".
FIRMWARE_BITS = {
    0: "under-voltage",
    1: "the firmware capped the clock",
    2: "the firmware throttled the processor",
    3: "the soft temperature limit was reached",
}
#: Paths of that file in different kernels of the Pi.
_FIRMWARE_FILES = (
    "sys/devices/platform/soc/soc:firmware/get_throttled",
    "sys/devices/platform/soc:firmware/get_throttled",
    "sys/devices/platform/soc*/*firmware/get_throttled",
)
_CGROUP_FILES = ("sys/fs/cgroup/cpu.stat", "sys/fs/cgroup/cpu/cpu.stat", "sys/fs/cgroup/cpu,cpuacct/cpu.stat")


class MachineState(msgspec.Struct, frozen=True, kw_only=True):
    """The readings of all sensors at one moment."""

    temperature_c: float | None = None  # of the hottest thermal zone
    frequency_low_mhz: float | None = None  # of the slowest measured core
    frequency_high_mhz: float | None = None  # of the fastest measured core
    firmware: int | None = None  # bits of the Raspberry Pi's get_throttled
    thermal_events: int | None = None  # number of throttlings of all cores for heat since boot (x86)
    quota_events: int | None = None  # number of periods in which a cgroup's CPU limit stopped this container
    busy_ns: int | None = None  # CPU time of all processes on the measured cores since boot, without steal time
    steal_ns: int | None = None  # CPU time that a hypervisor gave to other virtual machines since boot
    other_cores_ns: int | None = None  # busy_ns of the cores that --cpus leaves out; None: it leaves out none


class Sensors:
    """The sensor files of this machine, found once. Reading them takes some tens of microseconds."""

    def __init__(self, root: Path = Path("/"), *, emulated: bool = False, cores: Collection[int] | None = None) -> None:
        """Find the files; none under an emulator, because they belong to its host.

        ``cores`` are the measured ones, whose clocks are read, and whose CPU time is separate from that of the others;
        None: all.
        """
        self._cpu_lines = ["cpu"] if cores is None else [f"cpu{core}" for core in cores]

        def find(*patterns: str) -> list[Path]:
            return [] if emulated else [path for pattern in patterns for path in sorted(root.glob(pattern))]

        self._temperatures = find("sys/class/thermal/thermal_zone*/temp")
        clocked = ["cpu*"] if cores is None else self._cpu_lines
        self._frequencies = find(*(f"sys/devices/system/cpu/{each}/cpufreq/scaling_cur_freq" for each in clocked))
        self._events = find("sys/devices/system/cpu/cpu*/thermal_throttle/*_throttle_count")
        self._firmware = next(iter(find(*_FIRMWARE_FILES)), None)
        self._cgroup = next((path for path in find(*_CGROUP_FILES) if path.is_file()), None)
        self._stat = next((path for path in find("proc/stat") if path.is_file()), None)

    def read(self) -> MachineState:
        """Return the present readings."""
        temperatures = [value / 1000 for value in self._numbers(self._temperatures)]
        frequencies = [value / 1000 for value in self._numbers(self._frequencies)]
        events = list(self._numbers(self._events))
        busy, steal, other_cores = self._cpu_time()
        return MachineState(
            temperature_c=max(temperatures, default=None),
            frequency_low_mhz=min(frequencies, default=None),
            frequency_high_mhz=max(frequencies, default=None),
            firmware=self._firmware_bits(),
            thermal_events=sum(events) if events else None,
            quota_events=self._quota_events(),
            busy_ns=busy,
            steal_ns=steal,
            other_cores_ns=other_cores,
        )

    def _numbers(self, paths: list[Path]) -> Iterator[int]:
        for path in paths:
            text = read_text_or_empty(path).strip()
            if re.fullmatch(r"-?\d+", text):  # reading a disabled zone is an error
                yield int(text)

    def _firmware_bits(self) -> int | None:
        text = read_text_or_empty(self._firmware).strip() if self._firmware else ""
        return int(text, 16) if re.fullmatch(r"(0x)?[0-9a-fA-F]{1,8}", text) else None

    def _quota_events(self) -> int | None:
        text = read_text_or_empty(self._cgroup) if self._cgroup else ""
        match = re.search(r"^nr_throttled (\d+)", text, re.MULTILINE)
        return int(match[1]) if match else None

    def _cpu_time(self) -> tuple[int | None, int | None, int | None]:
        """Return busy and steal time of the measured cores, and busy time of the others, in ns; see proc(5).

        /proc/stat counts in ticks. The fields of a line are user nice system idle iowait irq softirq steal.
        """
        text = read_text_or_empty(self._stat) if self._stat else ""
        lines = {fields[0]: fields[1:9] for line in text.splitlines() if len(fields := line.split()) >= 9}
        if not lines.keys() >= {"cpu", *self._cpu_lines}:
            return None, None, None
        busy, steal = (sum(each) for each in zip(*(_ticks(lines[name]) for name in self._cpu_lines), strict=True))
        tick_ns = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
        others = None if self._cpu_lines == ["cpu"] else max(0, _ticks(lines["cpu"])[0] - busy) * tick_ns
        return busy * tick_ns, steal * tick_ns, others


def _ticks(fields: list[str]) -> tuple[int, int]:
    """Return the ticks in which a core was busy, and those that a hypervisor took."""
    user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, fields)
    return user + nice + system + irq + softirq, steal


def throttling(before: MachineState, after: MachineState) -> list[str]:
    """Return the reasons why the machine was throttled between two readings, as text; empty if it was not.

    A firmware bit counts if it is set in either reading, or if its since-boot bit was set in between.
    """
    reasons = []
    if before.firmware is not None and after.firmware is not None:
        bits = before.firmware | after.firmware | ((after.firmware & ~before.firmware) >> 16)
        reasons += [reason for bit, reason in FIRMWARE_BITS.items() if bits >> bit & 1]
    if (after.thermal_events or 0) > (before.thermal_events or 0):
        reasons.append("the cores were throttled for heat")
    if (after.quota_events or 0) > (before.quota_events or 0):
        reasons.append("a CPU limit stopped this container")
    return reasons
