"""The gate on the first measure of a task."""

import json
from pathlib import Path

import msgspec
import numpy as np
import pytest

from edge_bench.bench.analysis.gate.pairing import pair_runs
from edge_bench.bench.analysis.gate.regression_gate import Judgement, Limits, Outcome, changes, judge
from edge_bench.bench.errors import BadInput, GateNotMet
from edge_bench.bench.io.record_codec import encode_record
from edge_bench.bench.records.outputs.scores import ScoreTable
from edge_bench.bench.records.run import Run
from edge_bench.bench.tasks.detection.truth import packed_truth
from edge_bench.bench.tasks.scores.tables import packed_flags, packed_values
from tests.command_line import Refuses, call_here
from tests.factories import result, run
from tests.made.graph.boxes import detections, scene
from tests.made.graph.task_runs import found, scores, task_result, task_run, tensors

EXAMPLES = 200
NOISE = np.random.default_rng(5).normal(size=(EXAMPLES, 1))
VALUES = np.linspace(0, 9, EXAMPLES, dtype=np.float32)[:, None].astype(np.float64)
FLAGS = np.arange(EXAMPLES) % 2


def regression(outputs: ScoreTable | None) -> Run:
    return task_run("regress", task_result("float32", outputs), examples=EXAMPLES, truth=packed_values(VALUES))


OLD = regression(scores(VALUES + NOISE))


def judged(new: Run, old: Run, drop: float) -> Judgement:
    (judgement,) = judge(changes(pair_runs([new], [old])), Limits(quality_drop=drop))
    return judgement


@pytest.mark.parametrize(
    ("factor", "limit", "outcome"),
    [
        (1.0, 5, Outcome.PASSED),
        (1.04, 5, Outcome.PASSED),
        (1.2, 5, Outcome.FAILED),
        (0.5, 0, Outcome.PASSED),
        (1.0, 0, Outcome.PASSED),
    ],
)
def test_a_rise_of_the_error_in_percent_of_the_baseline_s(factor: float, limit: float, outcome: Outcome) -> None:
    judgement = judged(regression(scores(VALUES + factor * NOISE)), OLD, limit)
    assert (judgement.quantity, judgement.outcome) == ("MAE", outcome)
    assert judgement.value == pytest.approx(100 * (factor - 1), abs=0.01)
    assert not judgement.percent


def test_an_interval_around_the_limit_is_undecided() -> None:
    other = np.random.default_rng(6).normal(size=NOISE.shape)
    judgement = judged(regression(scores(VALUES + other)), OLD, 1)
    assert judgement.outcome is Outcome.UNDECIDED
    assert judgement.interval is not None
    assert judgement.interval.low < 1 < judgement.interval.high


def test_few_examples_that_differ_decide_nothing() -> None:
    outputs = VALUES + NOISE
    outputs[3] += 0.01
    judgement = judged(regression(scores(outputs)), OLD, 5)
    assert judgement.outcome is Outcome.UNDECIDED
    assert judgement.remark


def test_outputs_that_are_not_finite_fail() -> None:
    outputs = VALUES + NOISE
    outputs[3] = np.nan
    assert judged(regression(scores(outputs)), OLD, 100).outcome is Outcome.FAILED


def test_a_gate_without_anything_to_judge_is_refused() -> None:
    unknown = msgspec.structs.replace(OLD, truth=None)
    numbers = task_run("tensor", task_result("float32", tensors(a=VALUES)), examples=EXAMPLES)
    few = [
        task_run("regress", task_result("float32", scores(VALUES[:9])), examples=9, truth=packed_values(VALUES[:9]))
        for _ in range(2)
    ]
    again = msgspec.structs.replace(numbers, run_id="another")
    exact = regression(scores(VALUES))
    for new, old in (
        (msgspec.structs.replace(unknown, run_id="another"), unknown), (again, numbers), (few[0], few[1]),
        (regression(None), OLD), (OLD, exact),
    ):  # fmt: skip
        with pytest.raises(BadInput):
            judged(new, old, 5)


@pytest.mark.slow
def test_detection_in_points() -> None:
    pytest.importorskip("pycocotools")
    truth = scene(EXAMPLES, 3)
    near = detections(truth)
    worse = [each._replace(corners=each.corners + np.float32(8)) for each in near]
    old, same, new = (
        task_run("detect", task_result("float32", found(truth, boxes)), examples=EXAMPLES, truth=packed_truth(truth))
        for boxes in (near, near, worse)
    )
    assert judged(same, old, 0.5).outcome is Outcome.PASSED
    lost = judged(new, old, 0.5)
    assert (lost.quantity, lost.outcome) == ("mAP", Outcome.FAILED)
    assert lost.interval is not None
    assert judged(new, old, -lost.interval.low + 0.1).outcome is Outcome.PASSED
    assert judged(new, old, -(lost.value or 0)).outcome is Outcome.UNDECIDED


def test_accuracy_is_the_quality_of_classify_and_binary() -> None:
    old, new = run(result("dynamic", "litert", 1.0)), run(result("dynamic", "litert", 1.0, wrong=30))
    pairing = changes(pair_runs([new], [old]))
    assert judge(pairing, Limits(quality_drop=0.5)) == judge(pairing, Limits(accuracy_drop=0.5))
    wrong = np.where(np.arange(EXAMPLES) < 40, 1 - FLAGS, FLAGS)
    two = [
        task_run("binary", task_result("float32", scores(each)), examples=EXAMPLES, truth=packed_flags(FLAGS))
        for each in (wrong, FLAGS)
    ]
    found_changes = changes(pair_runs([two[0]], [two[1]]))
    (judgement,) = judge(found_changes, Limits(accuracy_drop=5))
    assert (judgement.quantity, judgement.outcome, judgement.value) == ("accuracy", Outcome.FAILED, -20)
    with pytest.raises(BadInput):
        judge(changes(pair_runs([regression(scores(VALUES))], [OLD])), Limits(accuracy_drop=5))


def test_the_command_ends_with_3_and_json_has_the_difference(tmp_path: Path, refuses: Refuses) -> None:
    (tmp_path / "old.json").write_bytes(encode_record(OLD))
    (tmp_path / "new.json").write_bytes(encode_record(regression(scores(VALUES + 2 * NOISE))))
    gate = ("compare", "new.json", "--baseline", "old.json", "--format", "json")
    failed = call_here(*gate, "--fail-if-quality-drops", 5, cwd=tmp_path)
    assert failed.code == 3
    assert isinstance(failed.error, GateNotMet)
    (record,) = json.loads(failed.stdout)
    assert (record["task"], record["gate"]) == ("regress", "failed")
    assert record["quality_differences"][0]["value"] > 0
    assert call_here(*gate, "--fail-if-quality-drops", 100, cwd=tmp_path).code == 0
    for options in (
        ("--fail-if-accuracy-drops", 5), ("--fail-if-quality-drops", 5, "--fail-if-accuracy-drops", 5),
        ("--fail-if-quality-drops", "nan"), ("--fail-if-quality-drops", 101),
    ):  # fmt: skip
        assert call_here(*gate, *options, cwd=tmp_path).code == 2
    refuses("compare", "new.json", "--fail-if-quality-drops", 5)
