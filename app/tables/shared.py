"""Cells, notes and record fields that several tables have in common."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, TypeVar

from edge_bench.app.render.units import counted
from edge_bench.bench.analysis.times.groups import run_number
from edge_bench.bench.records.run import Configuration, Failure, Run
from edge_bench.bench.stats.ratios import Ratio
from edge_bench.bench.system.machine import Finding

__all__ = [
    "UNRELIABLE", "UNRELIABLE_NOTE", "configuration_cells", "failure_text", "finding_notes", "once_per_group",
    "ratio_record", "verdict_cell",
]  # fmt: skip

#: Follows what rests on times that are not reliable.
UNRELIABLE = " ~"
#: What the mark of `verdict_cell` means.
UNRELIABLE_NOTE = "~ rests on times that are not reliable: another run may have another verdict"

Said = TypeVar("Said", bound=Hashable)


def configuration_cells(configuration: Configuration) -> list[str]:
    """Return the key columns of a configuration: variant, runtime, threads, batch size."""
    return [configuration.variant, configuration.runtime, str(configuration.threads), str(configuration.batch_size)]


def failure_text(failure: Failure, trials: int) -> str:
    """Return ``kind after 3 trials: message (remedy)``; ``trials`` is the number of completed trials."""
    completed = f" after {counted(trials, 'trial')}" if trials else ""
    remedy = f" ({failure.remedy})" if failure.remedy else ""
    return f"{failure.kind}{completed}: {failure.message}{remedy}"


def finding_notes(findings: Sequence[Finding]) -> list[str]:
    """Return one note per finding; ``!`` marks those that make times unreliable."""
    return [f"{'!' if finding.spoils else '-'} {finding.what}: {finding.remedy}" for finding in findings]


def once_per_group(group: Sequence[Run], of_run: Callable[[Run], Iterable[Said]]) -> list[tuple[Said, str]]:
    """Return what ``of_run`` says about the repeats of a Run, each thing once.

    Beside it are its Runs as ``run 2`` or ``runs 2, 4``; the text is empty if it is true of all.
    """
    found: dict[Said, list[Run]] = {}
    for run in group:
        for item in dict.fromkeys(of_run(run)):
            found.setdefault(item, []).append(run)
    return [(item, "" if len(runs) == len(group) else _runs_text(runs, group)) for item, runs in found.items()]


def _runs_text(runs: Sequence[Run], group: Sequence[Run]) -> str:
    return f"run{'' if len(runs) == 1 else 's'} {', '.join(str(run_number(run, group)) for run in runs)}"


def verdict_cell(verdict: str, reliable: bool | None, no_interval: str = "") -> str:
    """Return ``faster``, ``faster ~`` if it rests on times that are not reliable, or why there is no interval."""
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
