"""Cells, notes and record fields that several tables have in common."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, TypeVar

from edge_bench.app.render.units import counted, shared_decimals, significant, with_interval
from edge_bench.bench.analysis.comparison.comparison import Row
from edge_bench.bench.analysis.over_time.changes import Change
from edge_bench.bench.analysis.times.groups import run_number
from edge_bench.bench.records.delegate import shown_delegate
from edge_bench.bench.records.run import Configuration, Failure, Run
from edge_bench.bench.stats.ratios import Ratio, Verdict
from edge_bench.bench.system.machine import Finding

__all__ = [
    "CONFIGURATION_KEYS",
    "DELEGATE",
    "UNRELIABLE",
    "UNRELIABLE_NOTE",
    "configuration_cells",
    "failure_notes",
    "failure_text",
    "finding_notes",
    "has_delegates",
    "once_per_group",
    "ratio_record",
    "runtime_text",
    "since_text",
    "speed_text",
    "time_text",
    "verdict_cell",
]  # fmt: skip

#: Headings of `configuration_cells`. The last column is omitted if no configuration sets a delegate.
DELEGATE = "delegate"
CONFIGURATION_KEYS = ("variant", "runtime", "threads", "batch", DELEGATE)
#: Marks values and verdicts with unreliable times.
UNRELIABLE = " ~"
#: Explains the mark of `verdict_cell`.
UNRELIABLE_NOTE = "~ times are not reliable: another run may give a different verdict"

Item = TypeVar("Item", bound=Hashable)


def time_text(row: Row, beside: Sequence[Row] = (), *, interval: bool = True) -> str:
    """Return ``0.030 [0.029, 0.032]`` in ms per example; empty without times.

    ``beside``: the other rows of the column, whose smallest time decides how many decimals there are
    """
    if row.time is None or row.emulated:
        return ""
    decimals = shared_decimals([each.time.milliseconds for each in (row, *beside) if each.time])
    return with_interval(row.time.milliseconds, row.time.interval if interval else None, most=decimals)


def speed_text(row: Row) -> str:
    """Return ``11.7× faster``, ``same``, ``undecided``, ``baseline`` or ``crashed``; empty if there is no verdict."""
    if row.is_baseline:
        return "baseline"
    if row.failure:
        return row.failure
    if row.ratio is None or row.verdict is None:
        return ""
    match row.verdict:
        case Verdict.FASTER:
            return f"{significant(1 / row.ratio.value)}× faster"
        case Verdict.SLOWER:
            return f"{significant(row.ratio.value)}× slower"
        case _:
            return str(row.verdict)


def configuration_cells(configuration: Configuration) -> list[str]:
    """Return the key columns of a configuration, `CONFIGURATION_KEYS`."""
    return [
        configuration.variant, configuration.runtime, str(configuration.threads), str(configuration.batch_size),
        shown_delegate(configuration.delegate),
    ]  # fmt: skip


def runtime_text(configuration: Configuration) -> str:
    """Return the runtime, and the delegate if one is set."""
    return ", ".join(part for part in (configuration.runtime, configuration.delegate) if part)


def has_delegates(configurations: Iterable[Configuration]) -> bool:
    """Return whether any of them sets a delegate; otherwise tables have no column for it."""
    return any(each.delegate for each in configurations)


def failure_text(failure: Failure, trials: int) -> str:
    """Return ``kind after 3 trials: message (remedy)``; ``trials`` is the number of completed trials."""
    completed = f" after {counted(trials, 'trial')}" if trials else ""
    remedy = f" ({failure.remedy})" if failure.remedy else ""
    return f"{failure.kind}{completed}: {failure.message}{remedy}"


def failure_notes(run: Run) -> list[str]:
    """Return one note per reason, with all configurations that failed for that reason."""
    failed: dict[str, list[str]] = {}
    for result in run.results:
        if result.failure:
            reason = failure_text(result.failure, len(result.trials))
            failed.setdefault(reason, []).append(str(result.configuration))
    return [f"! {'; '.join(names)}: {reason}" for reason, names in failed.items()]


def finding_notes(findings: Sequence[Finding]) -> list[str]:
    """Return one note per finding; ``!`` marks those that make times unreliable."""
    return [f"{'!' if finding.spoils else '-'} {finding.what}: {finding.remedy}" for finding in findings]


def once_per_group(group: Sequence[Run], of_run: Callable[[Run], Iterable[Item]]) -> list[tuple[Item, str]]:
    """Return the distinct items that ``of_run`` returns for the repeats of a Run, each with its Runs.

    The Runs are a text such as ``run 2`` or ``runs 2, 4``, which is empty if the item applies to all.
    """
    found: dict[Item, list[Run]] = {}
    for run in group:
        for item in dict.fromkeys(of_run(run)):
            found.setdefault(item, []).append(run)
    return [(item, "" if len(runs) == len(group) else _runs_text(runs, group)) for item, runs in found.items()]


def _runs_text(runs: Sequence[Run], group: Sequence[Run]) -> str:
    return f"run{'' if len(runs) == 1 else 's'} {', '.join(str(run_number(run, group)) for run in runs)}"


def verdict_cell(verdict: str, reliable: bool | None, no_interval: str = "") -> str:
    """Return ``faster``, ``faster ~`` if times are not reliable, or why there is no interval."""
    if no_interval:
        return f"{verdict}: {no_interval}"
    return f"{verdict}{UNRELIABLE}" if reliable is False else verdict


def ratio_record(ratio: Ratio | None) -> dict[str, Any]:
    """Return the record fields of a ratio of times and its interval; values are None if unknown."""
    interval = ratio.interval if ratio else None
    return {
        "time_ratio": ratio.value if ratio else None,
        "time_ratio_low": interval.low if interval else None,
        "time_ratio_high": interval.high if interval else None,
    }


def since_text(change: Change) -> str:
    """Return the day on which a change began, with its night if `edge-bench nightly` found it."""
    return f"{change.began[:10]}{'' if change.night is None else f' (night {change.night})'}"
