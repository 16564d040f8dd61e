"""Regression, binary classifiers and several labels of models that return their inputs: known measures."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from ai_edge_litert import schema_py_generated as schema
from PIL import Image

from edge_bench.bench.analysis.quality.scored import measures_of
from edge_bench.bench.io.record_codec import unpack
from edge_bench.bench.measure.plan import Selection
from edge_bench.bench.records.run import Run
from edge_bench.bench.tasks.measures import Measure
from tests.made.tflite import TfliteBuilder
from tests.measured import run_files

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("measure_here")]

LITERT = Selection(runtimes=["litert"])
DRAW = np.random.default_rng(1)
TRUTH = DRAW.normal(5, 2, (40, 2))
FLAGS = DRAW.integers(0, 2, (40, 3))


def same(path: Path, values: int = 2, *, shift: float = 0.0, image: bool = False) -> Path:
    """Write a model that returns its values, or the means of an image's channels, plus ``shift``; outputs a and b."""
    made = TfliteBuilder()
    taken = made.tensor(1, 2, 2, 3) if image else made.tensor(1, values)
    weights = np.tile(np.eye(3), (4, 1)) / 4 if image else np.eye(values)
    first = made.dense(taken, weights, np.full(weights.shape[1], shift))
    second = made.operator("ADD", [first, first], [made.tensor(1, weights.shape[1])], schema.AddOptionsT())
    made.signature("serving_default", {"x": taken}, {"a": first, "b": second})
    return made.save(path, [taken], [first, second])


def measured(model: Path, data: Path | None, **options: Any) -> tuple[Run, dict[str, Measure]]:
    run = run_files([model], LITERT, data=data, **options)
    (result,) = run.results
    assert result.failure is None
    return run, {each.name: each for each in measures_of(run, result)}


def saved(path: Path, array: npt.ArrayLike) -> Path:
    np.save(path, np.asarray(array))
    return path


def table(path: Path, rows: npt.NDArray[Any], heading: str) -> Path:
    path.write_text("\n".join([heading, *(",".join(map(str, row)) for row in rows.tolist())]))
    return path


@pytest.mark.parametrize("form", ["csv", "npz by the output's name", "npz with the inputs"])
def test_errors_of_a_regression_that_is_3_too_high(tmp_path: Path, form: str) -> None:
    x, y = TRUTH.astype(np.float32), tmp_path / "y"
    match form:
        case "csv":
            labels = table(y.with_suffix(".csv"), TRUTH, "a,b")
        case "npz by the output's name":
            labels = y.with_suffix(".npz")
            np.savez(labels, a=TRUTH, other=np.zeros(3), labels=np.zeros((40, 2)))
        case _:
            labels = y.with_suffix(".npz")
            np.savez(labels, x=x, y=TRUTH)
    data = labels if "inputs" in form else saved(tmp_path / "x.npy", x)
    run, measures = measured(same(tmp_path / "m.tflite", shift=3), data, labels=labels, output="a")
    assert (run.task, list(measures)) == ("regress", ["MAE", "RMSE", "R²"])
    mae, rmse, r2 = measures.values()
    assert [mae.value, rmse.value] == pytest.approx([3, 3], abs=1e-5)
    expected = 1 - np.mean(9 / TRUTH.var(axis=0))
    assert r2.value == pytest.approx(expected, abs=1e-4)
    assert mae.interval is not None
    assert mae.interval.low <= 3.00001
    assert mae.interval.high >= 2.99999


def test_rows_of_a_table_are_matched_to_image_files(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    colours = DRAW.integers(0, 256, (12, 3))
    for number, colour in enumerate(colours.tolist()):
        Image.new("RGB", (5, 4), tuple(colour)).save(tmp_path / "images" / f"{number}.png")
    order = DRAW.permutation(12)
    rows = np.column_stack([[f"{number}.png" for number in order], (colours + 0.5)[order].astype(object)])
    labels = table(tmp_path / "y.csv", rows, "file,red,green,blue")
    _, measures = measured(
        same(tmp_path / "m.tflite", image=True), tmp_path / "images", labels=labels, output="a", preprocess="raw",
        channel_order="rgb",
    )  # fmt: skip
    assert measures["MAE"].value == pytest.approx(0.5, abs=1e-4)


def test_predictions_that_are_not_finite(tmp_path: Path) -> None:
    x = TRUTH.astype(np.float32)
    x[7, 0] = np.nan
    options: dict[str, Any] = {"labels": saved(tmp_path / "y.npy", TRUTH), "output": "0"}
    run, measures = measured(same(tmp_path / "m.tflite"), saved(tmp_path / "x.npy", x), **options)
    assert [each.value for each in measures.values()] == [None, None, None]
    assert all(each.remark for each in measures.values())
    assert run.results[0].warnings


def test_a_binary_classifier(tmp_path: Path) -> None:
    flags = FLAGS[:, 0]
    scores = np.where(flags == 1, 0.8, 0.1) + np.linspace(0, 0.1, 40)
    positives, negatives = np.flatnonzero(flags), np.flatnonzero(flags == 0)
    scores[positives[0]], scores[negatives[0]] = 0.05, 0.95  # the lowest and the highest of all but one
    scores[positives[-1]] = 0.99
    x = saved(tmp_path / "x.npy", scores[:, np.newaxis].astype(np.float32))
    labels = table(tmp_path / "y.csv", flags[:, np.newaxis], "positive")
    run, measures = measured(same(tmp_path / "m.tflite", 1), x, labels=labels, task="binary", output="a")
    assert run.task == "binary"
    assert measures["accuracy"].value == pytest.approx(38 / 40)
    pairs = scores[positives][:, np.newaxis] > scores[negatives]
    assert measures["AUC"].value == pytest.approx(pairs.mean())
    higher = same(tmp_path / "m.tflite", 1)
    _, moved = measured(higher, x, labels=labels, task="binary", output="a", threshold=0.97)
    assert moved["accuracy"].value == pytest.approx((len(negatives) + 1) / 40)


def test_several_labels(tmp_path: Path) -> None:
    scores = np.where(FLAGS == 1, 0.9, 0.2)
    scores[:, 2] = 0.5  # tells nothing
    x, labels = saved(tmp_path / "x.npy", scores.astype(np.float32)), saved(tmp_path / "y.npy", FLAGS)
    run, measures = measured(same(tmp_path / "m.tflite", 3), x, labels=labels, output="a")
    assert (run.task, list(measures)) == ("multilabel", ["mAP"])  # some examples have several
    assert measures["mAP"].value == pytest.approx((2 + FLAGS[:, 2].mean()) / 3, abs=1e-6)


@pytest.mark.parametrize(("task", "count"), [("multilabel", 3), ("binary", 1)])
def test_without_true_values_there_is_speed_and_agreement_only(tmp_path: Path, task: str, count: int) -> None:
    run, measures = measured(same(tmp_path / "m.tflite", count), None, task=task, output="b")
    assert (run.task, measures, run.truth) == (task, {}, None)
    assert unpack(run.images.indices).tolist() == list(range(100))
    assert run.results[0].outputs is not None
