"""Tables and outputs of Runs of known numbers, with pandas and without it."""

import sys
from typing import Any

import msgspec
import numpy as np
import pytest

import edge_bench
from edge_bench.bench.records.run import Failure, Run
from tests.factories import machine, result, run
from tests.made.graph.output_runs import box_truth, detections, scores, segmentation, task_run, tensors, true_values

FAILED = Failure(kind="not installed", message="litert is missing")


@pytest.fixture(params=["numpy", "pandas"], autouse=True)
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "pandas":
        pytest.importorskip("pandas")
    else:
        monkeypatch.setitem(sys.modules, "pandas", None)
    return str(request.param)


def column(table: Any, name: str) -> list[Any]:
    return list(table[name].tolist())


def two() -> Run:
    failed = msgspec.structs.replace(result("int8", "litert", 1.0), trials=[], predictions=None, failure=FAILED)
    return run(result("keras", "tensorflow", 2.0, wrong=10), result("dynamic", "litert", 0.5, size=300), failed)


def test_a_frame_has_a_row_per_configuration_with_numbers_and_their_units_in_the_names(library: str) -> None:
    table = edge_bench.Run(two()).to_frame()
    assert isinstance(table, np.ndarray) == (library == "numpy")
    assert column(table, "variant") == ["keras", "dynamic", "int8"]
    assert column(table, "median_ms")[:2] == pytest.approx([20.0, 5.0], rel=0.01)
    assert np.isnan(column(table, "median_ms")[2])
    assert column(table, "accuracy")[:2] == [0.9, 1.0]
    assert column(table, "quality")[:2] == [0.9, 1.0]
    assert column(table, "bytes") == [1000, 300, 1000]
    assert column(table, "failure")[2] == "litert is missing"
    low, median, high = (column(table, f"median_{name}ms")[0] for name in ("low_", "", "high_"))
    assert low < median < high


def test_frames_of_several_runs_are_one_below_the_other() -> None:
    runs = edge_bench.Runs([edge_bench.Run(two()), edge_bench.Run(two())])
    table = runs.to_frame()
    assert len(table) == 6
    assert len(set(column(table, "run"))) == 2
    assert [len(runs), len(runs[:1]), runs[-1].configurations[1]] == [2, 1, "dynamic/litert/1/1"]


def test_trials_are_in_the_order_of_measurement() -> None:
    measured = edge_bench.Run(two())
    table = measured.trials("dynamic/litert")
    assert len(measured.trials()) == 60
    assert column(table, "process") == [number // 6 for number in range(30)]
    assert column(table, "mean_ms") == pytest.approx([10 * each for each in column(table, "pass_s")])
    assert np.isnan(column(table, "temperature_c")).all()


def test_latencies_have_a_row_per_invocation() -> None:
    table = edge_bench.Run(two()).latencies("keras")
    assert column(table, "invocation")[:4] == [0, 1, 2, 0]
    assert column(table, "latency_ms")[:3] == pytest.approx([1e-6, 2e-6, 3e-6])
    assert column(table, "sequence_number")[:4] == [0, 0, 0, 1]


def test_predictions_have_true_and_predicted_classes() -> None:
    measured = edge_bench.Run(two())
    table = measured.predictions("keras/tensorflow")
    assert column(table, "image") == list(range(100))
    assert column(table, "correct") == [False] * 10 + [True] * 90
    assert column(table, "label") == [number % 10 for number in range(100)]
    assert len(measured.predictions()) == 200
    truth = measured.truth()
    assert truth is not None
    assert list(np.asarray(truth)) == column(table, "label")


def test_quality_has_a_row_per_measure() -> None:
    table = edge_bench.Run(two()).quality("keras")
    assert column(table, "measure") == ["accuracy"]
    assert column(table, "value") == [0.9]
    assert column(table, "low")[0] < 0.9 < column(table, "high")[0]


def test_boxes_are_in_pixels_and_named_as_the_true_ones() -> None:
    sizes = [(100, 50), (80, 40)]
    found = detections(sizes, [(10, 10, 30, 20, 1, 0.9)], [], categories=[-1, 0])
    measured = edge_bench.Run(
        task_run("detect", found, count=2, truth=box_truth(sizes, ["cat"], [(10, 10, 30, 20, 0)], [(0, 0, 9, 9, 0, 1)]))
    )
    first, second = measured.boxes()
    assert first.corners == pytest.approx(np.array([[10, 10, 30, 20]]), abs=1e-3)
    assert [first.names, first.classes.tolist(), len(second), first.width, second.height] == [["cat"], [1], 0, 100, 40]
    truth = measured.truth()
    assert isinstance(truth, list)
    assert [each.names for each in truth] == [["cat"], ["cat"]]
    assert truth[1].crowd.tolist() == [True]
    with pytest.raises(edge_bench.BadInput):
        measured.masks()
    with pytest.raises(edge_bench.BadInput):
        measured.predictions()


def test_masks_numbers_and_tensors_are_numpy_arrays() -> None:
    mask = np.array([[0, 1, 1], [2, 2, 0]])
    masks = edge_bench.Run(task_run("segment", segmentation(3, mask, None), count=2)).masks()
    assert masks[0] is not None
    assert np.array_equal(masks[0], mask)
    assert masks[1] is None

    values = np.array([[1.5, 2.0], [np.nan, -1.0]])
    regressed = edge_bench.Run(task_run("regress", scores(values), count=2, truth=true_values(np.abs(np.ones((2, 2))))))
    assert np.array_equal(regressed.numbers(), values, equal_nan=True)
    assert np.array_equal(np.asarray(regressed.truth()), np.ones((2, 2)))

    out = np.arange(12, dtype=np.float32).reshape(2, 2, 3)
    rows = edge_bench.Run(task_run("tensor", tensors(out=out), count=2)).tensors()
    assert [np.array_equal(row["out"], each) for row, each in zip(rows, out, strict=True)] == [True, True]


def test_outputs_of_several_configurations_need_a_name() -> None:
    values = scores(np.ones((2, 1)))
    measured = edge_bench.Run(task_run("regress", values, values, count=2))
    with pytest.raises(edge_bench.BadInput):
        measured.outputs()
    assert np.asarray(measured.outputs("dynamic/litert/1/1")).shape == (2, 1)
    with pytest.raises(edge_bench.BadInput):
        measured.outputs("nowhere")


def test_a_comparison_has_ratios_and_verdicts() -> None:
    here, there = edge_bench.Run(two()), edge_bench.Run(msgspec.structs.replace(two(), machine=machine(hostname="pi")))
    compared = edge_bench.compare([here, there], baseline="keras")
    table = compared.to_frame()
    assert column(table, "variant") == [row.configuration.variant for row in compared.rows]
    assert column(table, "baseline") == [True] + 5 * [False]
    assert column(table, "time_ratio")[1] == pytest.approx(0.25, rel=0.01)
    assert column(table, "verdict")[1] == "faster"
    with pytest.raises(edge_bench.BadInput):
        edge_bench.compare(here, baseline="nowhere")
    with pytest.raises(edge_bench.BadInput):
        edge_bench.compare([])
