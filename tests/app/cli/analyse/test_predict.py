"""The command ``predict`` from the outside."""

import csv
import io
import json
from pathlib import Path

import msgspec
import pytest

from edge_bench.app.tables.prediction.wording import in_words, milliseconds
from edge_bench.app.tables.rows.predicted import PredictRow
from edge_bench.bench.errors import BadInput
from edge_bench.bench.records.bundle import Bundle
from tests.command_line import call_here
from tests.made.prediction.predictions import small_model


def rows(output: str) -> list[PredictRow]:
    return msgspec.convert(json.loads(output), list[PredictRow])


def test_one_device_in_one_sentence_and_every_format(tmp_path: Path) -> None:
    path = small_model(tmp_path / "x.tflite")
    outputs = {
        form: call_here("predict", path, "--device", "pi4", "--format", form, cwd=tmp_path)
        for form in ("table", "markdown", "json", "jsonl", "csv", "html")
    }
    assert {form: each.code for form, each in outputs.items()} == dict.fromkeys(outputs, 0)
    for each in outputs.values():
        assert "PREDICTED" in each.stdout
    assert outputs["table"].stdout.startswith("PREDICTED: x.tflite on a Raspberry Pi 4 with 1 thread: ")
    [row] = rows(outputs["json"].stdout)
    assert row.median_ms is not None
    assert row.low_90_ms is not None
    assert row.low_90_ms < row.median_ms
    assert (row.device, row.method, row.label, row.threads) == ("pi4", "published", "PREDICTED", 1)
    assert json.loads(outputs["jsonl"].stdout)["median_ms"] == row.median_ms
    [line] = csv.DictReader(io.StringIO(outputs["csv"].stdout))
    assert float(line["median_ms"]) == pytest.approx(row.median_ms)


def test_all_devices_are_the_faster_the_newer(tmp_path: Path) -> None:
    path = small_model(tmp_path / "x.tflite")
    found = rows(call_here("predict", path, "--all-devices", "--format", "json", cwd=tmp_path).stdout)
    assert [row.device for row in found] == ["zero2w", "pi3b+", "pi4", "pi5"]
    times = [row.median_ms or 0 for row in found]
    assert times == sorted(times, reverse=True)
    assert [row.method for row in found] == ["sibling", "published", "published", "published"]


def test_boards_that_are_refused_have_their_reason_beside_the_others(tmp_path: Path) -> None:
    path = small_model(tmp_path / "x.tflite", kind="int8")
    outcome = call_here("predict", path, "--all-devices", "--threads", "1,4", "--format", "json", cwd=tmp_path)
    assert outcome.code == 0
    refused = {row.device for row in rows(outcome.stdout) if row.refusal}
    assert refused == {"zero2w", "pi3b+"}
    assert all(row.median_ms is None and row.remedy for row in rows(outcome.stdout) if row.refusal)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--device", "pi4"],  # dynamic
        ["--all-devices"],
        [],
        ["--device", "pi4", "--all-devices"],
        ["--device", "pi4", "--runtime", "onnxruntime"],
        ["--device", "pi4", "--threads", "8"],
        ["--device", "pi4", "--runtime", "tflite-runtime"],
        ["--device", "pi4", "--runtime", "litert", "--variant", "foo"],
        ["--device", "pi4", "--variant", ""],
    ],
)
def test_refusals_have_exit_code_2_and_a_remedy(arguments: list[str], tmp_path: Path) -> None:
    kind = "dynamic" if arguments in (["--device", "pi4"], ["--all-devices"]) else "float32"
    outcome = call_here("predict", small_model(tmp_path / "x.tflite", kind=kind), *arguments, cwd=tmp_path)
    assert outcome.code == BadInput.exit_code
    assert outcome.error is not None
    assert outcome.error.remedy


def test_open_sizes_are_refused_as_by_run(tmp_path: Path) -> None:
    path = small_model(tmp_path / "x.tflite", open_shape=(-1, -1, -1, 3))
    for arguments in (("predict", path, "--device", "pi4"), ("run", path)):
        outcome = call_here(*arguments, cwd=tmp_path)
        assert outcome.code == BadInput.exit_code
        assert outcome.error is not None
        assert outcome.error.remedy


def test_of_several_graphs_the_predicted_one_and_the_others_are_named(tmp_path: Path) -> None:
    path = small_model(tmp_path / "x.tflite", others=["embed", "reset"])
    [row] = rows(call_here("predict", path, "--device", "pi4", "--format", "json", cwd=tmp_path).stdout)
    assert (row.graph, row.other_graphs) == ("classify", ["embed", "reset"])
    shown = call_here("predict", path, "--device", "pi4", cwd=tmp_path).stdout
    assert all(name in shown for name in ("classify", "embed", "reset"))


def test_a_saved_model_is_not_taken_for_a_bundle(tmp_path: Path) -> None:
    (tmp_path / "two").mkdir()
    (tmp_path / "two/saved_model.pb").write_bytes(b"")
    for arguments in (("predict", "two", "--device", "pi4"), ("report", ".", "--bundle", "two")):
        outcome = call_here(*arguments, cwd=tmp_path)
        assert outcome.code == BadInput.exit_code
        assert outcome.error is not None
        assert "--bundle two" not in outcome.error.remedy
    with pytest.raises(BadInput, match="SavedModel") as caught:
        Bundle.open(tmp_path / "two")
    assert "edge-bench export" in caught.value.remedy


def test_threads_that_are_given_twice_are_predicted_once(tmp_path: Path) -> None:
    path = small_model(tmp_path / "x.tflite")
    outcome = call_here("predict", path, "--device", "pi4", "--threads", "1,1", cwd=tmp_path)
    assert outcome.stdout == call_here("predict", path, "--device", "pi4", cwd=tmp_path).stdout


def test_sentences_have_three_digits_and_seconds(tmp_path: Path) -> None:
    assert in_words(74_817.0, (37_993.0, 147_330.0)) == "74.8 s per inference, with 90 % probability 38.0 to 147 s"
    assert in_words(1234.5, (999.96, 2345.0)) == "1,230 ms per inference, with 90 % probability 1,000 to 2,340 ms"
    assert (milliseconds(0.0123456), milliseconds(12.345), milliseconds(0.0)) == ("0.0123", "12.3", "0")


def test_the_clock_changes_a_prediction(tmp_path: Path) -> None:
    path = small_model(tmp_path / "x.tflite")
    slow, fast = (
        rows(call_here("predict", path, "--device", "pi4", "--clock", each, "--format", "json", cwd=tmp_path).stdout)[0]
        for each in ("1.5", "1.8")
    )
    assert (slow.median_ms or 0) > (fast.median_ms or 0)
