"""Predicted times of a bundle on Raspberry Pi boards, beside the times that were measured on machines here."""

from collections.abc import Mapping, Sequence

from edge_bench.app.render.table import Table
from edge_bench.app.render.units import size, with_interval
from edge_bench.app.tables.shared import UNRELIABLE
from edge_bench.bench.analysis.comparison.comparison import Row
from edge_bench.bench.prediction.answer import PredictedModel, Subject, predict_all
from edge_bench.bench.prediction.catalogue import ALL_DEVICES, load_device
from edge_bench.bench.prediction.choice import MEASURED_WITH
from edge_bench.bench.prediction.device_file import Device
from edge_bench.bench.stats.intervals import Interval
from edge_bench.bench.wording import counted, with_article

__all__ = ["PREDICTED", "boards_table", "predicted_time"]

PREDICTED = "PREDICTED"
#: Numbers of threads that are predicted: one, and all cores of every board.
_THREADS = (1, 4)
_RUNTIME = "litert"
_MAX_MACHINES = 3
_FIXED = 3  # columns before the boards


def boards_table(models: Sequence[Subject], rows: Sequence[Row], machines: Mapping[str, str]) -> Table | None:
    """Return a table with one row per variant and number of threads; None if no variant can be predicted.

    rows: of a comparison of the variants' Runs; ``machines`` has the name of each Run's machine
    """
    devices = [load_device(name) for name in ALL_DEVICES]
    found = predict_all(models, devices, _THREADS, _RUNTIME)
    measured = _measured(rows, machines)
    lines = [_line(model, threads, measured, found) for model in models for threads in _THREADS]
    lines = [line for line in lines if any(cell != "–" for cell in line[_FIXED:])]
    if not lines:
        return None
    return Table(
        title="Predicted times on Raspberry Pi boards",
        header=("model", "threads", "measured, ms", *(f"{PREDICTED}\n{device.board}, ms" for device in devices)),
        rows=lines,
        keys=2,
        notes=_notes(models, devices, found, has_measured=bool(measured)),
    )  # fmt: skip


def predicted_time(each: PredictedModel) -> str:
    """Return the predicted median in ms with its 90 % interval; ``–`` if nothing is predicted."""
    if each.prediction is None:
        return "–"
    low, high = each.prediction.interval_90
    return with_interval(each.prediction.milliseconds, Interval(low, high))


def _measured(rows: Sequence[Row], machines: Mapping[str, str]) -> dict[tuple[str, int], list[str]]:
    """Return the measured times and their machines, by variant and number of threads; emulated ones are left out."""
    found: dict[tuple[str, int], dict[str, str]] = {}
    for row in rows:
        each = row.configuration
        plain = each.runtime == _RUNTIME and each.batch_size == 1 and not each.delegate
        if plain and not row.emulated and not row.failed and row.time is not None:
            times = found.setdefault((each.variant, each.threads), {})
            doubtful = UNRELIABLE if row.unstable or row.trusted is False else ""
            time = with_interval(row.time.milliseconds, row.time.interval) + doubtful
            times.setdefault(machines.get(row.run_id, row.machine), time)
    return {
        key: [f"{time} on {machine}" for machine, time in times.items()][:_MAX_MACHINES] for key, times in found.items()
    }


def _line(
    model: Subject, threads: int, measured: Mapping[tuple[str, int], list[str]], found: Sequence[PredictedModel]
) -> list[str]:
    own = [each for each in found if each.model == model.name and each.threads == threads]
    here = "; ".join(measured.get((model.name, threads), [])) or "not measured"
    return [model.name, str(threads), here, *map(predicted_time, own)]


def _refusals(model: Subject, found: Sequence[PredictedModel], boards: int) -> list[str]:
    """Return a note for each reason why a model is not predicted, with the boards and threads that it is about."""
    refused: dict[str, dict[str, set[int]]] = {}
    for each in found:
        if each.model == model.name and each.refusal:
            refused.setdefault(each.refusal, {}).setdefault(each.board, set()).add(each.threads)
    notes = []
    for reason, threads in refused.items():
        where = "all boards" if len(threads) == boards else ", ".join(threads)
        some = set().union(*threads.values())
        counts = "" if len(some) == len(_THREADS) else f" with {counted(min(some), 'thread')}"
        notes.append(f"–: {model.name} on {where}{counts}: {reason}")
    return notes


def _notes(
    models: Sequence[Subject], devices: Sequence[Device], found: Sequence[PredictedModel], *, has_measured: bool
) -> list[str]:
    notes = [
        f"{PREDICTED}: median and 90 % interval with LiteRT, from the operators of each model and published latencies "
        f"of {MEASURED_WITH['xnnpack']}; docs/prediction.md has their errors. They are not measurements, so they get "
        "no verdict",
    ]
    if has_measured:
        notes.append(
            "measured: median and 95 % interval with the same model, runtime and number of threads; ~: not reliable"
        )
    for model in models:
        notes += _refusals(model, found, len(devices))
    for device in devices:
        least = min(device.memory_mb) << 20
        for model in models:
            if model.memory_bytes > least // 2:
                notes.append(
                    f"{model.name} needs at least {size(model.memory_bytes)} of memory; "
                    f"{with_article(device.board)} has {size(least)} or more, which the system uses, too"
                )
    return notes
