"""The table of a Comparison: every configuration compared with the baseline. Notes give the paper's slack."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from edge_bench.app.render.table import Lazy, Table
from edge_bench.app.render.text.sparkline import sparkline
from edge_bench.app.render.units import marked, percent, significant, with_interval
from edge_bench.app.tables.energy import (
    ENERGY_HEADINGS,
    comparison_energy_notes,
    energy_cells,
    energy_record,
    has_energy,
)
from edge_bench.app.tables.runs.attribution import effect_record
from edge_bench.app.tables.runs.quality import (
    accuracy_change_text,
    agreement_cell,
    difference_cell,
    quality_cell,
    quality_heading,
    quality_notes,
    quality_record,
)
from edge_bench.app.tables.runs.separate_runs import row_notes, separation_notes, separation_record
from edge_bench.app.tables.runs.slack import slack_sentence
from edge_bench.app.tables.shared import (
    CONFIGURATION_KEYS,
    DELEGATE,
    UNRELIABLE,
    UNRELIABLE_NOTE,
    configuration_cells,
    has_delegates,
    ratio_record,
    speed_text,
    time_text,
    verdict_cell,
)
from edge_bench.bench.analysis.comparison.attribution import Effect
from edge_bench.bench.analysis.comparison.comparison import LEFT_OUT, Comparison, Row
from edge_bench.bench.analysis.energy.joules import NONE, Energy
from edge_bench.bench.records.run import CLASSIFY, Configuration
from edge_bench.bench.wording import counted

__all__ = ["comparison_record", "comparison_table"]

_TIME = "ms/image\n[95 %]"
_HEADER = (
    "machine", *CONFIGURATION_KEYS, "verdict", _TIME, "trials in order\n± largest",
    "time ×\n[95 %]", "accuracy\n%", "difference, points [95 %]\nlost, gained, p", "agreement\n%", "size ×",
    *ENERGY_HEADINGS,
)  # fmt: skip
#: Positions of the columns that differ between tasks.
_QUALITY, _DIFFERENCE, _AGREEMENT = (_HEADER.index(name) for name in _HEADER if name.startswith(("acc", "diff", "agr")))


def comparison_table(comparison: Comparison, *, slacks: bool = True) -> Table:
    """Return the table that ``compare --wide`` prints; ``slacks``: whether its notes have them."""
    letters, legend = _sides(comparison.rows)
    timed = [row for row in comparison.rows if row.time and not row.emulated]
    smallest = sorted(timed, key=lambda row: row.time.milliseconds if row.time else 0)[:1]
    several = len(letters) > 1
    first = 0 if several else 1
    header, columns = _columns(comparison)
    columns = columns[first:]
    effects: dict[tuple[str, Configuration], list[Effect]] = {}
    for effect in comparison.effects:
        effects.setdefault((effect.run_id, effect.configuration), []).append(effect)
    return Table(
        title=f"compared with {comparison.baseline} on {comparison.baseline_machine}",
        header=[header[column] for column in columns],
        rows=Lazy(lambda row: list(map(_cells(row, letters, smallest).__getitem__, columns)), comparison.rows),
        keys=5 - first + _has_delegates(comparison),
        notes=_notes(comparison, letters, legend, slacks=slacks),
        records=Lazy(
            lambda row: (
                comparison_record(row, effects.get((row.run_id, row.configuration), []))
                | quality_record(comparison.task, row.quality, row.quality_differences, row.task_agreement)
            ),
            comparison.rows,
        ),
        groups=[legend[row.run_id] for row in comparison.rows] if several else (),
    )


def _notes(comparison: Comparison, letters: dict[str, str], legend: dict[str, str], *, slacks: bool) -> list[str]:
    remarks = [
        f"! {_name(row, letters)}: {row.remark}"
        for row in comparison.rows
        if row.remark and row.verdict is None and not row.is_baseline and not row.emulated
    ]
    return [
        *(legend.values() if len(letters) > 1 else []),
        *(f"NOTE: {note}" for note in comparison.notes),
        *quality_notes(
            comparison.task,
            max((row.images for row in comparison.rows), default=0),
            ((_name(row, letters), row.quality) for row in comparison.rows),
        ),
        *remarks,
        *_statistic(comparison, letters),
        *([UNRELIABLE_NOTE] if any(row.verdict_reliable is False for row in comparison.rows) else []),
        *comparison_energy_notes([(letters[row.run_id] if len(letters) > 1 else "", row) for row in comparison.rows]),
        *separation_notes((letters[row.run_id], str(row.configuration), row.separation) for row in comparison.rows),
        *row_notes(comparison.rows, lambda row: _name(row, letters)),
        *(slack_sentence(slack, letters if len(letters) > 1 else None) for slack in comparison.slacks if slacks),
    ]


def _statistic(comparison: Comparison, letters: dict[str, str]) -> list[str]:
    """Return a note on the rows whose ratio is of another statistic than the time next to it."""
    others = [row for row in comparison.rows if row.ratio and row.estimator not in (None, comparison.estimator)]
    if not others:
        return []
    return [
        f"ms/{comparison.unit} is the time of whole passes, but time × is of typical invocations in: "
        f"{', '.join(_name(row, letters) for row in others)}"
    ]


def _columns(comparison: Comparison) -> tuple[list[str], list[int]]:
    """Return the headings for the task, and the visible columns. Quality columns are visible if quality is known."""
    header = [name.replace("image", comparison.unit) if name == _TIME else name for name in _HEADER]
    energies = range(len(header) - len(ENERGY_HEADINGS), len(header))
    for column in energies:
        header[column] = header[column].replace("image", comparison.unit)
    hidden = set[int]() if has_energy(comparison.rows) else set(energies)
    if not _has_delegates(comparison):
        hidden.add(_HEADER.index(DELEGATE))
    if comparison.task != CLASSIFY:
        header[_QUALITY] = f"{quality_heading(row.quality[0] for row in comparison.rows if row.quality)}\n[95 %]"
        differences = (row.quality_differences[0] for row in comparison.rows if row.quality_differences)
        header[_DIFFERENCE] = f"{quality_heading(differences, 'difference of ')}\n[95 %]"
        header[_AGREEMENT] = "agreement"
        if not any(row.quality for row in comparison.rows):
            hidden.add(_QUALITY)
        if not any(row.quality_differences for row in comparison.rows):
            hidden.add(_DIFFERENCE)
    return header, [column for column in range(len(header)) if column not in hidden]


def _has_delegates(comparison: Comparison) -> bool:
    return has_delegates(row.configuration for row in comparison.rows)


def _sides(rows: Sequence[Row]) -> tuple[dict[str, str], dict[str, str]]:
    """Return a letter and the legend of each side, by the id of its first Run.

    A side is a Run or its repeats. The legend names the machine, and the Run if the machine has several.
    """
    first_rows = {row.run_id: row for row in reversed(rows)}
    sides = [first_rows[run_id] for run_id in dict.fromkeys(row.run_id for row in rows)]
    machines = [row.machine for row in sides]
    letters, legend = {}, {}
    for number, row in enumerate(sides):
        letters[row.run_id] = chr(ord("A") + number) if number < 26 else str(number)
        which = f", run {row.run_id[:8]} of {row.began[:16].replace('T', ' ')}"
        if row.runs > 1:
            which = f", {counted(row.runs, 'run')} from {row.began[:16].replace('T', ' ')}"
        name = f"{row.machine}{which if machines.count(row.machine) > 1 else ''}"
        legend[row.run_id] = f"{letters[row.run_id]} = {name}"
    return letters, legend


def _name(row: Row, letters: dict[str, str]) -> str:
    return f"{letters[row.run_id]}: {row.configuration}" if len(letters) > 1 else str(row.configuration)


def _cells(row: Row, letters: dict[str, str], smallest: Sequence[Row]) -> list[str]:
    """Return the cells of a row; the row with the ``smallest`` time decides the decimals of all."""
    keys = [letters[row.run_id], *configuration_cells(row.configuration)]
    energies = energy_cells(row.energy) if row.energy else [""] * len(ENERGY_HEADINGS)
    if not row.pass_seconds:
        return [*keys, "left out" if row.remark == LEFT_OUT else "not measured", *[""] * 6,
                _ratio(row.size_ratio), *energies]  # fmt: skip
    unstable = UNRELIABLE if row.unstable and not row.emulated else ""
    return [
        *keys,
        _verdict(row),
        "EMULATED" if row.emulated else f"{time_text(row, smallest)}{unstable}",  # emulated times are never compared
        "" if row.emulated else sparkline(row.pass_seconds),
        with_interval(row.ratio.value, row.ratio.interval) if row.ratio else "",
        *_quality_cells(row),
        _ratio(row.size_ratio),
        *energies,
    ]


def _verdict(row: Row) -> str:
    if row.verdict:
        return verdict_cell(speed_text(row), row.verdict_reliable, row.no_interval)
    return "baseline" if row.is_baseline else "EMULATED" if row.emulated else row.failure or "none"


def _quality_cells(row: Row) -> list[str]:
    difference, agreement = row.accuracy_difference, row.agreement
    if row.task != CLASSIFY:
        return [
            quality_cell(row.quality, assumed=row.accuracy_assumed),
            difference_cell(row.quality_differences),
            agreement_cell(row.task_agreement),
        ]
    return [
        "" if row.correct is None else marked(percent(row.correct / row.images), assumed=row.accuracy_assumed),
        accuracy_change_text(difference) if difference and not row.is_baseline else "",
        percent(agreement.same / agreement.total) if agreement and agreement.total else "",
    ]


def _ratio(value: float | None) -> str:
    return "" if value is None else significant(value)


def _time_record(row: Row) -> dict[str, Any]:
    """Return the record fields of a row's time, its rank, and whether its verdict is reliable."""
    interval = row.time.interval if row.time else None
    return {
        "verdict_reliable": row.verdict_reliable,
        "verdict_reason": row.no_interval or (row.remark if row.verdict is None and not row.is_baseline else ""),
        "trusted": row.trusted,
        "unstable": row.unstable,
        "fastest": row.fastest,
        "fastest_in_run": row.fastest_in_run,
        "example_ms": row.time.milliseconds if row.time else None,
        "example_low_ms": interval.low if interval else None,
        "example_high_ms": interval.high if interval else None,
        "example_estimator": str(row.time.estimator) if row.time else None,
        "bytes": row.bytes,
        "memory_peak_bytes": row.memory_peak_bytes,
        **energy_record(row.energy or Energy(source=NONE)),
    }


