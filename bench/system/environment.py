"""Findings about the present state of the machine that make measurements unreliable, each with its remedy."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from edge_bench.bench.system.arm_cores import QEMU_MAX
from edge_bench.bench.system.concurrent_runs import MAX_RUNS, RunInfo
from edge_bench.bench.system.machine import Finding, Machine, memory_bytes
from edge_bench.bench.system.sensors import FIRMWARE_BITS, MachineState, Sensors
from edge_bench.bench.wording import counted, size

__all__ = ["concurrent_run_findings", "load_now", "machine_findings"]

ENOUGH_MEMORY = 256 << 20  # bytes
#: /proc/stat counts in ticks of 10 ms; the error of the difference of two readings is up to two ticks.
TICKS_NS = 20_000_000
#: Number of concurrent runs that are named one by one.
_NAMED_RUNS = 3
#: `doctor` reports load from this number of cores used by other processes. Idle systems stay below it.
_MIN_LOAD = 0.1
_POWER = "use the power supply made for this board (5 V 3 A for a Pi 4, 5 V 5 A for a Pi 5) and a short cable"
COOLING = "cool it: a heat sink with a fan, or a cooler room"
LESS_LOAD = "stop other programs; on a virtual machine, use dedicated cores"
_NO_LIMIT = "run the container without --cpus"
REMEDIES = {FIRMWARE_BITS[0]: _POWER, "a CPU limit stopped this container": _NO_LIMIT}


def machine_findings(machine: Machine, root: Path = Path("/")) -> list[Finding]:
    """Return the findings about the current state of the machine; empty if there are none."""
    findings = [
        _emulation(machine),
        _emulated_core(machine),
        _governor(machine),
        _cpu_limit(machine),
        _memory(root),
        *([] if machine.emulated else [_battery(root), *_firmware(Sensors(root).read())]),
    ]
    return [finding for finding in findings if finding]


def _emulation(machine: Machine) -> Finding | None:
    if not machine.emulated:
        return None
    return Finding(
        what=f"EMULATED: {'; '.join(machine.emulation_signs)}; predictions of {machine.cpu or 'its core'} are "
        f"valid{machine.valid_for}, times are not",
        remedy="measure times on the real device",
        spoils=True,
    )


def _emulated_core(machine: Machine) -> Finding | None:
    if not machine.emulated or machine.cpu != QEMU_MAX:
        return None
    return Finding(
        what="no Raspberry Pi has the emulated core: runtimes may select kernels that a Pi does not run, "
        "and predict other labels",
        remedy="set QEMU_CPU (for a whole emulated machine, qemu-system's -cpu) to cortex-a76 (Pi 5), "
        "cortex-a72 (Pi 4) or cortex-a53 (Pi 3, Zero 2 W)",
        spoils=False,
    )


def _governor(machine: Machine) -> Finding | None:
    if machine.governor in ("", "performance"):
        return None
    return Finding(
        what=f"the frequency governor is {machine.governor}, so the clock changes while measuring",
        remedy=f"{'on the host: ' if machine.container else ''}sudo edge-bench tune, or without edge-bench "
        "echo performance | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor",
        spoils=True,
    )


def _cpu_limit(machine: Machine) -> Finding | None:
    if machine.cpu_limit is None:
        return None
    return Finding(
        what=f"a cgroup limits this container to {machine.cpu_limit:.2f} cores",
        remedy=_NO_LIMIT,
        spoils=True,
    )


def _memory(root: Path) -> Finding | None:
    free = memory_bytes(root, "MemAvailable")
    if free >= ENOUGH_MEMORY:
        return None
    return Finding(
        what=f"only {size(free)} of memory are free",
        remedy="stop other programs, because swapping makes times unreliable",
        spoils=True,
    )


def _battery(root: Path) -> Finding | None:
    for status in sorted((root / "sys/class/power_supply").glob("*/status")):
        try:
            discharging = status.read_text().strip() == "Discharging"
        except OSError:
            continue
        if discharging:
            return Finding(what="running on battery", remedy="plug it in: clocks are reduced on battery", spoils=True)
    return None


def _firmware(state: MachineState) -> list[Finding]:
    """Return a finding per problem that the Raspberry Pi's firmware reports, now or since boot."""
    bits = state.firmware or 0
    return [
        Finding(
            what=f"{reason}{'' if bits >> bit & 1 else ' since the machine was started, not at this moment'}",
            remedy=REMEDIES.get(reason, COOLING),
            spoils=bool(bits >> bit & 1),
        )
        for bit, reason in FIRMWARE_BITS.items()
        if (bits | bits >> 16) >> bit & 1
    ]


def concurrent_run_findings(others: Sequence[RunInfo], *, now: bool = False) -> list[Finding]:
    """Return the findings that other runs are measuring on this machine (``now``), or were during this run.

    There is one for each run, or a single one for more than a few.
    """
    when = "on this machine at this moment" if now else "on this machine at the same time"
    verb = "is" if now else "was"
    texts = [f"another edge-bench {verb} measuring {when}: {other}" for other in others]
    if len(others) > _NAMED_RUNS:
        count = f"{len(others)}{' or more' if len(others) >= MAX_RUNS else ''}"
        named = "; ".join(str(other) for other in others[:_NAMED_RUNS])
        texts = [f"{count} other runs of edge-bench {'are' if now else 'were'} measuring {when}, among them: {named}"]
    return [Finding(what=what, remedy="measure one after the other", spoils=True) for what in texts]


def load_now(
    machine: Machine, root: Path = Path("/"), seconds: float = 0.5, sleep: Callable[[float], None] = time.sleep
) -> list[Finding]:
    """Return a finding if other processes use the CPU while this process sleeps for ``seconds``."""
    sensors = Sensors(root, emulated=machine.emulated)
    before = sensors.read()
    sleep(seconds)
    after = sensors.read()
    if before.busy_ns is None or after.busy_ns is None:
        return []
    steal = (after.steal_ns or 0) - (before.steal_ns or 0)
    used = (after.busy_ns - before.busy_ns + steal - TICKS_NS) / 1e9 / seconds
    if used < _MIN_LOAD:
        return []
    return [
        Finding(
            what=f"load at this moment: other processes are using {used:.1f} of {counted(machine.cores, 'core')}",
            remedy=LESS_LOAD,
            spoils=False,
        )
    ]
