"""The tables of ``predict``: predicted latencies, and the shares of the time by class of operators."""

import math
from collections.abc import Sequence

import msgspec

from edge_bench.app.render.table import Record, Table
from edge_bench.app.tables.prediction.sentences import prediction_notes
from edge_bench.app.tables.prediction.wording import interval, kind_name, memory, milliseconds
from edge_bench.bench.prediction.answer import PredictedModel
from edge_bench.bench.prediction.work import CLASSES

__all__ = ["prediction_tables"]

_LIMITS = {"compute": "compute-bound", "memory": "memory-bound", "overhead": "overhead of operators"}


def prediction_tables(predicted: Sequence[PredictedModel]) -> list[Table]:
    """Return the tables; the first has the records."""
    latencies = Table(
        title="PREDICTED latency, ms per inference",
        header=("model", "device", "threads", "median", "80 %", "90 %", "p90", "limit", "memory", "method"),
        rows=[_row(each) for each in predicted],
        keys=3,
        notes=prediction_notes(predicted),
        records=[_record(each) for each in predicted],
    )
    found = [each for each in predicted if each.prediction]
    return [latencies, _shares(found)] if found else [latencies]


def _row(each: PredictedModel) -> list[str]:
    key = [each.model, each.device, str(each.threads)]
    if each.prediction is None:
        return [*key, "refused", "–", "–", "–", "–", memory(each), "–"]
    one = each.prediction
    return [
        *key, milliseconds(one.milliseconds), interval(one.interval_80), interval(one.interval_90),
        milliseconds(one.p90_milliseconds), _LIMITS[each.limited_by], memory(each), each.method,
    ]  # fmt: skip


def _shares(predicted: Sequence[PredictedModel]) -> Table:
    kinds = [
        kind
        for kind in CLASSES
        if any(kind in (each.prediction.shares if each.prediction else {}) for each in predicted)
    ]
    rows = []
    for each in predicted:
        if each.prediction:
            shares = [f"{each.prediction.shares.get(kind, 0.0):.0%}" for kind in kinds]
            rows.append([each.model, each.device, str(each.threads), *shares, f"{each.prediction.memory_share:.0%}"])
    return Table(
        title="PREDICTED shares of the time",
        header=("model", "device", "threads", *map(kind_name, kinds), "waiting for memory"),
        rows=rows,
        keys=3,
        notes=["waiting for memory: part of the time of all classes in which weights and activations move"],
    )


def _record(each: PredictedModel) -> Record:
    one = each.prediction
    numbers = {
        "median_ms": one and one.milliseconds,
        "low_80_ms": one and one.interval_80[0],
        "high_80_ms": one and one.interval_80[1],
        "low_90_ms": one and one.interval_90[0],
        "high_90_ms": one and one.interval_90[1],
        "p90_ms": one and one.p90_milliseconds,
        "p90_low_90_ms": one and one.p90_interval_90[0],
        "p90_high_90_ms": one and one.p90_interval_90[1],
        "memory_share": one and one.memory_share,
        "overhead_share": one and one.overhead_share,
        "outside": one and math.exp(one.outside),
        "shares": one.shares if one else {},
    }
    record: Record = msgspec.to_builtins(each)
    del record["prediction"]
    return (
        record
        | numbers
        | {
            "clock_ghz": each.clock_ghz or None,
            "fitted_clock_ghz": each.fitted_clock_ghz or None,
        }
    )
