"""Inputs, true values and records of tasks other than classification."""

import contextlib
import io
import struct
import wave
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
from PIL import Image

from edge_bench.app.cli.console import comparison_tables
from edge_bench.app.render.formats import Format
from edge_bench.app.render.text.table import render
from edge_bench.app.tables.runs.history import history_table
from edge_bench.app.tables.runs.run import run_table
from edge_bench.bench.analysis.comparison.comparison import compare
from edge_bench.bench.analysis.gate.pairing import pair_runs
from edge_bench.bench.analysis.gate.regression_gate import Limits, changes, judge
from edge_bench.bench.analysis.over_time.history import history
from edge_bench.bench.errors import BadInput
from edge_bench.bench.inputs.npz_arrays import load_npz
from edge_bench.bench.inputs.sounds import list_sounds, load_sounds
from edge_bench.bench.inputs.specs import InputSpec
from edge_bench.bench.io.npy import open_npy
from edge_bench.bench.io.record_codec import encode_record
from edge_bench.bench.measure.prediction_warnings import output_warnings
from edge_bench.bench.records.manifest import TensorSpec
from edge_bench.bench.records.outputs.masks import Segmentation, check_segmentation
from edge_bench.bench.records.outputs.tensors import OutputRecord, check_output
from edge_bench.bench.records.outputs.union import TaskOutputs, TaskTruth
from edge_bench.bench.records.run_files import read_run
from edge_bench.bench.tasks.detection.truth import packed_truth
from edge_bench.bench.tasks.scores.tables import packed_flags, packed_values
from edge_bench.bench.tasks.segmentation.agreement import mask_agreement
from edge_bench.bench.tasks.segmentation.mask_values import MaskValues, read_mask_values
from edge_bench.bench.tasks.segmentation.quality import segmentation_difference, segmentation_quality
from edge_bench.bench.tasks.segmentation.recorder import SegmentationRecorder
from edge_bench.bench.tasks.segmentation.true_masks import find_true_masks
from edge_bench.bench.tasks.tensors.agreement import output_agreements
from edge_bench.bench.tasks.tensors.recorder import Output, TensorRecorder
from tests.factories import machine
from tests.made.graph.boxes import detections, scene
from tests.made.graph.task_runs import found, scores, task_result, task_run, tensors
from tests.made.graph.task_runs import masks as segmented

__all__ = [
    "inputs", "mask_values", "masks", "outputs", "runs", "segmentation", "sounds", "use_inputs", "use_mask",
    "use_mask_values", "use_outputs", "use_runs", "use_segmentation", "use_sound",
]  # fmt: skip

INPUTS = [InputSpec("image", "float32", (1, 3, 3)), InputSpec("tokens", "int64", (-1, -1))]
EXAMPLES = 4
#: Enough for intervals.
RUN_EXAMPLES = 32


def masks() -> list[bytes]:
    values = (np.arange(90) % 3).astype(np.uint8).reshape(9, 10)
    found = []
    for image in (Image.fromarray(values), Image.fromarray(values).convert("P"), Image.fromarray(values > 1),
                  Image.fromarray(values.astype(np.uint16))):  # fmt: skip
        file = io.BytesIO()
        image.save(file, "PNG")
        found.append(file.getvalue())
    return found


def use_mask(path: Path) -> None:
    find_true_masks(path.parent, ["0.jpg"], MaskValues(3)).read(0, (9, 10))


def mask_values() -> list[bytes]:
    return [b"# values\n0 ignore\n17 cat\n18 2\n* background\n"]


def use_mask_values(path: Path) -> None:
    read_mask_values(path, ["background", "cat", "dog"])


def inputs() -> list[bytes]:
    arrays = {"image": np.zeros((4, 3, 3), np.float32), "tokens": np.arange(20).reshape(4, 5)}
    found = []
    for save in (np.savez, np.savez_compressed):
        file = io.BytesIO()
        save(file, **arrays)
        found.append(file.getvalue())
    return found


def use_inputs(path: Path) -> None:
    for array in load_npz(path, INPUTS).arrays.values():
        open_npy(array)[:2].sum()


