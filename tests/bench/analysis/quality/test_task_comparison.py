"""Runs of tasks other than classify: comparison, agreement across machines, history, and what is refused."""

from typing import Any

import msgspec
import numpy as np
import pytest

from edge_bench.app.cli.console import comparison_tables
from edge_bench.app.render.formats import Format
from edge_bench.app.render.text.table import render
from edge_bench.app.tables.runs.history import history_table
from edge_bench.app.tables.runs.run import run_table
from edge_bench.bench.analysis.comparison.comparison import compare
from edge_bench.bench.analysis.over_time.history import history
from edge_bench.bench.analysis.quality.scored import first_measure, measures_of
from edge_bench.bench.errors import BadInput, ResultsError
from edge_bench.bench.records.manifest import Preprocessing
from edge_bench.bench.records.run import Run
from edge_bench.bench.tasks.detection.truth import packed_truth
from edge_bench.bench.tasks.scores.tables import packed_flags, packed_values
from tests.factories import machine, result, row, run
from tests.made.graph.boxes import detections, scene
from tests.made.graph.task_runs import found, masks, perfect_boxes, scores, task_result, task_run, tensors

EXAMPLES = 40
VALUES = np.linspace(0, 9, EXAMPLES)[:, None]
PI = machine(hostname="pi", architecture="aarch64")


def regression(off: float = 0.0, variant: str = "float32", **changes: Any) -> Run:
    """A baseline that is off by 1, and another configuration that is off by ``off``."""
    return task_run(
        "regress",
        task_result(variant, scores(VALUES + 1)),
        task_result("int8", scores(VALUES + off)),
        examples=EXAMPLES,
        truth=packed_values(VALUES),
        **changes,
    )


def test_a_row_has_measures_differences_and_agreement() -> None:
    comparison = compare([regression(3)])
    baseline, other = (row(comparison, variant, "litert") for variant in ("float32", "int8"))
    assert comparison.task == "regress"
    assert [each.name for each in other.quality] == ["MAE", "RMSE", "R²"]
    assert baseline.quality[0].value == pytest.approx(1, abs=1e-6)
    assert baseline.quality_differences == []
    assert other.quality_differences[0].value == pytest.approx(2, abs=1e-6)
    assert other.quality_differences[0].baseline == pytest.approx(1, abs=1e-6)
    assert other.task_agreement is not None
    assert (other.task_agreement.identical, other.task_agreement.examples) == (0, EXAMPLES)
    assert other.correct is None
    assert other.agreement is None


def test_classify_has_its_accuracy_as_a_measure() -> None:
    comparison = compare([run(result("float32", "litert", 1.0), result("int8", "litert", 1.0, wrong=10))])
    other = row(comparison, "int8", "litert")
    assert [(each.name, each.value) for each in other.quality] == [("accuracy", 0.9)]
    (difference,) = other.quality_differences
    assert other.accuracy_difference is not None
    assert (difference.value, difference.interval) == (
        other.accuracy_difference.value, other.accuracy_difference.interval
    )  # fmt: skip
    assert other.task_agreement is None


def test_the_same_variant_on_another_machine() -> None:
    here, there = regression(3), regression(3, on=PI)
    changed = msgspec.structs.replace(
        there, results=[task_result("float32", scores(np.where(VALUES < 1, VALUES + 2, VALUES + 1)))]
    )
    rows = compare([here, changed]).rows
    assert [each.outputs_across is not None for each in rows] == [False, False, True]
    across = rows[-1].outputs_across
    assert across is not None
    assert across.agreement.identical == int((VALUES >= 1).sum())
    assert across.quality_there is not None
    assert across.quality_there.value == pytest.approx(1, abs=1e-6)
    (_, across_table, *_) = comparison_tables(compare([here, changed]))
    assert len(across_table.rows) == 1


def test_only_common_examples_are_compared() -> None:
    whole = regression(3)
    part = task_run(
        "regress", task_result("float32", scores(VALUES[5:] + 1)), examples=EXAMPLES, truth=packed_values(VALUES[5:]),
        indices=np.arange(5, EXAMPLES), on=PI,
    )  # fmt: skip
    other = compare([whole, part], "float32").rows[-1]
    assert other.task_agreement is not None
    assert (other.task_agreement.examples, other.task_agreement.identical) == (35, 35)
    assert other.quality_differences[0].value == 0


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(run(result("float32", "litert", 1.0)), id="another task"),
        pytest.param(msgspec.structs.replace(regression(), truth=packed_values(VALUES + 0.5)), id="other true values"),
    ],
)
def test_runs_of_different_tasks_or_data_are_refused(other: Run) -> None:
    with pytest.raises(ResultsError):
        compare([regression(), other])


