"""Outputs and true values in a Run: what does not fit is refused when the Run is read."""

from typing import Any

import msgspec
import numpy as np
import pytest

from edge_bench.bench.io.record_codec import encode_record, pack
from edge_bench.bench.records.outputs.boxes import Detections
from edge_bench.bench.records.outputs.decoding import BoxDecoding, TensorDecoding
from edge_bench.bench.records.outputs.tensors import pack_values
from edge_bench.bench.records.outputs.union import TaskOutputs, TaskTruth
from edge_bench.bench.records.run import Run
from edge_bench.bench.records.run_validation import check_run
from edge_bench.bench.tasks.detection.truth import packed_truth
from edge_bench.bench.tasks.scores.tables import packed_flags, packed_values
from tests.made.graph.boxes import detections, scene
from tests.made.graph.task_runs import found, masks, scores, task_result, task_run, tensors

EXAMPLES = 12
SCENE = scene(EXAMPLES, 3)
BOXES, TRUE_BOXES = found(SCENE, detections(SCENE)), packed_truth(SCENE)
VALUES = np.arange(EXAMPLES * 2.0).reshape(EXAMPLES, 2)
MASKS = [np.full((3, 3), number % 2) for number in range(EXAMPLES)]
TASKS: dict[str, tuple[TaskOutputs, TaskTruth | None]] = {
    "tensor": (tensors(a=VALUES), None),
    "regress": (scores(VALUES), packed_values(VALUES)),
    "binary": (scores(VALUES[:, :1]), packed_flags(np.arange(EXAMPLES) % 2)),
    "multilabel": (scores(VALUES), packed_flags(VALUES % 2)),
    "detect": (BOXES, TRUE_BOXES),
    "segment": (masks(MASKS, MASKS, 2), None),
}


def made(task: str, outputs: TaskOutputs, truth: TaskTruth | None, **changes: Any) -> Run:
    return task_run(task, task_result("float32", outputs), examples=EXAMPLES, truth=truth, **changes)


@pytest.mark.parametrize("task", TASKS)
def test_every_task_is_read_as_it_was_written(task: str) -> None:
    whole = made(task, *TASKS[task], decodings={"float32": TensorDecoding()})
    check_run(whole)
    again = msgspec.json.decode(encode_record(whole), type=Run)
    check_run(again)
    assert again == whole


@pytest.mark.parametrize("task", TASKS)
def test_outputs_of_another_task_or_number_of_examples_are_refused(task: str) -> None:
    outputs, truth = TASKS[task]
    with pytest.raises(ValueError, match="truth" if truth else "outputs"):
        check_run(made("classify", outputs, truth))
    fewer = task_run(task, task_result("float32", outputs), examples=EXAMPLES - 1, truth=None)
    with pytest.raises(ValueError, match="outputs"):
        check_run(fewer)
    if truth is not None:
        with pytest.raises(ValueError, match="truth"):
            check_run(task_run(task, task_result("float32", None), examples=EXAMPLES + 1, truth=truth))


def test_an_unknown_task_is_read() -> None:
    check_run(made("transcribe", *TASKS["regress"]))


def changed(record: Any, **changes: Any) -> Any:
    return msgspec.structs.replace(record, **changes)


def boxes_with(**changes: Any) -> Detections:
    return changed(BOXES, boxes=changed(BOXES.boxes, **changes))  # type: ignore[no-any-return]


INFINITE = pack(np.full(BOXES.boxes.scores.length, np.float32(np.inf)).view(np.uint32))


@pytest.mark.parametrize(
    ("task", "outputs", "truth"),
    [
        pytest.param("detect", changed(BOXES, sizes=pack([0] * 2 * EXAMPLES)), TRUE_BOXES, id="no size"),
        pytest.param("detect", boxes_with(counts=pack([301] * EXAMPLES)), TRUE_BOXES, id="too many boxes"),
        pytest.param("detect", boxes_with(scores=INFINITE), TRUE_BOXES, id="a score that is not finite"),
        pytest.param("detect", boxes_with(left=pack([1])), TRUE_BOXES, id="coordinates missing"),
        pytest.param("detect", changed(BOXES, categories=[0, 1, 9]), TRUE_BOXES, id="unknown category"),
        pytest.param(
            "detect", BOXES, changed(TRUE_BOXES, categories=TRUE_BOXES.categories[::-1]), id="order of categories"
        ),
        pytest.param(
            "detect", BOXES, changed(TRUE_BOXES, categories=TRUE_BOXES.categories[:1]), id="missing category"
        ),
        pytest.param("detect", BOXES, changed(TRUE_BOXES, counts=pack([9] * EXAMPLES)), id="missing true boxes"),
        pytest.param(
            "detect", BOXES,
            changed(TRUE_BOXES, corners=pack_values(np.full(TRUE_BOXES.corners.bits.length, np.nan))),
            id="true boxes that are not finite",
        ),
        pytest.param("regress", changed(scores(VALUES), columns=3), packed_values(VALUES), id="columns"),
        pytest.param("regress", scores(VALUES), packed_values(VALUES * np.nan), id="unknown true value"),
        pytest.param(
            "binary", TASKS["binary"][0], changed(packed_flags(np.ones(EXAMPLES)), flags=pack([2] * EXAMPLES)),
            id="a label of 2",
        ),
    ],
)  # fmt: skip
def test_inconsistent_outputs_are_refused(task: str, outputs: TaskOutputs, truth: TaskTruth) -> None:
    with pytest.raises(ValueError, match=r"truth|outputs"):
        check_run(made(task, outputs, truth))


def test_bombs_are_refused_by_their_stated_size() -> None:
    """Arrays of zeros take no room in the file."""
    bomb = pack(np.zeros(1 << 24, np.uint8))
    outputs = tensors(a=VALUES)
    heavy = changed(outputs.outputs[0], values=changed(outputs.outputs[0].values, bits=bomb))
    results = [task_result(f"v{number}", changed(outputs, outputs=[heavy])) for number in range(9)]
    with pytest.raises(ValueError, match="arrays"):
        check_run(task_run("tensor", *results, examples=EXAMPLES))


def test_postprocessing_times_and_sizes_in_a_decoding() -> None:
    outputs, truth = TASKS["detect"]
    timed = task_result("float32", outputs, postprocess=pack(np.arange(EXAMPLES)))
    check_run(task_run("detect", timed, examples=EXAMPLES, truth=truth))
    with pytest.raises(ValueError, match="postprocess"):
        check_run(
            task_run(
                "detect", changed(timed, postprocess=pack(np.arange(EXAMPLES - 1))), examples=EXAMPLES, truth=truth
            )
        )
    decoding = BoxDecoding(form="yolo", sizes=pack([4, 4]))
    with pytest.raises(ValueError, match="decodings"):
        check_run(made("detect", outputs, truth, decodings={"float32": decoding}))
