"""What changes while a machine is measured: heat, clock, throttling, and who else uses its processors.

Read by the parent before and after each trial, never during one. Everything is below ``root``, so that a recorded tree
of another machine can be read too. What a machine does not say is None or empty, never guessed.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

__all__ = ["MachineState", "Sensors", "throttling"]

#: Bits of the Raspberry Pi firmware's get_throttled; 16 higher, each says that it has happened since boot.
#: Source: Raspberry Pi documentation, "vcgencmd get_throttled".
FIRMWARE_BITS = {
    0: "under-voltage",
    1: "the firmware capped the clock",
    2: "the firmware throttled the processor",
    3: "the soft temperature limit was reached",
}
#: Where the Pi's kernels have had that file.
_FIRMWARE_FILES = (
    "sys/devices/platform/soc/soc:firmware/get_throttled",
    "sys/devices/platform/soc:firmware/get_throttled",
    "sys/devices/platform/soc*/*firmware/get_throttled",
)
_CGROUP_FILES = ("sys/fs/cgroup/cpu.stat", "sys/fs/cgroup/cpu/cpu.stat", "sys/fs/cgroup/cpu,cpuacct/cpu.stat")


class MachineState(msgspec.Struct, frozen=True, kw_only=True):
    """A machine at one moment."""

    temperature_c: float | None = None  # of its hottest thermal zone
    frequency_low_mhz: float | None = None  # of the slowest core
    frequency_high_mhz: float | None = None
    firmware: int | None = None  # the Raspberry Pi's get_throttled
    thermal_events: int | None = None  # times that the cores were throttled for heat since boot (x86)
    quota_events: int | None = None  # periods in which a cgroup's CPU limit stopped this container
    busy_ns: int | None = None  # processor time used by everyone since boot, on all cores, without what was stolen
    steal_ns: int | None = None  # processor time that a hypervisor gave to others


class Sensors:
    """The files that this machine has, found once; reading them takes some tens of microseconds."""

    def __init__(self, root: Path = Path("/"), *, emulated: bool = False) -> None:
        """Under an emulator the files are those of another machine than the one described, so none is read."""
        self._root = root
        found = [] if emulated else [root]
        self._temperatures = [
            path for top in found for path in sorted(top.glob("sys/class/thermal/thermal_zone*/temp"))
        ]
        self._frequencies = [
            path for top in found for path in sorted(top.glob("sys/devices/system/cpu/cpu*/cpufreq/scaling_cur_freq"))
        ]
        self._events = [
            path
            for top in found
            for path in sorted(top.glob("sys/devices/system/cpu/cpu*/thermal_throttle/*_throttle_count"))
        ]
        self._firmware = next((p for top in found for name in _FIRMWARE_FILES for p in sorted(top.glob(name))), None)
        self._cgroup = next((top / name for top in found for name in _CGROUP_FILES if (top / name).is_file()), None)
        self._stat = next((top / "proc/stat" for top in found if (top / "proc/stat").is_file()), None)

    def read(self) -> MachineState:
        """The machine now."""
        temperatures = [value / 1000 for value in self._numbers(self._temperatures)]
        frequencies = [value / 1000 for value in self._numbers(self._frequencies)]
        events = list(self._numbers(self._events))
        busy, stolen = self._processor_time()
        return MachineState(
            temperature_c=max(temperatures, default=None),
            frequency_low_mhz=min(frequencies, default=None),
            frequency_high_mhz=max(frequencies, default=None),
            firmware=self._firmware_bits(),
            thermal_events=sum(events) if events else None,
            quota_events=self._quota_events(),
            busy_ns=busy,
            steal_ns=stolen,
        )

    def _numbers(self, paths: list[Path]) -> Iterator[int]:
        for path in paths:
            text = _text(path).strip()
            if re.fullmatch(r"-?\d+", text):  # a zone that is switched off answers with an error
                yield int(text)

    def _firmware_bits(self) -> int | None:
        text = _text(self._firmware).strip() if self._firmware else ""
        return int(text, 16) if re.fullmatch(r"(0x)?[0-9a-fA-F]{1,8}", text) else None

    def _quota_events(self) -> int | None:
        stated = re.search(r"^nr_throttled (\d+)", _text(self._cgroup), re.MULTILINE) if self._cgroup else None
        return int(stated[1]) if stated else None

    def _processor_time(self) -> tuple[int | None, int | None]:
        """Busy and stolen, from /proc/stat: user nice system idle iowait irq softirq steal …, in ticks; proc(5)."""
        fields = _text(self._stat).split("\n", 1)[0].split() if self._stat else []
        if len(fields) < 9 or fields[0] != "cpu":
            return None, None
        user, nice, system, _idle, _iowait, irq, softirq, steal = (int(field) for field in fields[1:9])
        tick_ns = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
        return (user + nice + system + irq + softirq) * tick_ns, steal * tick_ns


def throttling(before: MachineState, after: MachineState) -> list[str]:
    """Why the machine was slower than it can be between two moments, in words; empty where it was not.

    A firmware bit counts where it is set at either end, or where its since-boot twin has come up in between.
    """
    reasons = []
    if before.firmware is not None and after.firmware is not None:
        now = before.firmware | after.firmware | ((after.firmware & ~before.firmware) >> 16)
        reasons += [words for bit, words in FIRMWARE_BITS.items() if now >> bit & 1]
    if (after.thermal_events or 0) > (before.thermal_events or 0):
        reasons.append("the cores were throttled for heat")
    if (after.quota_events or 0) > (before.quota_events or 0):
        reasons.append("a CPU limit stopped this container")
    return reasons


def _text(path: Path | None) -> str:
    try:
        return path.read_text(errors="replace") if path else ""
    except OSError:
        return ""