def comparison_record(row: Row, effects: Sequence[Effect] = ()) -> dict[str, Any]:
    """Return the unformatted values of the row."""
    difference, agreement = row.accuracy_difference, row.agreement
    return {
        "run": row.run_id,
        "machine": row.machine,
        "emulated": row.emulated,
        **msgspec.structs.asdict(row.configuration),
        "baseline": row.is_baseline,
        "pass_median_s": float(np.median(row.pass_seconds)) if row.pass_seconds else None,
        **ratio_record(row.ratio),
        "verdict": str(row.verdict) if row.verdict else None,
        **_time_record(row),
        "estimator": str(row.estimator) if row.estimator else None,
        "whole_pass_ratio": row.whole_pass.value if row.whole_pass else None,
        "whole_pass_ratio_low": row.whole_pass.interval.low if row.whole_pass and row.whole_pass.interval else None,
        "whole_pass_ratio_high": row.whole_pass.interval.high if row.whole_pass and row.whole_pass.interval else None,
        "slow_tail": row.slow_tail,
        "process_luck": row.process_luck,
        **separation_record(row.separation),
        "accuracy": row.correct / row.images if row.images and row.correct is not None else None,
        "accuracy_assumed": row.accuracy_assumed,
        "accuracy_difference": difference.value if difference else None,
        "accuracy_difference_low": difference.interval.low if difference else None,
        "accuracy_difference_high": difference.interval.high if difference else None,
        "discordant_lost": difference.only_second if difference else None,
        "discordant_gained": difference.only_first if difference else None,
        "mcnemar_p": difference.p_value if difference else None,
        "agreement": agreement.same / agreement.total if agreement and agreement.total else None,
        "images_in_common": agreement.total if agreement else None,
        "size_ratio": row.size_ratio,
        "across_machine": row.across.there if row.across else None,
        "across_same": row.across.same if row.across else None,
        "across_total": row.across.total if row.across else None,
        "outputs_across": msgspec.to_builtins(row.outputs_across),
        "across_flips": [msgspec.to_builtins(flip) for flip in row.across.flips] if row.across else None,
        "attribution": [effect_record(effect) for effect in effects],
        "remark": row.remark,
    }