def test_other_true_masks_are_refused() -> None:
    true = [np.full((4, 4), number % 2) for number in range(EXAMPLES)]
    one, other = (
        task_run("segment", task_result("float32", masks(true, labels, 2)), examples=EXAMPLES)
        for labels in (true, [1 - mask for mask in true])
    )
    with pytest.raises(ResultsError):
        compare([one, other])


def test_other_thresholds_of_two_classes_are_refused() -> None:
    flags = np.arange(EXAMPLES) % 2
    one, other, same = (
        task_run(
            "binary", task_result("float32", scores(flags * 0.8)), examples=EXAMPLES, on=on,
            truth=packed_flags(flags, threshold=threshold),
        )
        for threshold, on in ((0.5, None), (0.9, PI), (0.5, PI))
    )  # fmt: skip
    assert compare([one, same]).rows
    with pytest.raises(ResultsError):
        compare([one, other])


def test_an_unknown_task_is_refused_when_it_is_used() -> None:
    unknown = msgspec.structs.replace(regression(), task="transcribe", truth=None)
    with pytest.raises(BadInput):
        run_table(unknown)
    with pytest.raises(BadInput):
        compare([unknown])


def test_history_has_the_first_measure_of_each_run() -> None:
    runs = [regression(3), msgspec.structs.replace(regression(4), began="2026-01-02T00:00:00+00:00")]
    series = {each.configuration.variant: each for each in history(runs)}
    measured = [point.quality.value for point in series["int8"].points if point.quality]
    assert measured == pytest.approx([3, 4], abs=1e-6)
    assert all(point.quality and point.quality.interval is None for point in series["int8"].points)
    table = history_table(list(series.values()))
    assert "MAE" in table.header
    assert [record["quality"]["name"] for record in table.records] == ["MAE"] * 4


def test_tables_name_the_measure_and_json_has_all() -> None:
    pytest.importorskip("pycocotools")
    truth = scene(EXAMPLES, 3)
    boxes = task_run(
        "detect",
        task_result("float32", found(truth, perfect_boxes(truth))),
        task_result("int8", found(truth, detections(truth))),
        examples=EXAMPLES,
        truth=packed_truth(truth),
        preprocessing=Preprocessing(scale=1.0, offset=0.0),
    )
    table = run_table(boxes)
    assert any(heading.startswith("mAP, %") for heading in table.header)
    assert "one invocation, ms/image\np50 / p90 / p99 / max" in table.header
    record = table.records[1]
    assert record["task"] == "detect"
    assert [each["name"] for each in record["quality"]] == ["mAP", "mAP@.50", "AR@100"]
    assert record["quality"][0]["interval"]["low"] <= record["quality"][0]["value"]
    compared = comparison_tables(compare([boxes]))[0]
    assert any("difference of mAP, points" in heading for heading in compared.header)
    (other,) = [each for each in compared.records if each["variant"] == "int8"]
    assert other["quality_differences"][0]["interval"]["high"] < 0
    assert 0 < other["agreement"] < 1
    assert other["agreement_text"] in render(compared, Format.TABLE)
    assert other["accuracy"] is None


def test_tensors_have_agreement_and_no_quality_column() -> None:
    values = np.arange(EXAMPLES * 3, dtype=np.float32).reshape(EXAMPLES, 3)
    measured = task_run(
        "tensor",
        task_result("float32", tensors(a=values)),
        task_result("int8", tensors(a=values + np.float32(0.5))),
        examples=EXAMPLES,
    )
    table = run_table(measured)
    assert "one invocation, ms/inference\np50 / p90 / p99 / max" in table.header
    assert not any("[95 %]" in heading and "%\n" in heading for heading in table.header)
    compared = comparison_tables(compare([measured]))[0]
    assert compared.header[-2:] == ["agreement", "size ×"]
    assert not any("difference" in heading for heading in compared.header)
    assert "0.5" in compared.rows[1][-2]
    assert measures_of(measured, measured.results[0]) == []


def test_a_model_that_keeps_its_state_has_no_quality() -> None:
    whole = regression()
    stateful = msgspec.structs.replace(whole, settings=msgspec.structs.replace(whole.settings, stateful=True))
    assert first_measure(whole, whole.results[0]) is not None
    assert first_measure(stateful, whole.results[0]) is None
    assert compare([stateful]).rows[1].quality_differences == []


def test_a_configuration_without_outputs_is_a_row_without_quality() -> None:
    whole = msgspec.structs.replace(
        regression(), results=[task_result("float32", scores(VALUES)), task_result("int8", None)]
    )
    rows = compare([whole]).rows
    assert (rows[1].quality, rows[1].quality_differences, rows[1].task_agreement) == ([], [], None)
    assert len(run_table(whole).rows) == 2
