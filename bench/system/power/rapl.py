"""RAPL, the energy counters in processors of Intel and AMD. Source: Linux, power/powercap."""

from functools import partial
from pathlib import Path

from edge_bench.bench.io.files import read_text_or_empty
from edge_bench.bench.system.power.meters import RAPL, Counter, Part, Timer
from edge_bench.bench.system.power.values import ReadText, micro_or_none

__all__ = ["packages", "rapl_meter"]

#: The counters are updated about every millisecond. Source: Intel SDM, volume 3B, "RAPL interfaces"; Hähnel et al.
#: 2012, "Measuring energy consumption for short code paths using RAPL".
_UPDATE_S = 0.001


def packages(root: Path) -> list[Path]:
    """Return the counter of each processor package.

    The zone ``psys`` of laptops is left out, since it includes the packages, as are the cores within a package.
    """
    files = sorted(root.glob("sys/class/powercap/intel-rapl:*/energy_uj"))
    return [
        file
        for file in files
        if file.parent.name.count(":") == 1 and read_text_or_empty(file.parent / "name").startswith("package")
    ]


def rapl_meter(root: Path, read: ReadText, timer: Timer) -> Counter:
    """Return the sum of the packages' counters, each of which wraps around on its own."""
    parts = [
        Part(partial(micro_or_none, file, read), micro_or_none(file.with_name("max_energy_range_uj"), read))
        for file in packages(root)
    ]
    return Counter(RAPL, "RAPL: only the processor packages", parts, _UPDATE_S, timer)
