"""Commands on Runs of other tasks than classification: run, compare, gate and report, and their options."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_bench.bench.records.outputs.scores import ScoreTable, ValueTruth
from edge_bench.bench.records.outputs.tensors import unpack_values
from edge_bench.bench.records.outputs.union import TensorOutputs
from edge_bench.bench.records.run import Result, Run
from edge_bench.bench.records.run_files import read_run
from tests.bundles import cached_drawings
from tests.command_line import CommandLine, Outcome, call_here
from tests.made.graph.graph_models import regressor
from tests.made.graph.graphs import mixed_onnx, mixed_tflite, two_signatures_tflite
from tests.made.keras import saved_model_of_signatures
from tests.made.onnx import OnnxBuilder
from tests.models import INTERPRETERS

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("measure_here")]

QUICK = ("--trials", 1, "--processes", 1, "--format", "json")
Command = Callable[..., Outcome]


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """Call edge-bench in this process, in the test's folder."""

    def run(*arguments: object) -> Outcome:
        return call_here(*arguments, cwd=tmp_path)

    return run


@pytest.fixture
def regress(command: Command, tmp_path: Path) -> Command:
    """``run`` of a model that multiplies means by ``scale``, on 60 examples whose true value is the mean."""
    values = np.random.default_rng(0).random((60, 4)).astype(np.float32) + 1
    np.save(tmp_path / "x.npy", values)
    np.save(tmp_path / "y.npy", values.mean(axis=1))

    def run(scale: float, *more: object) -> Outcome:
        model = regressor(tmp_path / "m.tflite", scale=scale)
        data = ("--data", "x.npy", "--labels", "y.npy", "--task", "regress", "--runtime", "litert")
        return command("run", model, *data, *(more or QUICK))

    return run


def rows(done: Any) -> list[dict[str, Any]]:
    assert getattr(done, "code", getattr(done, "returncode", 0)) == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def the_run(folder: Path) -> Run:
    (path,) = folder.glob("run-*.json")
    return read_run(path)


def error_of(run: Run, result: Result) -> float:
    """The mean absolute error from the recorded outputs and true values."""
    assert isinstance(result.outputs, ScoreTable)
    assert isinstance(run.truth, ValueTruth)
    return float(np.abs(unpack_values(result.outputs.values) - unpack_values(run.truth.values)).mean())


@pytest.mark.parametrize(
    ("options", "variants"),
    [
        (("--variant", "keras,int8", "--runtime", "tensorflow,litert"), {"keras", "int8"}),
        pytest.param((), {"keras", "float32", "float16", "dynamic", "int8"}, marks=pytest.mark.nightly),
    ],
)
def test_a_keras_model_of_two_inputs_and_three_outputs(
    edge_bench_here: CommandLine, command: Command, tmp_path: Path, options: tuple[str, ...], variants: set[str]
) -> None:
    files, bundle = cached_drawings()
    found = rows(edge_bench_here("run", bundle, *options, *QUICK))
    run = the_run(tmp_path / "results")
    assert {row["variant"] for row in found} == variants
    assert {"tensorflow", "litert"} <= {row["runtime"] for row in found}
    assert [row["failure"] for row in found] == [None] * len(found)
    errors = []
    for row, result in zip(found, run.results, strict=True):
        assert (row["task"], row["unit"], row["images"]) == ("regress", "inference", 100)
        first = row["quality"][0]
        errors.append(error_of(run, result))
        assert (first["name"], first["value"]) == ("MAE", pytest.approx(errors[-1], rel=1e-6))
        assert first["interval"]["low"] <= first["value"] <= first["interval"]["high"]
    truth = np.load(files.tests)["value"].ravel()
    assert isinstance(run.truth, ValueTruth)
    np.testing.assert_array_equal(unpack_values(run.truth.values), truth)

    compared = rows(command("compare", "results", "--format", "json"))
    assert len(compared) == len(found)
    base, *others = compared
    assert (base["variant"], base["runtime"]) == ("keras", "tensorflow")
    by_name = {(row["variant"], row["runtime"]): error for row, error in zip(found, errors, strict=True)}
    for row in others:
        difference = row["quality_differences"][0]
        expected = by_name[row["variant"], row["runtime"]] - by_name["keras", "tensorflow"]
        assert difference["value"] == pytest.approx(expected, abs=1e-7)
        assert difference["interval"]["low"] <= difference["value"] <= difference["interval"]["high"]
        assert row["agreement_text"]
    exact = next(row for row in others if row["variant"] == "int8")
    assert exact["quality_differences"][0]["value"] != 0  # int8 changes the outputs, and it shows


def test_the_gate_of_quality_in_percent_of_the_baselines_error(regress: Command, command: Command) -> None:
    for scale in (1.01, 1.012, 1.02):
        rows(regress(scale, *QUICK, "--results", scale))
    for scale, old, limit, code in ((1.02, 1.01, 50, 3), (1.012, 1.01, 50, 0), (1.01, 1.02, 0.1, 0)):
        limits = ("--fail-if-quality-drops", limit, "--format", "json")
        gate = command("compare", scale, "--baseline", old, *limits)
        assert gate.code == code, (gate.stdout, gate.error)
        (row,) = json.loads(gate.stdout)
        difference = row["quality_differences"][0]
        assert difference["baseline"] == pytest.approx((old - 1) * 1.5, abs=0.001)
        assert difference["value"] == pytest.approx((scale - old) * 1.5, abs=0.001)
        assert row["quality_difference"] == difference["value"]


