"""The settings of the kernel that `edge-bench tune` changes: which they are on a machine, and the values to set.

Every setting is one file that has its original text again after that text is written to it. A write may change other
files, too: a governor removes its tunables, and the switch for all cores sets those of single ones. Such files are
*dependent*: they are recorded before the setting that changes them, and restored after it.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from edge_bench.bench.system.cores import clusters, core_list, cores_in, online_cores
from edge_bench.bench.system.tuning.kernel_files import KernelFiles

__all__ = ["Change", "Group", "Plan", "group_of", "plan_for"]

_CPU = "sys/devices/system/cpu"
_POLICY = rf"{_CPU}/(?:cpufreq/policy\d+|cpu\d+/cpufreq)"
_IRQBALANCE = "irqbalance"


class Group(StrEnum):
    """Kinds of settings, each of which ``--keep`` can leave out."""

    GOVERNOR = "governor"
    TURBO = "turbo"
    SWAP = "swap"
    INTERRUPTS = "interrupts"


#: All files that may ever be written, also by a record of original values that was changed by hand.
_ALLOWED = {
    Group.GOVERNOR: rf"{_POLICY}/(?:scaling_governor|scaling_setspeed|energy_performance_preference)"
    rf"|(?:{_POLICY}|{_CPU}/cpufreq)/[a-z]+/[a-z_]+",
    Group.TURBO: rf"{_CPU}/intel_pstate/no_turbo|(?:{_POLICY}|{_CPU}/cpufreq)/boost",
    Group.SWAP: r"proc/sys/vm/swappiness",
    Group.INTERRUPTS: r"proc/irq/\d+/smp_affinity_list",
}


def group_of(path: str) -> Group | None:
    """Return the kind of setting that a path is; None if `edge-bench tune` never writes it."""
    return next((group for group, pattern in _ALLOWED.items() if re.fullmatch(pattern, path)), None)


@dataclass(frozen=True)
class Change:
    """A setting, its present content, and the text to set; None for a dependent setting, which is only recorded."""

    group: Group
    path: str
    now: bytes
    then: str | None
    why: str = ""


@dataclass
class Plan:
    """All changes in the order in which they are made, remarks on them, and the cores to measure on; empty: all."""

    cpus: str = ""
    changes: list[Change] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def visible(self) -> list[Change]:
        """The changes that set something."""
        return [change for change in self.changes if change.then is not None]


def plan_for(files: KernelFiles, cpus: str | None = None, keep: Collection[Group] = ()) -> Plan:
    """Return the changes for steady times on this machine; ``cpus`` are the cores to measure on, empty for all.

    With None they are those of the highest capacity, if cores differ. Files that cannot be read are left out.
    """
    if cpus is None:
        groups = clusters(files.root)
        cpus = core_list(groups[-1]) if len(groups) > 1 else ""
    plan = Plan(cpus)
    if Group.GOVERNOR not in keep:
        plan.changes += _governors(files, plan.notes)
    if Group.TURBO not in keep:
        plan.changes += _turbo(files)
    if Group.SWAP not in keep:
        plan.changes += _swap(files)
    if Group.INTERRUPTS not in keep:
        plan.changes += _interrupts(files, cpus, plan.notes)
    return plan


def _recorded(files: KernelFiles, group: Group, path: str, then: str | None = None, why: str = "") -> Iterator[Change]:
    """Yield the change of a file that can be read, that its mode allows to write, and that could be restored."""
    if group_of(path) is group and files.has_write_bit(path):
        try:
            yield Change(group, path, files.read(path), then, why)
        except OSError:
            return


def _governors(files: KernelFiles, notes: list[str]) -> Iterator[Change]:
    """Yield the change to the governor ``performance``, after everything that is lost with the present governor."""
    governors = files.find(f"{_CPU}/cpufreq/policy*/scaling_governor", f"{_CPU}/cpu[0-9]*/cpufreq/scaling_governor")
    shared: list[str] = []
    for path in governors:
        folder, governor = path.rpartition("/")[0], files.text(path)
        available = files.text(f"{folder}/scaling_available_governors").split()
        if governor in ("", "performance"):
            continue
        if available and "performance" not in available:
            notes.append(f"/{path}: the kernel has no governor named performance, only {', '.join(available)}")
            continue
        dependent = [f"{folder}/energy_performance_preference", *files.find(f"{folder}/{governor}/*")]
        dependent += [f"{folder}/scaling_setspeed"] if governor == "userspace" else []
        if governor not in shared:  # the tunables of all policies together, as on a Raspberry Pi
            shared.append(governor)
            dependent += files.find(f"{_CPU}/cpufreq/{governor}/*")
        for each in dependent:
            yield from _recorded(files, Group.GOVERNOR, each)
        why = f"the governor {governor} changes the clock while measuring"
        yield from _recorded(files, Group.GOVERNOR, path, "performance", why)


def _turbo(files: KernelFiles) -> Iterator[Change]:
    why = "the turbo's clock depends on heat and on the number of busy cores"
    no_turbo, boost = f"{_CPU}/intel_pstate/no_turbo", f"{_CPU}/cpufreq/boost"
    if files.text(no_turbo) == "0":
        yield from _recorded(files, Group.TURBO, no_turbo, "1", why)
    single = files.find(f"{_CPU}/cpufreq/policy*/boost", f"{_CPU}/cpu[0-9]*/cpufreq/boost")
    is_global = files.text(boost) == "1"
    for path in single:  # before the switch for all cores, which sets them, too
        if files.text(path) == "1" and not is_global:
            yield from _recorded(files, Group.TURBO, path, "0", why)
        elif is_global:
            yield from _recorded(files, Group.TURBO, path)
    if is_global:
        yield from _recorded(files, Group.TURBO, boost, "0", why)


def _swap(files: KernelFiles) -> Iterator[Change]:
    """Yield the change to the least swapping that the kernel does before it kills a process for lack of memory.

    ``swapoff`` would also be without swapping. But it reads everything that is in swap back into memory, which can take
    minutes or fail, and a crash would leave the machine without its swap until the next start. With swappiness 0, the
    kernel may kill a process although there is swap left.
    """
    path = "proc/sys/vm/swappiness"
    swappiness = files.text(path)
    if len(files.text("proc/swaps").splitlines()) > 1 and swappiness.isdigit() and int(swappiness) > 1:
        yield from _recorded(files, Group.SWAP, path, "1", "swapping makes times vary")


def _interrupts(files: KernelFiles, cpus: str, notes: list[str]) -> Iterator[Change]:
    """Yield the changes that move interrupts from the measured cores to the others."""
    measured, online = set(cores_in(cpus)) if cpus else set(), set(online_cores(files.root))
    others = online - measured
    if not measured or not others:
        if len(online) > 1:
            notes.append(
                "interrupts are not moved, because all cores are measured; for example, "
                f"--cpus {core_list(sorted(online)[1:])} leaves core {min(online)} to them"
            )
        return
    for path in files.find("proc/irq/*/smp_affinity_list"):
        try:
            now = set(cores_in(files.text(path)))
        except ValueError:  # no core at all, which could not be written back
            continue
        if now & measured:
            then = core_list(now & others or others)
            yield from _recorded(files, Group.INTERRUPTS, path, then, f"interrupts take time from cores {cpus}")
    if any(files.text(path) == _IRQBALANCE for path in files.find("proc/[0-9]*/comm")):
        notes.append("irqbalance is running and may move interrupts again: sudo systemctl stop irqbalance")
