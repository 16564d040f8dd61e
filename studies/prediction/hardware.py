"""What data sheets say about the cores and boards of the table, and about boards without rows.

Cache sizes are those of Linux's device trees. MACs per cycle and bandwidths of one core come with the table (cpufp and
sbc-bench) and were not checked.
"""

from dataclasses import dataclass

__all__ = [
    "BIG_LITTLE",
    "BOARDS",
    "CORES",
    "DEVICES_WITHOUT_USE",
    "Core",
    "cache_kb",
    "copy_bandwidth",
    "read_bandwidth",
]


@dataclass(frozen=True)
class Core:
    """A kind of core."""

    float32: float  # multiply-accumulates per cycle
    int8: float
    order: str
    isa: str
    like: str  # name of the group of similar cores


CORES = {
    "Cortex-A53": Core(
        4, 8, "in-order", "arm", "A72"
    ),  # like an A72 except for its order, which has effects of its own
    "Cortex-A72": Core(4, 8, "out-of-order", "arm", "A72"),
    "Cortex-A73": Core(4, 8, "out-of-order", "arm", "A72"),
    "Cortex-A76": Core(8, 32, "out-of-order", "arm", "A76"),
    "Neoverse-N1": Core(8, 32, "out-of-order", "arm", "A76"),
    "Cortex-A78AE": Core(8, 32, "out-of-order", "arm", "A76"),
    "Carmel": Core(8, 16, "out-of-order", "arm", "A76"),  # no dot products of int8 (LLVM, AArch64Processors.td)
    "Gracemont": Core(8, 32, "out-of-order", "x86", "Gracemont"),  # for the scaling with threads
}
#: Rows of x86 int8 kernels say nothing about Arm's. Firestorm is not in CORES: it ran in a virtual machine.
DEVICES_WITHOUT_USE = {("N100 mini PC", "int8")}
#: Numbers of big and little cores. Their rows used all cores, so they say little about one kind of core.
BIG_LITTLE = {"Firefly RK3399": (2, 4), "Firefly RK3588S": (4, 4), "Khadas VIM4": (4, 4), "Odroid N2+": (4, 2)}
#: GB/s that one core copies, and reads. Those of servers and large modules are typical values.
_COPY = {
    "Raspberry Pi 5": 6.0,
    "Raspberry Pi 4": 2.4,
    "Raspberry Pi 3 B+": 1.23,
    "Raspberry Pi 3 B": 1.1,
    "Raspberry Pi Zero 2 W": 1.1,
    "N100 mini PC": 10.0,
    "AWS a1 (Graviton1)": 8.0,
    "AWS t4g (Graviton2)": 12.0,
    "Jetson AGX Orin": 12.0,
    "Jetson AGX Xavier": 12.0,
}
_READ = {
    "Raspberry Pi 5": 14.9,
    "Raspberry Pi 4": 4.3,
    "Raspberry Pi 3 B+": 2.15,
}


#: KB of the last cache that the cores share, or of their own if there is none.
_CACHE = {
    "Raspberry Pi 5": 2048.0,
    "Raspberry Pi 4": 1024.0,
    "Raspberry Pi 3 B+": 512.0,
    "Raspberry Pi 3 B": 512.0,
    "Raspberry Pi Zero 2 W": 512.0,
    "N100 mini PC": 6144.0,
    "AWS a1 (Graviton1)": 2048.0,
    "AWS t4g (Graviton2)": 32768.0,
    "Jetson AGX Orin": 4096.0,
    "Jetson AGX Xavier": 4096.0,
    "Firefly RK3588S": 3072.0,
}


def cache_kb(device: str) -> float:
    """Return the KB of the last cache; 1 MB, that of most modules with an A72 or A73, if it is not in the list."""
    return _CACHE.get(device, 1024.0)


def copy_bandwidth(device: str) -> float:
    """Return the GB/s that one core copies."""
    return _COPY.get(device, 5.0)


def read_bandwidth(device: str) -> float:
    """Return the GB/s that one core reads."""
    return _READ.get(device, 7.0)


_SOURCES = [
    "Linux, arch/arm64/boot/dts/broadcom and arch/arm/boot/dts/broadcom (cache sizes)",
    "Raspberry Pi documentation, Processors and product briefs (core, clock, memory)",
    "sbc-bench and cpufp results, not checked (bandwidths, multiply-accumulates per cycle)",
]
_LIMIT_3B_PLUS = "product brief; from 60 °C its firmware reduces it to 1.2 GHz"
#: Fields of the device files. The name is that of ``--device``, the board that of the table.
BOARDS: dict[str, dict[str, object]] = {
    "pi5": {
        "board": "Raspberry Pi 5", "core": "Cortex-A76", "order": "out-of-order", "cores": 4, "clock_ghz": 2.4,
        "clock_evidence": "product brief", "macs_per_cycle": {"float32": 8.0, "int8": 32.0},
        "isa": ["neon", "asimdhp", "asimddp"], "l1d_kb": 64.0, "l2_kb": 512.0, "l3_kb": 2048.0,
        "read_gb_per_s": 14.9, "copy_gb_per_s": 6.0, "memory_mb": [1024, 2048, 4096, 8192, 16384],
    },
    "pi4": {
        "board": "Raspberry Pi 4", "core": "Cortex-A72", "order": "out-of-order", "cores": 4, "clock_ghz": 1.8,
        "clock_evidence": "1.8 GHz from revision 1.4 with an OS from November 2021, otherwise 1.5 GHz",
        "macs_per_cycle": {"float32": 4.0, "int8": 8.0}, "isa": ["neon"], "l1d_kb": 32.0, "l2_kb": 1024.0,
        "read_gb_per_s": 4.3, "copy_gb_per_s": 2.4, "memory_mb": [1024, 2048, 4096, 8192],
    },
    "pi3b+": {
        "board": "Raspberry Pi 3 B+", "core": "Cortex-A53", "order": "in-order", "cores": 4, "clock_ghz": 1.4,
        "clock_evidence": _LIMIT_3B_PLUS, "macs_per_cycle": {"float32": 4.0, "int8": 8.0}, "isa": ["neon"],
        "l1d_kb": 32.0, "l2_kb": 512.0, "read_gb_per_s": 2.15, "copy_gb_per_s": 1.23, "memory_mb": [1024],
    },
    "pi3b": {
        "board": "Raspberry Pi 3 B", "core": "Cortex-A53", "order": "in-order", "cores": 4, "clock_ghz": 1.2,
        "clock_evidence": "product brief", "macs_per_cycle": {"float32": 4.0, "int8": 8.0}, "isa": ["neon"],
        "l1d_kb": 32.0, "l2_kb": 512.0, "copy_gb_per_s": 1.1, "memory_mb": [1024],
    },
    "zero2w": {
        "board": "Raspberry Pi Zero 2 W", "core": "Cortex-A53", "order": "in-order", "cores": 4, "clock_ghz": 1.0,
        "clock_evidence": "product brief", "macs_per_cycle": {"float32": 4.0, "int8": 8.0}, "isa": ["neon"],
        "l1d_kb": 32.0, "l2_kb": 512.0, "copy_gb_per_s": 1.1, "memory_mb": [512],
    },
}  # fmt: skip
for _board in BOARDS.values():
    _board["hardware_sources"] = _SOURCES
