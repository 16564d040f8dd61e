"""What ``fleet run`` prints in a terminal: the fastest machine, machines that failed, and a row for each machine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edge_bench.app.fleet.runs.state import DeviceState
from edge_bench.app.render.short_table import SHORTEST_NAME, Column, ShortTable
from edge_bench.app.render.table import Table
from edge_bench.app.render.text.short_table import short_table_lines
from edge_bench.app.render.text.wrapping import clipped, first_that_fits, middle_shortened, wrapped
from edge_bench.app.render.units import counted, significant, size, with_interval
from edge_bench.app.tables.answer.cells import joined, quality_text, size_clauses, time_text
from edge_bench.app.tables.answer.layout import UNLIMITED, laid_out
from edge_bench.app.tables.answer.names import Sides, configuration_name
from edge_bench.app.tables.answer.notes import all_short_notes, shown_notes
from edge_bench.app.tables.answer.reliability import EMULATED_TIMES, reason_is_whole
from edge_bench.app.tables.answer.sentences import (
    answer_lines,
    answer_reliability,
    answer_reliability_texts,
    listed,
    share_text,
)
from edge_bench.app.tables.answer.short import (
    BEST,
    MAX_ROWS,
    configuration_columns,
    quality_column,
    speed_column,
    time_column,
)
from edge_bench.app.tables.answer.text import Answered, facts, mark_legend, short_blocks, time_facts
from edge_bench.bench.analysis.answer.answer import Answer, AnswerKind, answer_of
from edge_bench.bench.analysis.comparison.comparison import Comparison, Row
from edge_bench.bench.records.run import Run
from edge_bench.bench.stats.ratios import Ratio

__all__ = ["FleetAnswered", "fleet_sentences", "fleet_text"]

_MAX_NAME = 20
#: Failed machines that are named below the answer.
_MAX_FAILED = 4
#: Order in which columns are reduced, the highest first.
_MEMORY, _SIZE = 9, 8


@dataclass(frozen=True)
class FleetAnswered:
    """The machines of a fleet, their Runs with measurements, and their tables with all columns."""

    devices: Sequence[DeviceState]
    runs: Sequence[Run]
    comparison: Comparison | None  # of all configurations; None: nothing was measured
    machines: Comparison | None  # of the fastest configuration of each machine (`compare_machines`)
    tables: Sequence[Table]
    more: str  # how to see all columns and notes

    @property
    def names(self) -> Mapping[str, str]:
        """Name of the engine of each Run, by the Run's id."""
        return {device.run_id: middle_shortened(device.engine.name, _MAX_NAME) for device in self.devices}

    @property
    def of_runs(self) -> Answered:
        """The same as the answer of its Runs."""
        return Answered(self.runs, self.comparison, self.tables, self.more)


def fleet_sentences(subject: FleetAnswered, width: int = UNLIMITED) -> list[str]:
    """Return the lines of the answer, then one or two for each machine that failed."""
    return [*_answer(subject, width), *_failed(subject, width)]


def fleet_text(subject: FleetAnswered, width: int, *, wide: bool = False, why: bool = False, limit: bool = True) -> str:
    """Return the answer and the failed machines, a table that fits ``width`` characters, and at most five notes.

    wide: the tables with all columns instead of the short one, in blocks of ``width`` if ``limit``
    why: all notes
    """
    return laid_out(
        fleet_sentences(subject, width),
        lambda: _short(subject, width),
        lambda: _notes(subject, width),
        subject.tables,
        width if limit else None,
        wide=wide,
        why=why,
    )


def _answer(subject: FleetAnswered, width: int) -> list[str]:
    if subject.comparison is None or subject.machines is None:
        which = "the only machine" if len(subject.devices) == 1 else f"all {len(subject.devices)} machines"
        return wrapped(f"No answer: {which} failed" if subject.devices else "No answer: there is no machine", width)
    answer = answer_of(subject.comparison)
    if len(subject.runs) == 1:
        name = subject.names.get(subject.runs[0].run_id, "")
        return answer_lines(answer, subject.comparison, width, f" on {name} (only machine)")
    found = _Sentences(answer_of(subject.machines), subject.machines, subject.names)
    texts = [found.first(), found.second(), answer_reliability_texts(answer)]
    return [line for each in texts if each for line in wrapped(first_that_fits(width, each), width)]


def _failed(subject: FleetAnswered, width: int) -> list[str]:
    failed = [device for device in subject.devices if not device.run_file]
    shown = failed if len(failed) <= _MAX_FAILED or width == UNLIMITED else failed[: _MAX_FAILED - 1]
    lines = [line for device in shown for line in clipped(_failure(device), width)]
    more = len(failed) - len(shown)
    return [*lines, *([f"! {counted(more, 'more machine')} failed (--why)"] if more else [])]


def _failure(device: DeviceState) -> str:
    remedy = f"; {device.remedy}" if device.remedy else ""
    return f"! {device.engine.name} {device.state}: {device.reason or 'it gives no reason'}{remedy}"


