"""What spoils a measurement on this machine or spoiled this one, each with its remedy; and so whether to trust it."""

from collections.abc import Sequence
from typing import Protocol

from edge_bench.bench.records.run import Result
from edge_bench.bench.stats.intervals import UNSTABLE, relative_deviation
from edge_bench.bench.stats.ratios import MATERIAL
from edge_bench.bench.system.environment import _COOLING, _LESS_LOAD, _REMEDIES, _TICKS_NS
from edge_bench.bench.system.machine import Finding, Machine

__all__ = ["disturbed", "load_finding", "throttling_finding", "trial_findings", "trusted"]

#: More disturbed trials than this share, and the median moves: with fewer, it and its interval stay where they are.
DISTURBED_SHARE = 0.10


class WatchedTrial(Protocol):
    """A trial of any kind, as far as the machine around it goes; a Trial of a Run or an Offload."""

    @property
    def elapsed_ns(self) -> int:
        """How long it took."""

    @property
    def other_cpu_ns(self) -> int | None:
        """Processor time of everyone else meanwhile."""

    @property
    def steal_ns(self) -> int | None:
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
    return (trial.steal_ns or 0) > tolerance or (trial.other_cpu_ns or 0) > free + tolerance


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
    worst = max(((trial.other_cpu_ns or 0) + (trial.steal_ns or 0)) / trial.elapsed_ns for trial in hit)
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
