"""The short table of one Run, or of the repeats of one: sorted by speed, in 80 columns."""

from collections.abc import Sequence
from dataclasses import replace

from edge_bench.app.render.short_table import SHORTEST_NAME, Column, ShortTable
from edge_bench.app.render.text.wrapping import middle_shortened
from edge_bench.app.render.units import percent, size
from edge_bench.app.tables.answer.cells import UNRELIABLE, quality_text, speed_text, time_text
from edge_bench.app.tables.answer.names import Configured, baseline_name
from edge_bench.app.tables.energy import energy_column
from edge_bench.bench.analysis.answer.answer import AnswerKind
from edge_bench.bench.analysis.comparison.comparison import Comparison, Row
from edge_bench.bench.records.delegate import shown_delegate
from edge_bench.bench.records.run import CLASSIFY
from edge_bench.bench.wording import counted, listed

__all__ = [
    "BEST", "MARKED", "MAX_ROWS", "by_time", "configuration_columns", "constants", "quality_column", "short_table",
    "speed_column", "time_column",
]  # fmt: skip

BEST = "▸"
#: Answers whose best rows are marked.
MARKED = (AnswerKind.FASTEST, AnswerKind.TIE, AnswerKind.OPEN)
#: Rows of a short table. The full table has all.
MAX_ROWS = 40
_MAX_BASELINE = 12
#: Order in which columns are reduced, the highest first.
_BASELINE, _MEMORY, _ACCURACY, _SIZE, _ENERGY, _INTERVAL, _QUALITY, _SPEED = 11, 10, 9, 8, 7, 6, 5, 4
#: Names of runtimes up to this length stay whole.
_RUNTIME = len("tflite-runtime")


def short_table(comparison: Comparison, rows: Sequence[Row], kind: AnswerKind, title: str = "") -> ShortTable:
    """Return the table of these rows, all of one Run: the measured ones, the fastest first; the baseline is kept."""
    shown = _first(by_time(rows))
    columns = [*configuration_columns(shown), *_time_columns(shown, comparison), *quality_column(shown, comparison)]
    columns += energy_column([row.energy for row in shown], comparison.unit, _ENERGY)
    columns.append(Column("size", [size(row.bytes) for row in shown], dropped=_SIZE))
    if any(row.memory_peak_bytes for row in shown):
        memory = [size(row.memory_peak_bytes) if row.memory_peak_bytes else "" for row in shown]
        columns.append(Column("memory", memory, dropped=_MEMORY))
    return ShortTable(title, columns, [BEST if kind in MARKED and row.fastest else "" for row in shown])


def by_time(rows: Sequence[Row]) -> list[Row]:
    """Return the measured rows, the fastest first; emulated ones keep their order, after the others."""
    measured = [row for row in rows if row.time]
    return sorted(measured, key=lambda row: float("inf") if row.emulated or row.time is None else row.time.milliseconds)


def _first(rows: Sequence[Row]) -> list[Row]:
    return [row for number, row in enumerate(rows) if number < MAX_ROWS or row.is_baseline]


def configuration_columns(rows: Sequence[Configured]) -> list[Column]:
    """Return the columns that tell configurations apart; what is the same for a runtime is in `constants`."""
    names = {
        name: [str(getattr(row.configuration, name)) for row in rows]
        for name in ("variant", "runtime", "threads", "batch_size", "delegate")
    }
    columns = [
        Column(name, names[name], right=False, shrinks_to=least)
        for name, least in (("variant", SHORTEST_NAME), ("runtime", _RUNTIME))
    ]
    if len(set(names["runtime"])) == 1 < len(set(names["variant"])):
        del columns[1]
    elif len(set(names["variant"])) == 1 < len(set(names["runtime"])):
        del columns[0]
    if _differs(rows, "threads"):
        columns.append(Column("threads", names["threads"]))
    if _differs(rows, "batch_size"):
        columns.append(Column("batch", names["batch_size"]))
    if _differs(rows, "delegate"):
        delegates = [shown_delegate(each) for each in names["delegate"]]
        columns.append(Column("delegate", delegates, right=False, shrinks_to=SHORTEST_NAME))
    return columns


