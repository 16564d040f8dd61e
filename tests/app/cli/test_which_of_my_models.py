"""Which of several models is best: their Runs are compared, and paired by the gate."""

import datetime
import json
from pathlib import Path

import pytest

from tests.command_line import CommandLine, assert_refused
from tests.made.images import class_folders
from tests.made.onnx import brightness_onnx
from tests.made.tflite_models import brightness_tflite

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("measure_here")]

QUICK = ("--data", "images", "--preprocess", "unit", "--trials", 1, "--processes", 1, "--runtime", "litert")


def test_runs_of_different_models_on_the_same_images(
    edge_bench_here: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class_folders(tmp_path / "images", range(4), 3)
    class_folders(tmp_path / "other", range(4), 2)
    brightness_tflite(tmp_path / "monday" / "model.tflite", range(4))
    brightness_tflite(tmp_path / "tuesday" / "model.tflite", [0, 1, 3, 2])
    brightness_tflite(tmp_path / "large.tflite", range(4), (1, 16, 16, 3))
    for model, results in (("monday/model.tflite", "1"), ("tuesday/model.tflite", "2"), ("large.tflite", "3")):
        done = edge_bench_here("run", model, *QUICK, "--results", results)
        assert done.returncode == 0, done.stderr
    tomorrow = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1)  # files name the second
    for module in ("edge_bench.bench.measure.recording.started_run", "edge_bench.bench.records.run_files"):
        monkeypatch.setattr(f"{module}.utc_now", lambda: tomorrow.isoformat(timespec="seconds"))
    done = edge_bench_here("run", "monday/model.tflite", *QUICK, "--data", "other", "--results", "3")
    assert done.returncode == 0, done.stderr
    monday, tuesday, large = (sorted((tmp_path / folder).glob("run-*.json"))[0] for folder in "123")

    compared = edge_bench_here("compare", monday, tuesday, large, "--format", "json")
    assert compared.returncode == 0, compared.stderr
    first, second, third = json.loads(compared.stdout)
    assert len({first["variant"], second["variant"], third["variant"]}) == 3
    assert third["variant"] == "large"
    assert (first["accuracy"], second["accuracy"], third["accuracy"]) == (1.0, 0.5, 1.0)
    assert (second["accuracy_difference"], second["agreement"], second["images_in_common"]) == (-0.5, 0.5, 12)
    assert first["variant"] in compared.stderr  # which Run it is of

    folder = edge_bench_here("compare", "3", "--format", "json")  # the newest Run's images only
    assert [row["variant"] for row in json.loads(folder.stdout)] == ["model"]
    assert large.name in folder.stderr
    assert_refused(edge_bench_here("compare", monday, "3"), "images", "other")

    limit = ("--fail-if-accuracy-drops", 5, "--format", "json")
    gate = edge_bench_here("compare", tuesday, "--baseline", monday, *limit)
    assert gate.returncode == 3
    renamed = edge_bench_here("compare", large, "--baseline", monday, *limit)
    assert renamed.returncode == 0, renamed.stderr
    assert json.loads(renamed.stdout)[0]["baseline_variant"] == "model"
    assert "large" in renamed.stderr


def test_weights_in_another_file_count_and_must_be_there(edge_bench_here: CommandLine, tmp_path: Path) -> None:
    class_folders(tmp_path / "images", range(4), 3)
    model = brightness_onnx(tmp_path / "m" / "model.onnx", range(4), location="model.onnx.data")
    weights = model.with_name("model.onnx.data")
    command = ("run", model, *QUICK[:-2], "--once", "--format", "json")
    size = model.stat().st_size + weights.stat().st_size
    for order, accuracy in (([0, 1, 2, 3], 1.0), ([3, 2, 1, 0], 0.0)):
        brightness_onnx(model, order, location=weights.name)
        rows = json.loads(edge_bench_here(*command).stdout)  # of every runtime that is installed
        assert {(row["accuracy"], row["bytes"]) for row in rows} == {(accuracy, size)}
    weights.unlink()
    assert_refused(edge_bench_here(*command), weights.name)