def test_once_resample_and_repeated_runs(regress: Command, tmp_path: Path) -> None:
    (first,) = rows(regress(1.5, *QUICK, "--once"))
    (again,) = rows(regress(1.5, *QUICK, "--once"))
    assert again == first
    assert len(list((tmp_path / "results").iterdir())) == 1
    (other,) = rows(regress(1.25, *QUICK, "--once"))  # another model of the same name
    assert other["quality"][0]["value"] == pytest.approx(first["quality"][0]["value"] / 2, rel=1e-5)

    (drawn,) = rows(regress(1.5, *QUICK, "--resample", 10, "--results", "drawn"))
    assert drawn["quality"][0]["value"] == pytest.approx(first["quality"][0]["value"])  # of all examples
    (trial,) = the_run(tmp_path / "drawn").results[0].trials
    assert trial.image_positions is not None
    assert trial.image_positions.length == 10

    (repeated,) = rows(regress(1.5, *QUICK, "--repeat-runs", 2, "--results", "repeated"))
    assert (repeated["runs"], repeated["differing_predictions"]) == (2, 0)
    assert len(list((tmp_path / "repeated").iterdir())) == 2


def test_every_format_and_the_report_have_the_measure(regress: Command, command: Command, tmp_path: Path) -> None:
    for form, mention in (("csv", "mae"), ("markdown", "MAE"), ("html", "MAE"), ("table", "MAE")):
        done = regress(1.5, *QUICK[:-1], form, "--once")
        assert done.code == 0, done.error
        compared = command("compare", "results", "--format", form)
        assert compared.code == 0, compared.error
        for text in (done.stdout, compared.stdout):
            assert mention in (text.lower() if form == "csv" else text)
    table = list(csv.reader(io.StringIO(regress(1.5, *QUICK[:-1], "csv", "--once").stdout)))
    assert len({len(row) for row in table}) == 1
    done = command("report", "results", "--output", tmp_path / "report.html")
    assert done.code == 0, done.error
    assert "MAE" in (tmp_path / "report.html").read_text()


def test_runs_of_different_tasks_or_without_true_values_are_not_judged(regress: Command, command: Command) -> None:
    rows(regress(1.5, *QUICK, "--results", "known"))
    model = ("m.tflite", "--data", "x.npy", "--runtime", "litert")
    rows(command("run", *model, "--task", "tensor", *QUICK, "--results", "numbers"))
    rows(command("run", *model, "--task", "regress", *QUICK, "--results", "unknown"))
    for new, old in (("known", "numbers"), ("numbers", "numbers"), ("unknown", "unknown")):
        gate = command("compare", new, "--baseline", old, "--fail-if-quality-drops", 1)
        assert gate.code == 2, (new, old, gate)
        assert gate.error is not None
        assert "\n" not in gate.error.problem


def test_batches_and_several_models_with_stated_shapes(command: Command, tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", values=np.eye(3, dtype=np.float32)[[0, 1, 2, 0, 1]], ids=np.arange(10).reshape(5, 2))
    models = mixed_onnx(tmp_path / "a.onnx"), mixed_tflite(tmp_path / "b.tflite", signature="serve")
    found = rows(
        command("run", *models, "--data", "x.npz", "--batch-size", "1,4", "--runtime", "litert,onnxruntime", *QUICK)
    )
    assert [row["failure"] for row in found] == [None] * len(found)
    assert {(row["variant"], row["batch_size"]) for row in found} == {("a", 1), ("a", 4), ("b", 1), ("b", 4)}
    compared = rows(command("compare", "results", "--format", "json"))
    assert {row["agreement"] for row in compared[1:]} == {1.0}

    paths = []
    for name in ("tokens", "words"):
        made = OnnxBuilder()
        made.add("Cast", [name], "floats", to=1)
        made.add("ReduceMean", ["floats"], "mean", axes=[1], keepdims=1)
        paths.append(
            made.save_graph(tmp_path / f"{name}.onnx", [(name, "INT64", ["N", "T"])], [("mean", "FLOAT", ["N", 1])])
        )
    both = ("--shape", "tokens=1x128", "--shape", "words=1x64", "--range", "tokens=0..9", "--range", "words=0..9")
    found = rows(command("run", *paths, *both, *QUICK, "--results", "shapes", "--runtime", "onnxruntime"))
    assert [row["failure"] for row in found] == [None, None]
    for result in the_run(tmp_path / "shapes").results:
        assert isinstance(result.outputs, TensorOutputs)
        assert result.outputs.outputs[0].shapes == [[1]]


@pytest.mark.parametrize(("signature", "output"), [("double", "doubled"), ("total", "sum")])
def test_each_signature_of_a_tflite_file(command: Command, tmp_path: Path, signature: str, output: str) -> None:
    model = two_signatures_tflite(tmp_path / "m.tflite")
    found = rows(command("run", model, "--signature", signature, "--runtime", ",".join(INTERPRETERS), *QUICK))
    assert [row["failure"] for row in found] == [None] * len(INTERPRETERS)
    for result in the_run(tmp_path / "results").results:
        assert isinstance(result.outputs, TensorOutputs)
        (record,) = result.outputs.outputs
        assert (record.name, record.examples) == (output, 100)


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("signature", "ranges", "outputs"),
    [("affine", ("--range", "shift=0..9"), {"doubled", "shifted"}), ("lacking", (), {"y", "same"})],
)
def test_each_signature_of_a_saved_model(
    edge_bench_here: CommandLine, tmp_path: Path, signature: str, ranges: tuple[str, ...], outputs: set[str]
) -> None:
    saved_model_of_signatures(tmp_path / "saved")
    arguments = ("saved", "--signature", signature, *ranges, "--limit", 5, "--task", "tensor", *QUICK)
    (row,) = rows(edge_bench_here("run", *arguments))
    assert row["failure"] is None
    (result,) = the_run(tmp_path / "results").results
    assert isinstance(result.outputs, TensorOutputs)
    assert {each.name for each in result.outputs.outputs} == outputs