def constants(rows: Sequence[Configured]) -> str:
    """Return what is the same for all rows, or for those of each runtime: ``litert: 1 thread, batch 1``."""
    runtimes = list(dict.fromkeys(row.configuration.runtime for row in rows))
    variants = list(dict.fromkeys(row.configuration.variant for row in rows))
    texts = dict[str, list[str]]()
    for runtime in runtimes:
        first = next(row.configuration for row in rows if row.configuration.runtime == runtime)
        parts = []
        if not _differs(rows, "threads"):
            parts.append(counted(first.threads, "thread"))
        if not _differs(rows, "batch_size"):
            parts.append(f"batch {first.batch_size}")
        if first.delegate and not _differs(rows, "delegate"):
            parts.append(f"delegate {middle_shortened(first.delegate, 24)}")
        if parts:
            texts.setdefault(", ".join(parts), []).append(middle_shortened(runtime, 16))
    only = [runtimes[0]] if len(runtimes) == 1 < len(variants) else []
    only += [variants[0]] if len(variants) == 1 < len(runtimes) else []
    if len(texts) == 1:
        return ", ".join([*(middle_shortened(each, 24) for each in only), *texts])
    each = [f"{listed(names)}: {text}" for text, names in texts.items()]
    return "; ".join([*(middle_shortened(name, 24) for name in only), *each])


def _differs(rows: Sequence[Configured], name: str) -> bool:
    """Return whether a setting differs between configurations of one runtime."""
    values: dict[str, set[object]] = {}
    for row in rows:
        values.setdefault(row.configuration.runtime, set()).add(getattr(row.configuration, name))
    return any(len(each) > 1 for each in values.values())


def _time_columns(rows: Sequence[Row], comparison: Comparison) -> list[Column]:
    if all(row.emulated for row in rows):
        return []
    time = time_column(rows, comparison.unit)
    if not any(row.ratio for row in rows):
        return [time]
    header = f"vs {baseline_name(comparison, _MAX_BASELINE)}"
    speed = replace(speed_column(rows, header), dropped=_SPEED)
    if len(speed.header) <= max(map(len, speed.cells), default=0):  # another heading would save no width
        return [time, speed]
    narrow = f"vs\nbaseline{speed.header.removeprefix(header)}"
    return [time, replace(speed, narrow=(narrow, speed.cells), narrowed=_BASELINE)]


def time_column(rows: Sequence[Row], unit: str) -> Column:
    """Return the times with their intervals, marked if they vary; emulated rows have none."""
    unstable = any(row.unstable for row in rows)
    marks = [UNRELIABLE if row.unstable else " " * len(UNRELIABLE) if unstable else "" for row in rows]
    times, short = (
        [f"{time_text(row, rows, interval=interval)}{mark}" for row, mark in zip(rows, marks, strict=True)]
        for interval in (True, False)
    )
    header, gap = f"ms/{unit}", " " * len(UNRELIABLE) if unstable else ""
    has_interval = any(row.time and row.time.interval for row in rows)
    return Column(f"{header}{' [95 %]' if has_interval else ''}{gap}", times, narrow=(header, short),
                  narrowed=_INTERVAL)  # fmt: skip


def speed_column(rows: Sequence[Row | None], header: str) -> Column:
    """Return the verdicts against the baseline; if all are unreliable, the header is marked instead of each."""
    judged = [row for row in rows if row is not None and row.verdict is not None]
    unreliable = [row for row in judged if row.verdict_reliable is False]
    if judged and len(unreliable) == len(judged):
        return Column(f"{header}{UNRELIABLE}", [speed_text(row) if row else "" for row in rows])
    pad = " " * len(UNRELIABLE) if unreliable else ""
    cells = [
        "" if row is None else f"{speed_text(row)}{UNRELIABLE if any(row is each for each in unreliable) else pad}"
        for row in rows
    ]
    return Column(f"{header}{pad}", cells)


def quality_column(rows: Sequence[Row], comparison: Comparison) -> list[Column]:
    """Return the first measure of the task, or without true values the agreement with the baseline."""
    first = next((row.quality[0] for row in rows if row.quality), None)
    if first is not None:
        assumed = "assumed\n" if any(row.accuracy_assumed for row in rows) else ""
        values = [quality_text(row) for row in rows]
        unit = " %" if first.percent else ""
        shown = [f"{value}{unit}" if value else "" for value in values]
        narrow = (f"{assumed}acc. %", values) if first.name == "accuracy" and first.percent else None
        return [Column(f"{assumed}{first.name}", shown, narrow=narrow, narrowed=_ACCURACY if narrow else 0,
                       dropped=_QUALITY)]  # fmt: skip
    shares = [_agreement(row) for row in rows]
    if not any(shares):
        return []
    name = "labels" if comparison.task == CLASSIFY else "outputs"
    return [
        Column(
            f"{name} as\n{baseline_name(comparison, _MAX_BASELINE)}",
            shares,
            narrow=(f"{name} as\nbaseline", shares),
            narrowed=_BASELINE,
            dropped=_QUALITY,
        )
    ]


def _agreement(row: Row) -> str:
    if row.is_baseline:
        return ""
    if row.agreement and row.agreement.total:
        return f"{percent(row.agreement.same / row.agreement.total, 1)} %"
    share = row.task_agreement.share if row.task_agreement else None
    return "" if share is None else f"{percent(share, 1)} %"