def sounds() -> list[bytes]:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(2)
        writer.setsampwidth(2)
        writer.setframerate(8_000)
        writer.writeframes(bytes(range(200)))
    whole = file.getvalue()
    floats = bytearray(whole)
    floats[20:24], floats[32:36] = struct.pack("<HH", 3, 2), struct.pack("<HH", 8, 32)
    return [whole, bytes(floats)]


def use_sound(path: Path) -> None:
    load_sounds(list_sounds(path.parent), InputSpec("sound", "float32", (1, 20)), 8_000)


def segmentation() -> bytes:
    recorder, draw = SegmentationRecorder(3), np.random.default_rng(1)
    for _ in range(EXAMPLES):
        mask, truth = draw.integers(0, 3, (2, 6, 5)).astype(np.uint16)
        recorder.add(mask, truth)
    return msgspec.json.encode(recorder.record())


def use_segmentation(path: Path) -> None:
    def use(data: bytes) -> None:
        record = msgspec.json.decode(data, type=Segmentation)
        check_segmentation(record, EXAMPLES)
        segmentation_quality(record, 1)
        segmentation_difference(record, record, 1)
        mask_agreement(record, record)

    _read(path, use)


def outputs() -> bytes:
    spec = TensorSpec(dtype="float32", shape=[1, 2, 3])
    recorder, draw = TensorRecorder([Output("a", spec)]), np.random.default_rng(1)
    for rows in (2, 3, 2, 1):
        recorder.add([draw.random((rows, 3)).astype(np.float32)])
    return msgspec.json.encode(recorder.records()[0])


def use_outputs(path: Path) -> None:
    def use(data: bytes) -> None:
        record = msgspec.json.decode(data, type=OutputRecord)
        check_output(record, EXAMPLES)
        output_agreements([record], [record])

    _read(path, use)


def _read(path: Path, use: Callable[[bytes], None]) -> None:
    """Use a part of a Run; what is wrong with it becomes a message where a Run is read."""
    try:
        use(path.read_bytes())
    except (ValueError, RecursionError) as cause:
        raise BadInput(str(cause)) from None


def runs() -> list[bytes]:
    """Return a Run of each task."""
    truth = scene(RUN_EXAMPLES, 2)
    values, flags = (
        np.arange(RUN_EXAMPLES * 2.0).reshape(RUN_EXAMPLES, 2),
        np.arange(RUN_EXAMPLES * 2).reshape(RUN_EXAMPLES, 2) % 2,
    )
    pixels = [np.arange(9).reshape(3, 3) % 2] * RUN_EXAMPLES
    made: dict[str, tuple[TaskOutputs, TaskTruth | None]] = {
        "tensor": (tensors(a=values), None),
        "regress": (scores(values), packed_values(values)),
        "binary": (scores(values[:, :1]), packed_flags(flags[:, :1])),
        "multilabel": (scores(values), packed_flags(flags)),
        "detect": (found(truth, detections(truth)), packed_truth(truth)),
        "segment": (segmented(pixels, pixels, 2), None),
    }
    return [
        encode_record(
            task_run(task, *(task_result(name, outputs) for name in ("a", "b")), examples=RUN_EXAMPLES, truth=true)
        )
        for task, (outputs, true) in made.items()
    ]


def use_runs(path: Path) -> None:
    """Show a Run, compare its configurations, and judge it against itself."""
    read = read_run(path)
    again = msgspec.structs.replace(read, run_id="again", machine=machine(hostname="pi"))
    outputs_of = [each.outputs for each in read.results if each.outputs is not None]
    assert all(len(warning) < 1000 for each in outputs_of for warning in output_warnings(each))
    tables = [run_table(read), *comparison_tables(compare([read, again])), history_table(history([read, again]))]
    for table in tables:
        render(table, Format.JSON)
    changed = changes(pair_runs([read], [again], across=True))
    with contextlib.suppress(BadInput):  # a task without a measure
        judge(changed, Limits(quality_drop=1))
