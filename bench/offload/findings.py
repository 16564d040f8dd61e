"""What spoils an offload's times beside what spoils any: throttled or disturbed trials, and two ends on one machine."""

from collections.abc import Sequence

from bench.machine import Finding, Machine
from bench.offload.records import LOCAL, Arm, ServerIdentity
from bench.results import Trial
from bench.trust import DISTURBED_SHARE, disturbed

__all__ = ["offload_findings"]


def offload_findings(arms: Sequence[Arm], machine: Machine, server: ServerIdentity, threads: int) -> list[Finding]:
    """Each with its remedy; empty where nothing is wrong."""
    found = [_throttled(arms), _disturbed(arms, machine, threads), _one_machine(machine, server)]
    return [finding for finding in found if finding]


def _throttled(arms: Sequence[Arm]) -> Finding | None:
    trials = [trial for arm in arms for trial in arm.trials]
    marked = [trial for trial in trials if trial.throttled]
    if not marked:
        return None
    reasons = ", ".join(dict.fromkeys(reason for trial in marked for reason in trial.throttled))
    return Finding(
        what=f"{len(marked)} of {len(trials)} trials were throttled: {reasons}",
        remedy="cool the device, and use its own power supply",
        spoils=True,
    )


def _disturbed(arms: Sequence[Arm], machine: Machine, threads: int) -> Finding | None:
    """Here, others may not take processor time; while images are away, only a hypervisor is known to disturb."""
    hits = total = 0
    for arm in arms:
        for trial in arm.trials:
            others = trial.others_ns if arm.where == LOCAL else 0
            asked = Trial(
                process=trial.process, round=trial.round, place=trial.place, began_ns=trial.began_ns,
                elapsed_ns=trial.elapsed_ns, passes=trial.passes, correct=0, latencies=trial.latencies,
                others_ns=others, stolen_ns=trial.stolen_ns,
            )  # fmt: skip
            hits += disturbed(asked, threads, machine.cores)
            total += 1
    if not hits:
        return None
    return Finding(
        what=f"load from others: they took processor time from {hits} of {total} trials",
        remedy="stop other programs; on a virtual machine, ask for cores of its own",
        spoils=hits > DISTURBED_SHARE * total,
    )


def _one_machine(machine: Machine, server: ServerIdentity) -> Finding | None:
    if not server.hostname or server.hostname != machine.hostname:
        return None
    return Finding(
        what="both ends are this machine: they share its processors, and the path is its loopback",
        remedy="run the server on the host, or see this as a rehearsal",
        spoils=False,
    )
