"""A first answer for an edge device that is not at hand: its predicted time beside the measured times of a server."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edge_bench.app.render.table import Table
from edge_bench.app.render.units import significant, with_interval
from edge_bench.app.tables.prediction.sentences import prediction_notes
from edge_bench.bench.errors import BadInput
from edge_bench.bench.offload.analysis.assessment import Assessment, Row
from edge_bench.bench.offload.records.offload import Offload
from edge_bench.bench.prediction.answer import PredictedModel, predict_model, subjects
from edge_bench.bench.prediction.catalogue import load_device
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.stats.intervals import Interval
from edge_bench.bench.wording import counted, with_article

__all__ = ["predicted_edge", "predicted_edge_records", "predicted_edge_table"]

#: Variants of a bundle, in the order in which one is chosen if none is stated.
_PREFERRED = ("int8", "float32", "float16")


def predicted_edge(bundle: Bundle, device_name: str, variants: Sequence[str], threads: Sequence[int]) -> PredictedModel:
    """Return the prediction of a bundle's variant on a device.

    By default it is the first of int8, float32 and float16 with a prediction, with all cores of the device. Raise
    BadInput with the reason if there is none.
    """
    device = load_device(device_name)
    own = {each.name for each in bundle.variants if Path(each.file).suffix == ".tflite"}
    wanted = variants or [each for each in _PREFERRED if each in own]
    refusals = list[BadInput]()
    for subject in subjects(bundle.folder, wanted or None):
        for count in threads or (device.cores, 1):
            try:
                return predict_model(subject, device, count)
            except BadInput as cause:
                refusals.append(BadInput(f"--edge-device {device_name}: {subject.name}: {cause.problem}", cause.remedy))
    raise refusals[0]


def predicted_edge_table(offload: Offload, assessment: Assessment, edge: PredictedModel) -> Table:
    """Return a table with one row per measured link and payload, and the predicted time of the device."""
    low, high = _interval(edge)
    assert edge.prediction is not None  # noqa: S101 - `predicted_edge` raises if there is none
    local = with_interval(edge.prediction.milliseconds, Interval(low, high))
    rows = [each for each in assessment.rows if each.measured is not None]
    measured = {each.name: each.measured for each in rows if each.measured is not None}
    cells = [
        (each.name, with_interval(measured[each.name].value, measured[each.name].interval, scale=1e3), local,
         _ratio(measured[each.name].value, edge), _first_answer(each, edge))
        for each in rows
    ]  # fmt: skip
    machine = offload.machine.hostname
    return Table(
        title=f"PREDICTED: {edge.model} on {with_article(edge.board)} with {counted(edge.threads, 'thread')} "
        f"instead of on {machine}",
        header=("remote", "measured from\nhere, ms", "PREDICTED\non it, ms", "remote ÷\npredicted", "first answer"),
        rows=cells,
        keys=1,
        notes=[
            f"PREDICTED, not measured: median and 90 % interval ({edge.method}, "
            f"{counted(edge.rows, 'latency', 'latencies')}{_measured_with(edge)}). "
            "It gets no verdict: measure with edge-bench offload on the device",
            f"remote times were measured from {machine}. A slower device takes longer to encode and send an image",
            *prediction_notes([edge])[1:],
        ],
    )  # fmt: skip


def _measured_with(edge: PredictedModel) -> str:
    return f" of {edge.measured_with}" if edge.measured_with else ""


def predicted_edge_records(edge: PredictedModel) -> list[dict[str, Any]]:
    """Return the record of the prediction for programs."""
    low, high = _interval(edge)
    assert edge.prediction is not None  # noqa: S101 - `predicted_edge` raises if there is none
    return [
        {
            "configuration": "PREDICTED",
            "device": edge.device,
            "board": edge.board,
            "variant": edge.model,
            "threads": edge.threads,
            "method": edge.method,
            "measured_with": edge.measured_with,
            "reliable": edge.reliable,
            "p50_s": edge.prediction.milliseconds / 1e3,
            "p50_low_s": low / 1e3,
            "p50_high_s": high / 1e3,
        }
    ]


def _interval(edge: PredictedModel) -> tuple[float, float]:
    assert edge.prediction is not None  # noqa: S101 - `predicted_edge` raises if there is none
    return edge.prediction.interval_90


def _ratio(seconds: float, edge: PredictedModel) -> str:
    low, high = _interval(edge)
    return f"{significant(1e3 * seconds / high)} to {significant(1e3 * seconds / low)}"


def _first_answer(row: Row, edge: PredictedModel) -> str:
    """Return where it looks faster, if the measured interval and the predicted one do not overlap."""
    if row.measured is None:
        return "–"
    low, high = _interval(edge)
    own = row.measured.interval or Interval(row.measured.value, row.measured.value)
    if 1e3 * own.high < low:
        return "sending looks faster"
    return "the device looks faster" if 1e3 * own.low > high else "too close to say"
