"""The tables of a sustained load with all columns: one row per configuration, and one per bin."""

from collections.abc import Sequence

from edge_bench.app.render.table import Table
from edge_bench.app.render.units import significant
from edge_bench.app.tables.shared import CONFIGURATION_KEYS, DELEGATE, configuration_cells, has_delegates
from edge_bench.app.tables.sustained.sentences import change_text, conditions_text, moment_text
from edge_bench.bench.analysis.sustained.bins import bin_seconds
from edge_bench.bench.analysis.sustained.load import Load
from edge_bench.bench.progress import duration_text
from edge_bench.bench.records.run import Run
from edge_bench.bench.wording import counted

__all__ = ["sustained_tables"]


def sustained_tables(run: Run, loads: Sequence[Load]) -> list[Table]:
    """Return a table of the configurations, and one of each configuration's times per minute or finer."""
    return [_loads(run, loads), *(_bins(run, load) for load in loads)]


def _loads(run: Run, loads: Sequence[Load]) -> Table:
    delegates = has_delegates(load.configuration for load in loads)
    keys = [name for name in CONFIGURATION_KEYS if name != DELEGATE or delegates]
    unit, duration = f"ms/{run.unit}", run.settings.sustained.duration_s if run.settings.sustained else 0.0
    return Table(
        title=f"Sustained load, {duration_text(duration)} each, one after the other",
        header=[*keys, f"{unit}\nat the start", f"{unit}\nat the end", "change\n[95 %]", "outcome", "after",
                "temperature\nand clock", "throttled\ntrials"],
        rows=[
            [
                *configuration_cells(load.configuration)[: len(keys)],
                significant(load.start_ms),
                "" if load.end_ms is None else significant(load.end_ms),
                change_text(load),
                f"{load.outcome}{f': {load.reason}' if load.reason else ''}",
                moment_text(load),
                conditions_text(load).removesuffix("."),
                str(load.throttled_trials),
            ]
            for load in loads
        ],
        keys=len(keys),
        notes=[
            "- start: the first tenth of the duration; end: the last three tenths; medians",
            "- steady: the interval of the change is within ±2 %; slower or faster: it is beyond",
            "- configurations ran one after the other, so they are not compared with each other",
        ],
    )  # fmt: skip


def _bins(run: Run, load: Load) -> Table:
    duration = run.settings.sustained.duration_s if run.settings.sustained else 0.0
    return Table(
        title=f"{load.configuration}: {counted(len(load.bins), 'part')} of {duration_text(bin_seconds(duration))}",
        header=["from", f"ms/{run.unit}", "°C", "MHz", "throttled", "trials"],
        rows=[
            [
                duration_text(each.start_s),
                "" if each.image_ms is None else significant(each.image_ms),
                "" if each.temperature_c is None else f"{each.temperature_c:.0f}",
                "" if each.clock_mhz is None else f"{each.clock_mhz:,.0f}",
                "yes" if each.throttled else "",
                str(each.trials),
            ]
            for each in load.bins
        ],
        keys=1,
    )  # fmt: skip
