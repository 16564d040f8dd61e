"""Findings about the trials of a Run that make it unreliable, and whether the Run can be trusted."""

from collections.abc import Sequence
from typing import Protocol

from edge_bench.bench.analysis.times.reliability import SPREAD, is_unstable
from edge_bench.bench.records.run import Result
from edge_bench.bench.sandbox.support import sandbox_support
from edge_bench.bench.stats.ratios import MATERIAL
from edge_bench.bench.system.environment import COOLING, LESS_LOAD, REMEDIES, TICKS_NS
from edge_bench.bench.system.machine import Finding, Machine
from edge_bench.bench.wording import counted
from edge_bench.bench.worker.durations import TRIAL, WARM_UP, Duration

__all__ = [
    "disturbed",
    "duration_findings",
    "load_finding",
    "sandbox_findings",
    "setup_findings",
    "throttling_finding",
    "trial_findings",
    "trusted",
]

#: A Run with a larger share of disturbed trials is unreliable. Below it, the median and its interval hardly change.
DISTURBED_SHARE = 0.10
#: Configurations that a finding names. A text in a Run must stay short enough to be read back.
_NAMED = 10


class WatchedTrial(Protocol):
    """The sensor readings of a trial in a Run or an Offload."""

    @property
    def elapsed_ns(self) -> int:
        """Duration of the trial."""

    @property
    def other_cpu_ns(self) -> int | None:
        """CPU time of all other processes during the trial."""

    @property
    def steal_ns(self) -> int | None:
        """CPU time that a hypervisor gave to other virtual machines during the trial."""

    @property
    def throttled(self) -> list[str]:
        """Reasons why the machine was throttled; empty if it was not."""


def disturbed(trial: WatchedTrial, threads: int, cores: int) -> bool:
    """Return whether other processes took CPU time that this trial would have used.

    That is true if the steal time exceeds 2 % of the trial's duration, or if other processes used more CPU time than
    the trial's ``threads`` left free on ``cores``, plus the same 2 %. The 2 % include the error of the kernel's ticks.
    """
    tolerance = MATERIAL * trial.elapsed_ns + TICKS_NS
    free = max(0, cores - threads) * trial.elapsed_ns
    return (trial.steal_ns or 0) > tolerance or (trial.other_cpu_ns or 0) > free + tolerance


def trial_findings(results: Sequence[Result], machine: Machine, *, sustained: bool = False) -> list[Finding]:
    """Return the findings about trials that were throttled or disturbed, or whose times vary too much.

    Trials of the first round of --find-fastest count for the former, since they exclude configurations. Of a sustained
    load, throttling and times that change are results. They do not make it unreliable.
    """
    trials = [
        (trial, result.configuration.threads) for result in results for trial in [*result.first_round, *result.trials]
    ]
    throttling = throttling_finding([trial for trial, _ in trials], spoils=not sustained)
    findings = [throttling, load_finding(trials, machine.cores), None if sustained else _spread(results)]
    return [finding for finding in findings if finding]


def duration_findings(durations: Sequence[Duration]) -> list[Finding]:
    """Return a finding for each duration that the environment shortens; raise BadInput if a variable is not valid.

    They do not spoil the Run: the trials' own spread and drift show whether a duration was too short.
    """
    return [
        Finding(
            what=f"the {each.name} was shortened to {seconds:g} s by {each.variable}",
            remedy=f"unset it; the default is {each.default:g} s",
            spoils=False,
        )
        for each in durations
        if (seconds := each.seconds()) < each.default
    ]


def setup_findings() -> list[Finding]:
    """Return findings about durations and the sandbox of worker processes; raise BadInput for an invalid duration."""
    return [*duration_findings((WARM_UP, TRIAL)), *sandbox_findings()]


def sandbox_findings() -> list[Finding]:
    """Return a finding if models do not run in a complete sandbox. It does not affect the times."""
    support = sandbox_support()
    return [Finding(what=support.problem, remedy=support.remedy, spoils=False)] if support.problem else []


def throttling_finding(trials: Sequence[WatchedTrial], *, spoils: bool = True) -> Finding | None:
    """Return a finding with the number of throttled trials; None if there are none."""
    throttled = [trial for trial in trials if trial.throttled]
    if not throttled:
        return None
    reasons = list(dict.fromkeys(reason for trial in throttled for reason in trial.throttled))
    return Finding(
        what=f"{len(throttled)} of {counted(len(trials), 'trial')} were throttled: {', '.join(reasons)}",
        remedy="; ".join(dict.fromkeys(REMEDIES.get(reason, COOLING) for reason in reasons)),
        spoils=spoils,
    )


def load_finding(trials: Sequence[tuple[WatchedTrial, int]], cores: int) -> Finding | None:
    """Return a finding with the number of disturbed trials, given as (trial, threads); None if there are none."""
    affected = [trial for trial, threads in trials if disturbed(trial, threads, cores)]
    if not affected:
        return None
    worst = max(((trial.other_cpu_ns or 0) + (trial.steal_ns or 0)) / trial.elapsed_ns for trial in affected)
    return Finding(
        what=f"other programs used the processor: in {len(affected)} of {counted(len(trials), 'trial')}, "
        f"at worst {worst:.1f} cores",
        remedy=LESS_LOAD,
        spoils=len(affected) > DISTURBED_SHARE * len(trials),
    )


def _spread(results: Sequence[Result]) -> Finding | None:
    measured = [result for result in results if result.trials]
    wide = [result for result in measured if is_unstable(result)]
    if not wide:
        return None
    more = f"; and {len(wide) - _NAMED} more" if len(wide) > _NAMED else ""
    return Finding(
        what=f"the times of {len(wide)} of {counted(len(measured), 'configuration')} {SPREAD}: "
        f"{'; '.join(str(result.configuration) for result in wide[:_NAMED])}{more}",
        remedy="stop other programs; more --trials narrow the interval",
        spoils=True,
    )


def trusted(findings: Sequence[Finding], results: Sequence[Result], *, complete: bool) -> bool:
    """Return whether a Run can be trusted: it is complete, has a trial, and no finding spoils it."""
    return complete and any(result.trials for result in results) and not any(finding.spoils for finding in findings)
