"""Whether the times of Runs are reliable, and why not."""

from collections.abc import Sequence

import msgspec

from edge_bench.bench.analysis.times.timings import RunResult
from edge_bench.bench.records.run import Result, Run
from edge_bench.bench.stats.intervals import UNSTABLE, relative_deviation

__all__ = ["SPREAD", "Reason", "Reliability", "is_unstable", "reliability_of", "trusted", "verdict_reliable"]

#: Part of the finding that times vary too much, as stored in Runs.
SPREAD = "have a standard deviation of 10 % or more of their mean"
_INTERRUPTED = "the run was interrupted"


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """Why times are not reliable, and the remedy."""

    what: str
    remedy: str = ""
    spread: bool = False  # whether it is that times vary too much, which ``Reliability.unstable`` counts


class Reliability(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the times of a Run, or of the repeats of one, are reliable."""

    run_ids: list[str]  # of the Run, or of all its repeats
    machine: str
    trusted: bool | None  # None: a Run that is older than this field
    reasons: list[Reason] = []  # causes come before the spread of times that they explain
    unstable: int = 0  # configurations whose times have a standard deviation of 10 % or more
    measured: int = 0  # configurations with trials


def is_unstable(result: Result) -> bool:
    """Return whether the times of a result have a standard deviation of 10 % or more of their mean."""
    return bool(result.trials) and (relative_deviation(result.pass_seconds()) or 0) >= UNSTABLE


def trusted(runs: Sequence[Run]) -> bool | None:
    """Return whether the times of all Runs are reliable; None if that is unknown for one and false for none."""
    known = {False if any(finding.spoils for finding in run.findings) else run.trusted for run in runs}
    return False if False in known else None if None in known else True


def verdict_reliable(item: RunResult, base: RunResult) -> bool | None:
    """Return whether a verdict on two results is based on reliable times; None if that is unknown."""
    sides = [*item.all_runs, *base.all_runs]
    if any(is_unstable(each.result) for each in sides):
        return False
    return trusted([each.run for each in sides])


def reliability_of(runs: Sequence[Run]) -> Reliability:
    """Return the reliability of a Run, or of its repeats. ``runs`` has at least one."""
    reasons = [] if all(run.complete for run in runs) else [Reason(what=_INTERRUPTED, remedy="rerun it with --resume")]
    for run in runs:
        reasons += [
            Reason(what=finding.what, remedy=finding.remedy, spread=SPREAD in finding.what)
            for finding in run.findings
            if finding.spoils
        ]
    measured = {result.configuration for run in runs for result in run.results_with_trials}
    unstable = {result.configuration for run in runs for result in run.results if is_unstable(result)}
    return Reliability(
        run_ids=[run.run_id for run in runs],
        machine=runs[0].machine.label,
        trusted=trusted(runs),
        reasons=sorted(dict.fromkeys(reasons), key=lambda reason: reason.spread),
        unstable=len(unstable),
        measured=len(measured),
    )
