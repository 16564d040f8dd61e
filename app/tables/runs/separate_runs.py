"""Notes on comparisons between separate Runs, and on slow invocations."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from edge_bench.app.render.units import significant, with_interval
from edge_bench.bench.analysis.comparison.comparison import Row
from edge_bench.bench.analysis.times.compared_times import Separation
from edge_bench.bench.stats.comparisons.separate_runs import ASSUMED_VARIATION, VariationSource, undecided_below
from edge_bench.bench.stats.ratios import Verdict, verdict
from edge_bench.bench.wording import abbreviate

__all__ = ["row_notes", "separation_notes", "separation_record"]

#: If the variation exceeds the assumed one by this factor, it was measured in the Runs, and the note says so.
_MEASURED_FACTOR = 1.2
#: Number of Runs of each side that the docs recommend for a comparison between separate Runs.
_RECOMMENDED_RUNS = 5
#: A smaller variation is not shown as a number: times are not so exact. Copies of one Run have none at all.
_LEAST_PERCENT = 0.01


def separation_notes(separations: Iterable[tuple[str, str, Separation | None]]) -> list[str]:
    """Return notes per side on comparisons between separate Runs.

    ``separations`` has for each comparison the name of its side, that of its configuration, and its separation. A note
    that does not hold for all configurations of a side names those for which it holds.
    """
    found = [each for each in separations if each[2] is not None]
    notes = dict[tuple[str, str], list[str]]()  # side and text → configurations
    for side, configuration, separation in found:
        texts = [f"separate runs: {_variation_text(separation)}"] if separation else []
        if separation and separation.differences:
            texts.append(f"differences between the runs: {'; '.join(separation.differences)}")
        for text in texts:
            notes.setdefault((side, text), []).append(configuration)
    of_side = Counter(side for side, _, _ in found)
    return [
        f"{side}, {text}" if len(names) == of_side[side] else f"{side}, {abbreviate(names)}, {text}"
        for (side, text), names in notes.items()
    ]


def _variation_text(separation: Separation) -> str:
    """Return the run-to-run variation that the interval includes, and how to measure it."""
    counts = f"{separation.runs} against {separation.baseline_runs}"
    percent = 100 * separation.variation
    share = f"{significant(percent, 2)} %" if percent >= _LEAST_PERCENT else f"less than {_LEAST_PERCENT} %"
    if separation.source is not VariationSource.ASSUMED:
        return f"{counts}; the interval includes {share} run-to-run variation ({separation.source})"
    least = significant(
        100 * undecided_below(separation.runs, separation.baseline_runs, max(separation.variation, ASSUMED_VARIATION)),
        2,
    )
    bound = f"differences below {least} % remain undecided"
    advice = f"Measure each side with --repeat-runs {_RECOMMENDED_RUNS}, or add earlier Runs with --history"
    if separation.variation > _MEASURED_FACTOR * ASSUMED_VARIATION:
        return f"{counts}; Runs of one side, or processes of one Run, vary by {share}, so {bound}. {advice}"
    return f"{counts}; run-to-run variation is unknown and assumed to be {share}, so {bound}. {advice}"


def row_notes(rows: Sequence[Row], name: Callable[[Row], str]) -> list[str]:
    """Return notes on the comparison of times: slow tails, different estimators and corrected verdicts."""
    notes = [_slow_tail(row, name(row)) for row in rows if row.slow_tail]
    estimators = {row.estimator for row in rows if row.estimator}
    if len(estimators) > 1:
        for estimator in sorted(estimators):
            names = ", ".join(name(row) for row in rows if row.estimator == estimator)
            notes.append(f"time × compares the {estimator} of {names}")
    lucky = ", ".join(name(row) for row in rows if row.process_luck)
    if lucky:
        notes.append(
            f"time × compares mean times of processes, because processes differ in speed, for {lucky}. Use "
            "--processes 10"
        )
    compared = [row for row in rows if row.ratio]
    undecided = [row for row in compared if row.ratio and row.verdict is Verdict.UNDECIDED is not verdict(row.ratio)]
    if undecided:
        names = ", ".join(map(name, undecided))
        notes.append(
            f"undecided although the interval is beyond 2 %: {names}. Among {len(compared)} rows, such an interval is "
            "too likely by chance"
        )
    return notes


def _slow_tail(row: Row, name: str) -> str:
    """Return ``slow tail, …: the typical invocation is the same, the whole pass takes 1.10 [1.08, 1.12] × …``."""
    if row.whole_pass is None:
        raise ValueError("a row without a ratio of whole passes has no slow tail to report")
    typical = "is the same" if row.verdict is Verdict.SAME else "is undecided"
    whole = with_interval(row.whole_pass.value, row.whole_pass.interval)
    word = "slow" if row.whole_pass.value > 1 else "less slow"
    return f"{word} tail, {name}: the typical invocation {typical}, the whole pass takes {whole} × the baseline's time"


def separation_record(separation: Separation | None) -> dict[str, Any]:
    """Return the unformatted values of a comparison between separate Runs; None within one Run."""
    return {
        "runs": separation.runs if separation else None,
        "baseline_runs": separation.baseline_runs if separation else None,
        "run_variation": separation.variation if separation else None,
        "run_variation_source": str(separation.source) if separation else None,
        "run_differences": separation.differences if separation else None,
    }