class _Sentences:
    """The answer about several machines."""

    def __init__(self, answer: Answer, machines: Comparison, names: Mapping[str, str]) -> None:
        self._answer, self._machines, self._names = answer, machines, names

    def first(self) -> list[str]:
        answer, best = self._answer, self._answer.best[0]
        time = f"{time_text(best)} ms/{answer.unit}"
        match answer.kind:
            case AnswerKind.FASTEST:
                return [f"Fastest: {self._whole(best)}, {time}"]
            case AnswerKind.ONE:
                return [f"Only one machine has times: {self._whole(best)}, {time}", f"{self._whole(best)}, {time}"]
            case AnswerKind.NO_INTERVAL:
                return ["No verdict on speed: times of one process have no interval. Use --processes 5."]
            case AnswerKind.EMULATED:
                return [EMULATED_TIMES]
            case _:
                names = [self._name(row) for row in answer.best]
                within = f"are within {share_text(answer.spread or 0)}"
                texts = [f"No clear winner: {listed(names)} {within}"] if len(names) <= 4 else []
                return [*texts, f"No clear winner: {counted(len(names), 'machine')} {within}"]

    def second(self) -> list[str]:
        best, answer = self._answer.best[0], self._answer
        quality = self._quality(answer.best)
        if answer.kind in (AnswerKind.FASTEST, AnswerKind.ONE):
            speeds = self._faster() or [""]
            return [joined([speed, quality, bytes_]) for speed in speeds for bytes_ in (size_clauses(best)[0], "")]
        if answer.kind is AnswerKind.EMULATED:
            return [quality] if quality else []
        first, last = answer.best[0], answer.best[-1]
        texts = [
            " to ".join(
                f"{time_text(row, answer.best, interval=interval)} ms/{answer.unit} ({name(row)})"
                for row in (first, last)
            )
            for interval, name in ((True, self._whole), (True, self._name), (False, self._name))
        ]
        return [joined([text, quality]) for text in texts]

    def _faster(self) -> list[str]:
        """Return how many times faster the fastest machine is than the next one, with the interval."""
        after = self._answer.runner_up
        if after is None or after.ratio is None:
            return []
        # the ratio is that of the next machine's time to the best one's
        speed, interval = f"{significant(after.ratio.value)}× faster than", _interval(after.ratio)
        return [f"{speed} {self._whole(after)}, the next{interval}", f"{speed} {self._name(after)}, the next{interval}"]

    def _quality(self, rows: Sequence[Row]) -> str:
        known = sorted((row for row in rows if quality_text(row)), key=lambda row: row.quality[0].value or 0)
        if not known:
            return "" if self._answer.labelled else "no true values"
        first = known[0].quality[0]
        ends = dict.fromkeys(quality_text(row) for row in (known[0], known[-1]))
        return f"{first.name} {' to '.join(ends)}{' %' if first.percent else ''}"

    def _name(self, row: Row) -> str:
        return self._names.get(row.run_id, row.machine)

    def _whole(self, row: Row) -> str:
        return f"{self._name(row)} with {configuration_name(row.configuration, self._machines.rows)}"


def _interval(ratio: Ratio) -> str:
    return f" {with_interval(ratio.value, ratio.interval).split(' ', 1)[1]}" if ratio.interval else ""


def _short(subject: FleetAnswered, width: int) -> list[list[str]]:
    """Return a row for each machine, or for each configuration of the only one."""
    machines = subject.machines
    if machines is None:
        return []
    if len(subject.runs) == 1:
        return short_blocks(subject.of_runs, width)
    rows = list(machines.rows)
    title = [*facts(subject.runs), *time_facts(machines), "the fastest of each machine", mark_legend(machines)]
    sides = Sides(subject.comparison.rows if subject.comparison else [])
    legend = [line for each in sides.legend() if sides.letters for line in wrapped(each, width)]  # notes have letters
    lines = short_table_lines(_table(rows[:MAX_ROWS], subject, "; ".join(part for part in title if part)), width)
    return [
        [
            *lines,
            *legend,
            *([f"  and {counted(len(rows) - MAX_ROWS, 'more machine')} (--wide)"] if len(rows) > MAX_ROWS else []),
        ]
    ]


def _table(rows: Sequence[Row], subject: FleetAnswered, title: str) -> ShortTable:
    machines, names = subject.machines, subject.names
    assert machines is not None  # noqa: S101 - the caller has checked
    shown = [f"{names.get(row.run_id, row.machine)}{' EMULATED' if row.emulated else ''}" for row in rows]
    columns = [Column("machine", shown, right=False, shrinks_to=SHORTEST_NAME), *configuration_columns(rows)]
    if any(not row.emulated for row in rows):
        columns.append(time_column(rows, machines.unit))
    if any(row.ratio for row in rows):
        # the fastest machine is the baseline
        base = next(row for row in rows if row.is_baseline)
        columns.append(speed_column(rows, f"vs {middle_shortened(names.get(base.run_id, base.machine), 12)}"))
    columns += quality_column(rows, machines)
    if len({row.bytes for row in rows}) > 1:
        columns.append(Column("size", [size(row.bytes) for row in rows], dropped=_SIZE))
    if any(row.memory_peak_bytes for row in rows):
        memory = [size(row.memory_peak_bytes) if row.memory_peak_bytes else "" for row in rows]
        columns.append(Column("memory", memory, dropped=_MEMORY))
    marks = answer_of(machines).kind in (AnswerKind.FASTEST, AnswerKind.TIE)
    return ShortTable(title, columns, [BEST if marks and row.fastest else "" for row in rows])


def _notes(subject: FleetAnswered, width: int) -> list[str]:
    own = [
        f"! {device.engine.name}: containers or volumes are still there; `edge-bench fleet clean` removes them"
        for device in subject.devices
        if device.left_behind
    ]
    own += [
        f"{'-' if device.done else '!'} {device.engine.name}: {device.reason}; its Run is complete"
        for device in subject.devices
        if device.run_file and device.reason
    ]
    own += [f"! {device.clock_warning}" for device in subject.devices if device.clock_warning]
    if subject.comparison is None:
        return shown_notes(own, width, subject.more)
    answer = answer_of(subject.comparison)
    with_reason = not reason_is_whole(answer_reliability(answer), width)
    notes = all_short_notes(subject.runs, subject.comparison, answer, with_reason=with_reason)
    return shown_notes([*own, *notes], width, subject.more)
