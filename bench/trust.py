"""What spoils a measurement on this machine or spoiled this one, each with its remedy; and so whether to trust it."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from bench.company import Guest
from bench.machine import Finding, Machine, memory_bytes
from bench.ratios import MATERIAL
from bench.results import Result
from bench.stats import UNSTABLE, relative_deviation
from bench.telemetry import FIRMWARE_BITS, MachineState, Sensors

__all__ = [
    "disturbed", "load_finding", "load_now", "machine_findings", "not_alone", "throttling_finding", "trial_findings",
    "trusted",
]  # fmt: skip

ENOUGH_MEMORY = 256 << 20
#: More disturbed trials than this share, and the median moves: with fewer, it and its interval stay where they are.
DISTURBED_SHARE = 0.10
#: /proc/stat counts in ticks of 10 ms; a difference of two readings is wrong by up to two of them.
_TICKS_NS = 20_000_000
#: Cores in use by others that `doctor` mentions: less is what every idle system does.
_NOTED_LOAD = 0.1
_POWER = "use the power supply made for this board (5 V 3 A for a Pi 4, 5 V 5 A for a Pi 5) and a short cable"
_COOLING = "cool it: a heat sink with a fan, or a cooler room"
_LESS_LOAD = "stop other programs; on a virtual machine, ask for cores of its own"
_NO_LIMIT = "run the container without --cpus"
_REMEDIES = {FIRMWARE_BITS[0]: _POWER, "a CPU limit stopped this container": _NO_LIMIT}


def machine_findings(machine: Machine, root: Path = Path("/")) -> list[Finding]:
    """Looks at the machine as it is now; empty where nothing is wrong."""
    findings = [
        _emulation(machine),
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
        what=f"only {free >> 20} MiB of memory are free",
        remedy="stop other programs: swapping spoils times",
        spoils=True,
    )


def _battery(root: Path) -> Finding | None:
    for status in sorted((root / "sys/class/power_supply").glob("*/status")):
        try:
            discharging = status.read_text().strip() == "Discharging"
        except OSError:
            continue
        if discharging:
            return Finding(what="running on battery", remedy="plug it in: on battery clocks are held down", spoils=True)
    return None


def _firmware(state: MachineState) -> list[Finding]:
    """What the Raspberry Pi's firmware says is so now, and what has been so since it was started."""
    bits = state.firmware or 0
    return [
        Finding(
            what=f"{words}{'' if bits >> bit & 1 else ' since the machine was started, not at this moment'}",
            remedy=_REMEDIES.get(words, _COOLING),
            spoils=bool(bits >> bit & 1),
        )
        for bit, words in FIRMWARE_BITS.items()
        if (bits | bits >> 16) >> bit & 1
    ]


def not_alone(guest: Guest, *, now: bool = False) -> Finding:
    """Two runs at once take from each other."""
    when = "is measuring on this machine at this moment" if now else "was measuring on this machine meanwhile"
    return Finding(
        what=f"another edge-bench {when}: {guest}",
        remedy="measure one after the other",
        spoils=True,
    )


def load_now(
    machine: Machine, root: Path = Path("/"), seconds: float = 0.5, sleep: Callable[[float], None] = time.sleep
) -> list[Finding]:
    """What others use of the processors while this process sleeps for ``seconds``."""
    sensors = Sensors(root, emulated=machine.emulated)
    before = sensors.read()
    sleep(seconds)
    after = sensors.read()
    if before.busy_ns is None or after.busy_ns is None:
        return []
    stolen = (after.stolen_ns or 0) - (before.stolen_ns or 0)
    used = (after.busy_ns - before.busy_ns + stolen - _TICKS_NS) / 1e9 / seconds
    if used < _NOTED_LOAD:
        return []
    return [
        Finding(
            what=f"load from others: they are using {used:.1f} of {machine.cores} cores at this moment",
            remedy=_LESS_LOAD,
            spoils=False,
        )
    ]


class WatchedTrial(Protocol):
    """A trial of any kind, as far as the machine around it goes; a Trial of a Run or an Offload."""

    @property
    def elapsed_ns(self) -> int:
        """How long it took."""

    @property
    def others_ns(self) -> int | None:
        """Processor time of everyone else meanwhile."""

    @property
    def stolen_ns(self) -> int | None:
        """Processor time that a hypervisor gave to others meanwhile."""

    @property
    def throttled(self) -> list[str]:
        """Why the machine was slower than it can be."""


def disturbed(trial: WatchedTrial, threads: int, cores: int) -> bool:
    """Whether others took processor time that this trial would have used.

    That is so where a hypervisor stole more than 2 % of its time, or where everyone else used more than the cores that
    its threads left free by more than that. Both beyond what ticks can tell.
    """
    tolerance = MATERIAL * trial.elapsed_ns + _TICKS_NS
    free = max(0, cores - threads) * trial.elapsed_ns
    return (trial.stolen_ns or 0) > tolerance or (trial.others_ns or 0) > free + tolerance


def trial_findings(results: Sequence[Result], machine: Machine) -> list[Finding]:
    """What the trials themselves say: throttled, disturbed, spread too wide."""
    trials = [(trial, result.configuration.threads) for result in results for trial in result.trials]
    found = [throttling_finding([trial for trial, _ in trials]), load_finding(trials, machine.cores), _spread(results)]
    return [finding for finding in found if finding]


def throttling_finding(trials: Sequence[WatchedTrial]) -> Finding | None:
    """How many trials were throttled, and what helps; None where none was."""
    marked = [trial for trial in trials if trial.throttled]
    if not marked:
        return None
    reasons = list(dict.fromkeys(reason for trial in marked for reason in trial.throttled))
    return Finding(
        what=f"{len(marked)} of {len(trials)} trials were throttled: {', '.join(reasons)}",
        remedy="; ".join(dict.fromkeys(_REMEDIES.get(reason, _COOLING) for reason in reasons)),
        spoils=True,
    )


def load_finding(trials: Sequence[tuple[WatchedTrial, int]], cores: int) -> Finding | None:
    """How many trials, each with the threads it used, lost processor time to others; None where none did."""
    hit = [trial for trial, threads in trials if disturbed(trial, threads, cores)]
    if not hit:
        return None
    worst = max(((trial.others_ns or 0) + (trial.stolen_ns or 0)) / trial.elapsed_ns for trial in hit)
    return Finding(
        what=f"load from others: they took processor time from {len(hit)} of {len(trials)} trials, "
        f"at worst {worst:.1f} cores of it",
        remedy=_LESS_LOAD,
        spoils=len(hit) > DISTURBED_SHARE * len(trials),
    )


def _spread(results: Sequence[Result]) -> Finding | None:
    measured = [result for result in results if result.trials]
    wide = [result for result in measured if (relative_deviation(result.pass_seconds()) or 0) >= UNSTABLE]
    if not wide:
        return None
    return Finding(
        what=f"the times of {len(wide)} of {len(measured)} configurations have a standard deviation of 10 % or more of "
        f"their mean: {'; '.join(str(result.configuration) for result in wide)}",
        remedy="stop other programs; more --trials narrow the interval",
        spoils=True,
    )


def trusted(findings: Sequence[Finding], results: Sequence[Result], *, complete: bool) -> bool:
    """Whether a Run may be believed as it is: whole, with something measured, and with nothing that spoils it."""
    return complete and any(result.trials for result in results) and not any(finding.spoils for finding in findings)
