"""What ``run --duration`` prints in a terminal."""

from collections.abc import Sequence

from edge_bench.app.render.short_table import Column, ShortTable
from edge_bench.app.render.table import Table
from edge_bench.app.render.text.short_table import short_table_lines
from edge_bench.app.render.text.sparkline import sparkline
from edge_bench.app.render.units import significant
from edge_bench.app.tables.answer.layout import laid_out
from edge_bench.app.tables.answer.notes import all_short_notes, shown_notes
from edge_bench.app.tables.answer.short import MAX_ROWS, configuration_columns, constants
from edge_bench.app.tables.energy import energy_column
from edge_bench.app.tables.sustained.sentences import by_end, change_text, moment_text, sustained_sentences
from edge_bench.app.tables.sustained.table import sustained_tables
from edge_bench.bench.analysis.answer.answer import no_answer
from edge_bench.bench.analysis.energy.joules import energy_of
from edge_bench.bench.analysis.sustained.load import Load, Outcome
from edge_bench.bench.analysis.times.machines import run_place
from edge_bench.bench.progress import duration_text
from edge_bench.bench.records.run import Run

__all__ = ["sustained_text"]

#: Order in which columns are dropped or made narrower, the highest first.
_PARTS, _CLOCK, _TEMPERATURE, _ENERGY, _INTERVAL, _AFTER, _START = 10, 9, 8, 7, 6, 5, 4


def sustained_text(
    run: Run,
    loads: Sequence[Load],
    tables: Sequence[Table],
    width: int,
    more: str,
    *,
    wide: bool = False,
    why: bool = False,
    limit: bool = True,
) -> str:
    """Return the answer, a table that fits ``width`` and a few notes; options as in `answer_text`.

    tables: of the Run with all columns, and of its profiles; more: how to see all columns and notes
    """
    return laid_out(
        sustained_sentences(run, loads, width),
        lambda: [short_table_lines(_short_table(run, by_end(loads)[:MAX_ROWS]), width)],
        lambda: shown_notes(_notes(run, loads), width, more),
        [*sustained_tables(run, loads), *tables],
        width if limit else None,
        wide=wide,
        why=why,
    )


def _notes(run: Run, loads: Sequence[Load]) -> list[str]:
    reasons = [
        f"- {load.configuration}: {load.outcome}: {load.reason}"
        for load in loads
        if load.outcome is Outcome.UNDECIDED and load.reason
    ]
    alone = ["- one process each: measure again to see how much results vary"]
    return [*all_short_notes([run], None, no_answer([run]), with_reason=False), *reasons, *alone]


def _short_table(run: Run, loads: Sequence[Load]) -> ShortTable:
    unit, duration = f"ms/{run.unit}", run.settings.sustained.duration_s if run.settings.sustained else 0.0
    title = "; ".join([
        f"{run.bundle.model} on {run.bundle.dataset}", f"{duration_text(duration)} each, one after the other",
        constants(loads), run_place(run),
    ])  # fmt: skip
    changes = [change_text(load) for load in loads]
    energies = {result.configuration: energy_of(run, result) for result in run.results_with_trials}
    columns = [
        *configuration_columns(loads),
        Column(f"{unit}\nat start", [significant(load.start_ms) for load in loads], dropped=_START),
        Column(f"{unit}\nat end", ["" if load.end_ms is None else significant(load.end_ms) for load in loads]),
        Column(
            "change [95 %]",
            changes,
            narrow=("change", [each.partition(" [")[0] for each in changes]),
            narrowed=_INTERVAL,
        ),
        *energy_column([energies[load.configuration] for load in loads], run.unit, _ENERGY),
        Column("outcome", [str(load.outcome) for load in loads], right=False),
        Column("after", [moment_text(load) for load in loads], dropped=_AFTER),
        _ends("°C", [(each.at_start.temperature_c, each.highest_c) for each in loads], _TEMPERATURE),
        _ends("MHz", [(each.at_start.clock_mhz, each.at_end.clock_mhz) for each in loads], _CLOCK),
        Column("over time", [_line(load) for load in loads], right=False, dropped=_PARTS),
    ]
    return ShortTable(title, [each for each in columns if any(each.cells)], ["" for _ in loads])


def _line(load: Load) -> str:
    return sparkline([each.image_ms for each in load.bins if each.image_ms is not None]).partition(" ")[0]


def _ends(header: str, ends: Sequence[tuple[float | None, float | None]], dropped: int) -> Column:
    """Return a column with two values of each row, such as ``45 → 71``; empty if one is unknown."""
    cells = ["" if low is None or high is None else f"{low:,.0f} → {high:,.0f}" for low, high in ends]
    return Column(header, cells, dropped=dropped)
