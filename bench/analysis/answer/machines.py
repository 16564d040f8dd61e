"""The fastest configuration of each of several machines, compared with that of the fastest machine."""

from collections.abc import Sequence

import msgspec

from edge_bench.bench.analysis.comparison.comparison import Comparison, Row, compare
from edge_bench.bench.records.run import Configuration, Run
from edge_bench.bench.stats.ratios import Verdict

__all__ = ["compare_machines"]


def compare_machines(runs: Sequence[Run], comparison: Comparison) -> Comparison:
    """Return the comparison of the fastest configuration of each Run with that of the fastest Run, which comes first.

    ``runs`` are those of ``comparison``, one for each machine. Rows are in the order of their times. An emulated Run,
    which has no times, is represented by the configuration of the fastest one, or else by its first; it comes last.
    """
    fastest = {run.run_id: row for run in runs if (row := _fastest(run, comparison))}
    ordered = sorted(runs, key=lambda run: _milliseconds(fastest.get(run.run_id)))
    first = fastest.get(ordered[0].run_id)
    wanted = first.configuration if first else ordered[0].results_with_trials[0].configuration
    chosen = [
        (run, row.configuration if (row := fastest.get(run.run_id)) else _same_or_first(run, wanted)) for run in ordered
    ]
    reduced = [
        msgspec.structs.replace(run, results=[each for each in run.results_with_trials if each.configuration == only])
        for run, only in chosen
    ]
    found = compare(reduced, wanted)
    rows = [msgspec.structs.replace(row, verdict=_verdict(row)) for row in found.rows]
    return msgspec.structs.replace(found, rows=rows, reliability=comparison.reliability)


def _fastest(run: Run, comparison: Comparison) -> Row | None:
    rows = [row for row in comparison.rows if row.run_id == run.run_id and row.fastest_in_run]
    return min(rows, key=_milliseconds, default=None)


def _milliseconds(row: Row | None) -> float:
    return row.time.milliseconds if row and row.time else float("inf")


def _same_or_first(run: Run, wanted: Configuration) -> Configuration:
    results = run.results_with_trials
    return next((each for each in results if each.configuration == wanted), results[0]).configuration


def _verdict(row: Row) -> Verdict | None:
    """Return the verdict that agrees with the row's rank: among the fastest, or slower (`ranking`)."""
    if row.verdict is None or row.is_baseline or row.no_interval or row.failed:
        return row.verdict
    if not row.fastest:
        return Verdict.SLOWER
    return Verdict.SAME if row.verdict is Verdict.SAME else Verdict.UNDECIDED
