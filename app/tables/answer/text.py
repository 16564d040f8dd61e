"""What ``run`` and ``compare`` print in a terminal: answer, short table, notes; or all columns, or all notes."""

from collections.abc import Sequence
from dataclasses import dataclass

from edge_bench.app.render.table import Table
from edge_bench.app.render.text.short_table import short_table_lines
from edge_bench.app.render.text.wrapping import wrapped
from edge_bench.app.render.units import counted
from edge_bench.app.tables.answer.layout import UNLIMITED, laid_out
from edge_bench.app.tables.answer.names import Sides, baseline_name
from edge_bench.app.tables.answer.notes import all_short_notes, shown_notes
from edge_bench.app.tables.answer.reliability import reason_is_whole
from edge_bench.app.tables.answer.sentences import answer_lines, answer_reliability, no_answer_lines
from edge_bench.app.tables.answer.short import MAX_ROWS, constants, short_table
from edge_bench.app.tables.answer.side_by_side import side_by_side
from edge_bench.app.tables.runs.attribution import attribution_table
from edge_bench.bench.analysis.answer.answer import Answer, answer_of, no_answer
from edge_bench.bench.analysis.comparison.comparison import Comparison
from edge_bench.bench.analysis.times.timings import Estimator
from edge_bench.bench.records.run import Run

__all__ = ["Answered", "answer_sentences", "answer_text", "facts", "mark_legend", "short_blocks", "time_facts"]

_STATISTIC = {Estimator.TYPICAL: "times of the typical invocation", Estimator.WHOLE: "times of whole passes"}


@dataclass(frozen=True)
class Answered:
    """Runs, their comparison, and their tables with all columns."""

    runs: Sequence[Run]
    comparison: Comparison | None  # None: nothing was measured
    tables: Sequence[Table]
    more: str  # how to see all columns and notes
    explained: Sequence[str] = ()  # the operators that explain differences between profiles, in sentences

    @property
    def answer(self) -> Answer:
        """The answer of the comparison, or that there is none."""
        return answer_of(self.comparison) if self.comparison else no_answer(self.runs)


def answer_sentences(subject: Answered, width: int = UNLIMITED) -> list[str]:
    """Return the lines of the answer."""
    if subject.comparison is None:
        failures = [result.failure for run in subject.runs for result in run.results if result.failure]
        return no_answer_lines(subject.answer, failures, width)
    return answer_lines(subject.answer, subject.comparison, width)


def answer_text(subject: Answered, width: int, *, wide: bool = False, why: bool = False, limit: bool = True) -> str:
    """Return the answer in at most three lines of ``width`` characters, a table that fits it, and at most five notes.

    wide: the tables with all columns instead of the short one, in blocks of ``width`` if ``limit``
    why: all notes, and where time differences come from
    """
    return laid_out(
        answer_sentences(subject, width),
        lambda: short_blocks(subject, width),
        lambda: _few_notes(subject, width),
        subject.tables,
        width if limit else None,
        wide=wide,
        why=why,
        causes=attribution_table(subject.comparison) if why and subject.comparison else None,
        explained=subject.explained,
    )


def short_blocks(subject: Answered, width: int) -> list[list[str]]:
    """Return the blocks of lines of the short table; none if nothing was measured."""
    comparison = subject.comparison
    if comparison is None:
        return []
    sides = Sides(comparison.rows)
    title = _title(subject, comparison, sides)
    kind = subject.answer.kind
    if not sides.several:
        rows = [row for row in comparison.rows if row.time]
        return [_with_rest(short_table_lines(short_table(comparison, rows, kind, title), width), len(rows))]
    legend = [line for each in sides.legend() for line in wrapped(each, width)]
    together = side_by_side(comparison, sides, kind, width)
    if together:
        return [[*wrapped(title, width), *legend, *short_table_lines(together, width)]]
    blocks = [[*wrapped(title, width), *legend]]
    for side in sides.rows:
        rows = [row for row in comparison.rows if row.run_id == side.run_id and row.time]
        if rows:
            table = short_table(comparison, rows, kind, f"{sides.name(side.run_id)}:")
            blocks.append(_with_rest(short_table_lines(table, width), len(rows)))
    return blocks


def _with_rest(lines: list[str], rows: int) -> list[str]:
    return [*lines, f"  and {counted(rows - MAX_ROWS, 'more configuration')} (--wide)"] if rows > MAX_ROWS else lines


def _title(subject: Answered, comparison: Comparison, sides: Sides) -> str:
    """Return what is the same for all rows."""
    rows = [row for row in comparison.rows if row.time]
    repeats = max(row.runs for row in rows)
    parts = [*facts(subject.runs, repeats), *time_facts(comparison)]
    if sides.several:
        base = next(row for row in comparison.rows if row.is_baseline)
        parts.append(f"baseline: {baseline_name(comparison)} on {sides.name(base.run_id)}")
    else:
        parts.append(rows[0].machine)
    return "; ".join(part for part in [*parts, mark_legend(comparison)] if part)


def facts(runs: Sequence[Run], repeats: int = 1) -> list[str]:
    """Return what was measured: model and data, images per pass, trials."""
    first = runs[0]
    models = list(dict.fromkeys(run.bundle.model for run in runs))
    model = models[0] if len(models) == 1 else f"{len(models)} models"
    images = {run.images_per_pass for run in runs}
    total = {run.images.total_images for run in runs}
    parts = [f"{model} on {first.bundle.dataset}"]
    if len(images) == 1:
        count = counted(first.images_per_pass, first.unit)
        subset = len(total) == 1 and first.images_per_pass < first.images.total_images
        parts.append(f"{count} of {first.images.total_images:,} per pass" if subset else f"{count} per pass")
    return [*parts, *([f"{repeats} runs"] if repeats > 1 else []), _trials(runs)]


def time_facts(comparison: Comparison) -> list[str]:
    """Return threads and batch sizes that are the same for all rows, and the statistic of the times."""
    rows = [row for row in comparison.rows if row.time]
    real = any(not row.emulated for row in rows)
    return [constants(rows), *([_STATISTIC[comparison.estimator]] if real else [])]


def mark_legend(comparison: Comparison) -> str:
    """Return what ``~`` means, if a row has it."""
    marked = (
        row.unstable or row.verdict_reliable is False or (row.energy is not None and row.energy.reliable is False)
        for row in comparison.rows
        if row.time and not row.emulated
    )
    return "~ not reliable" if any(marked) else ""


def _trials(runs: Sequence[Run]) -> str:
    trials = {len(result.trials) for run in runs for result in run.results_with_trials}
    processes = {len(result.by_process()) for run in runs for result in run.results_with_trials}
    if len(trials) != 1 or len(processes) != 1:
        return f"up to {counted(max(trials), 'trial')} each"
    (count,), (over,) = trials, processes
    return f"{counted(count, 'trial')} in {counted(over, 'process')}"


def _few_notes(subject: Answered, width: int) -> list[str]:
    with_reason = not reason_is_whole(answer_reliability(subject.answer), width)
    notes = all_short_notes(subject.runs, subject.comparison, subject.answer, with_reason=with_reason)
    return shown_notes(notes, width, subject.more)
