"""Detection of a whole emulated machine, with a kernel of its own, such as that of ``qemu-system-aarch64``.

QEMU makes a machine in one of two ways. KVM and the hypervisors of macOS and Windows let the real processor execute the
program: the machine is virtual, and its times are real. TCG, QEMU's translator, emulates another processor: times are
not valid. Both show the same devices, so these do not tell them apart.

One of these signs is enough, because only TCG shows it:

- *the hypervisor's name* (amd64): CPUID leaf 0x40000000 is ``TCGTCGTCGTCG``. KVM's is ``KVMKVMKVM``.
- *the processor's name* (amd64): ``QEMU TCG CPU`` for ``-cpu max``.
- *the core* (arm64): implementer 0x00, part 0x051 is TCG's core ``max``. Under KVM, all cores are the host's.

On arm64, two of these three are necessary, because a real or virtual machine can show one of them:

- *the machine*: a device tree compatible with ``linux,dummy-virt`` (also of Firecracker, crosvm and other monitors
  that need KVM), QEMU's configuration device fw_cfg, or the DMI vendor QEMU. A virtual machine shows them, too.
- *the counter*: the processor's counter runs at 62.5 MHz, QEMU's own frequency for every named core (``gt_cntfrq_hz``).
  A virtual machine has its host's: 54 MHz on a Raspberry Pi 4 or 5, 19.2 MHz on a Pi 3, 24 MHz or 1 GHz on Apple's
  processors, 121.875 MHz or 1.05 GHz on Graviton. No processor with 62.5 MHz is known, but one may exist.
- *the speed*: a multiply-add of four floats takes longer than on any real core at its lowest clock. This is measured
  only if one of the other two signs is present. A heavily loaded machine could show it by chance.

The counter's frequency is half of ``BogoMIPS`` in /proc/cpuinfo: the kernel of arm64 computes BogoMIPS from it. All
files are also visible in a container, except the device tree, because Docker hides /sys/firmware.

Sources: QEMU 10, target/arm/cpu.c, target/i386/tcg and hw/arm/virt.c; Linux, arch/arm64/kernel/cpuinfo.c;
docs.kernel.org, "KVM CPUID bits".
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from edge_bench.bench.io.files import read_text_or_empty
from edge_bench.bench.system.arm_cores import QEMU_MAX, arm_core
from edge_bench.bench.system.emulation.instructions import hypervisor_name, multiply_add_ns
from edge_bench.bench.system.emulation.program import translated_by_macos

__all__ = ["NO_PROBES", "PROBES", "Probes", "machine_signs"]

TCG = "TCGTCGTCGTCG"
#: In Hz, for every core with a name. Only ``max``, which is a sign of its own, has 1 GHz.
QEMU_COUNTER_HZ = 62_500_000
#: Nanoseconds. An Arm core starts at least one multiply-add of four floats every second cycle (a Cortex-A53 one per
#: cycle, later cores more). At 200 MHz, a third of a Raspberry Pi's lowest clock, these are 10 ns. QEMU 10.0.13 takes
#: 54 to 69 ns on an AMD EPYC.
SLOWEST_REAL_NS = 15.0


class Probes(NamedTuple):
    """Questions to the processor or to macOS, which no file answers."""

    hypervisor: Callable[[], str]  # its name in CPUID; empty without one
    multiply_add_ns: Callable[[], float | None]  # the duration of a multiply-add of four floats; None: unknown
    translated: Callable[[], bool]  # by macOS


PROBES = Probes(hypervisor_name, multiply_add_ns, translated_by_macos)
NO_PROBES = Probes(lambda: "", lambda: None, lambda: False)


def machine_signs(root: Path, architecture: str, probes: Probes) -> list[str]:
    """Return the signs that the whole machine is emulated as text; an empty list on a real or virtual machine."""
    if re.fullmatch(r"aarch64|arm64|armv\dl", architecture):
        return _arm_signs(root, probes)
    return _x86_signs(root, probes) if re.fullmatch(r"x86_64|amd64|i[3-6]86", architecture) else []


def _x86_signs(root: Path, probes: Probes) -> list[str]:
    model = re.search(r"^model name\s*:\s*(QEMU TCG CPU.*)$", read_text_or_empty(root / "proc/cpuinfo"), re.MULTILINE)
    signs = [f"the processor is called {model[1].strip()}"] if model else []
    if probes.hypervisor() == TCG:
        signs.append("the processor names QEMU's translator TCG as its hypervisor")
    return [*signs, *_made_by_qemu(root)] if signs else []


def _arm_signs(root: Path, probes: Probes) -> list[str]:
    cpuinfo = read_text_or_empty(root / "proc/cpuinfo")
    proof = ["the processor is QEMU's core max, which no chip has"] if arm_core(cpuinfo) == QEMU_MAX else []
    signs = [*_made_by_qemu(root), *_counter(cpuinfo)]
    if signs:
        signs += _speed(probes)
    return [*proof, *signs] if proof or len(signs) > 1 else []


def _made_by_qemu(root: Path) -> list[str]:
    """Return at most one sign: the traces of QEMU's machines and devices."""
    compatible = read_text_or_empty(root / "proc/device-tree/compatible").split("\0")
    vendor = read_text_or_empty(root / "sys/class/dmi/id/sys_vendor").strip()
    traces = [
        ("the device tree linux,dummy-virt", "linux,dummy-virt" in compatible),
        ("the device fw_cfg", _has_fw_cfg(root)),
        ("the vendor QEMU", vendor == "QEMU"),
    ]
    found = [name for name, present in traces if present]
    return [f"the machine is like QEMU's: {', '.join(found)}"] if found else []


def _has_fw_cfg(root: Path) -> bool:
    """Return whether there is QEMU's configuration device: by its driver, in the device tree, or in ACPI (QEMU0002)."""
    if (root / "sys/firmware/qemu_fw_cfg").exists() or any(root.glob("sys/bus/acpi/devices/QEMU0002:*")):
        return True
    events = root.glob("sys/devices/platform/*fw-cfg/uevent")
    return any("qemu,fw-cfg-mmio" in read_text_or_empty(event) for event in events)


def _counter(cpuinfo: str) -> list[str]:
    match = re.search(r"^BogoMIPS\s*:\s*(\d+\.\d+)$", cpuinfo, re.MULTILINE)
    if not match or round(float(match[1]) * 500_000) != QEMU_COUNTER_HZ:
        return []
    return ["the processor's counter runs at 62.5 MHz, as QEMU's"]


def _speed(probes: Probes) -> list[str]:
    duration = probes.multiply_add_ns()
    if duration is None or duration <= SLOWEST_REAL_NS:
        return []
    return ["multiply-adds are slower than on any core at its lowest clock"]
