"""Predicted times on boards: in the report beside measurements, and as a first answer of `offload`."""

import re

import msgspec
import pytest

from edge_bench.app.tables.boards import boards_table, predicted_time
from edge_bench.app.tables.offload.predicted import predicted_edge, predicted_edge_records
from edge_bench.bench.analysis.comparison.comparison import compare
from edge_bench.bench.errors import BadInput
from edge_bench.bench.prediction.answer import predict_all, subjects
from edge_bench.bench.prediction.catalogue import ALL_DEVICES, load_device
from edge_bench.bench.records.bundle import Bundle
from tests.factories import machine, result, run

NAME = "desk"


def test_boards_are_beside_the_measurement_and_marked_as_predicted(digits_bundle: Bundle) -> None:
    measured = run(result("float32", "litert", 0.25))
    table = boards_table(subjects(digits_bundle.folder), compare([measured]).rows, {measured.run_id: NAME})
    assert table is not None
    assert [text.split("\n")[0] for text in table.header[2:]] == ["measured, ms", *["PREDICTED"] * len(ALL_DEVICES)]
    rows = {(row[0], row[1]): row[2:] for row in table.rows}
    assert {variant for variant, _ in rows} == {"float32", "float16", "int8"}  # dynamic is refused
    assert rows["float32", "1"][0].startswith("2.5")  # ms per image: 0.25 s for 100 images
    assert NAME in rows["float32", "1"][0]
    assert {row[0] for key, row in rows.items() if key != ("float32", "1")} == {"not measured"}
    models = {each.name: each for each in subjects(digits_bundle.folder)}
    for (variant, threads), cells in rows.items():
        wanted = predict_all([models[variant]], [load_device(name) for name in ALL_DEVICES], [int(threads)])
        assert list(cells[1:]) == [predicted_time(each) for each in wanted]
    text = " ".join([*table.notes, *(cell for row in table.rows for cell in row)])
    assert not re.search(r"\b(faster|slower|undecided)\b", text)


def test_emulated_and_failed_times_are_not_beside_predictions(digits_bundle: Bundle) -> None:
    emulated = run(result("float32", "litert", 0.25), on=machine(emulated=True, emulation_signs=["QEMU"]))
    table = boards_table(subjects(digits_bundle.folder), compare([emulated]).rows, {emulated.run_id: NAME})
    assert table is not None
    assert {row[2] for row in table.rows} == {"not measured"}


def test_each_reason_is_with_the_boards_that_it_is_about(digits_bundle: Bundle) -> None:
    small = next(each for each in subjects(digits_bundle.folder) if each.name == "float32")
    large = msgspec.structs.replace(small, memory_bytes=1200 << 20)
    table = boards_table([large], [], {})
    assert table is not None
    reasons = [note for note in table.notes if note.startswith("–")]
    assert len(reasons) == 2
    assert all(("512 MiB" in note) == ("Zero 2 W" in note.split(":")[1]) for note in reasons)


def test_models_without_a_prediction_have_no_table(digits_bundle: Bundle) -> None:
    dynamic = [each for each in subjects(digits_bundle.folder) if each.name == "dynamic"]
    assert boards_table(dynamic, [], {}) is None


@pytest.mark.parametrize(
    ("device", "variants", "expected"),
    [("pi4", [], ("int8", 4)), ("zero2w", [], ("float32", 4)), ("pi4", ["float16"], ("float16", 4))],
)
def test_the_first_answer_takes_the_smallest_variant_with_a_prediction(
    digits_bundle: Bundle, device: str, variants: list[str], expected: tuple[str, int]
) -> None:
    edge = predicted_edge(digits_bundle, device, variants, [])
    assert (edge.model, edge.threads) == expected
    assert edge.label == "PREDICTED"
    [record] = predicted_edge_records(edge)
    assert (record["reliable"], record["measured_with"]) == (True, edge.measured_with)


def test_an_edge_device_without_a_prediction_is_refused(digits_bundle: Bundle) -> None:
    for device, variants, threads in (("pi4", ["dynamic"], []), ("pi4", [], [8]), ("pi9", [], [])):
        with pytest.raises(BadInput):
            predicted_edge(digits_bundle, device, variants, threads)
