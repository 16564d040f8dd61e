"""Runs of different models on the same images: compared, told apart, and paired by the gate; never dropped silently."""

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest

from edge_bench.bench.analysis.comparison.comparison import compare
from edge_bench.bench.analysis.gate.pairing import pair_runs
from edge_bench.bench.analysis.gate.regression_gate import changes
from edge_bench.bench.analysis.labels.agreement import agreement_of
from edge_bench.bench.analysis.labels.disagreement import Predictions, find_disagreements
from edge_bench.bench.analysis.labels.same_images import image_difference
from edge_bench.bench.analysis.over_time.history import history, not_in_history
from edge_bench.bench.analysis.over_time.measured import measured
from edge_bench.bench.errors import BadInput, ResultsError
from edge_bench.bench.io.record_codec import pack
from edge_bench.bench.records.manifest import Preprocessing
from edge_bench.bench.records.run import Failure, Result, Run
from edge_bench.bench.stats.ratios import Verdict
from tests.factories import LABELS, machine, result, run

UNIT, RAW = Preprocessing(scale=1 / 255, offset=0, name="unit"), Preprocessing(scale=1, offset=0, name="raw")
HERE = machine(libraries={"pillow": "12.0"})


def model(name: str, content: str, seconds: float = 1.0, wrong: int = 0, runtime: str = "litert") -> Result:
    return msgspec.structs.replace(result(name, runtime, seconds, wrong), sha256=content)


def with_bundle(whole: Run, **changes: Any) -> Run:
    return msgspec.structs.replace(whole, bundle=msgspec.structs.replace(whole.bundle, **changes))


def with_images(whole: Run, **changes: Any) -> Run:
    return msgspec.structs.replace(whole, images=msgspec.structs.replace(whole.images, **changes))


def failed(whole: Result) -> Result:
    failure = Failure(kind="crashed", message="SIGSEGV")
    return msgspec.structs.replace(whole, trials=[], predictions=None, failure=failure)


def names(runs: list[Run]) -> list[str]:
    return [row.configuration.variant for row in compare(runs).rows]


MONDAY = run(model("model", "1a" * 32, wrong=10), bundle="monday")
TUESDAY = run(model("model", "2b" * 32, 0.5, wrong=13), bundle="tuesday")


def test_models_of_the_same_name_are_distinguished_and_compared_on_the_same_images() -> None:
    comparison = compare([MONDAY, TUESDAY])
    monday, tuesday = comparison.rows
    assert [monday.configuration.variant, tuesday.configuration.variant] == ["model@1a1a1a1a", "model@2b2b2b2b"]
    assert monday.is_baseline
    assert tuesday.verdict is Verdict.FASTER
    assert tuesday.accuracy_difference is not None
    assert tuesday.accuracy_difference.value == pytest.approx(-0.03)
    assert tuesday.agreement is not None
    assert tuesday.agreement.differing == [10, 11, 12]
    assert any("model@1a1a1a1a" in note and "model@2b2b2b2b" in note for note in comparison.notes)


def test_a_baseline_is_named_by_its_old_or_its_new_name() -> None:
    assert compare([MONDAY, TUESDAY], "model").baseline.variant == "model@1a1a1a1a"
    assert compare([MONDAY, TUESDAY], "model@2b2b2b2b/litert").baseline.variant == "model@2b2b2b2b"


def test_names_stay_as_they_are_if_they_tell_the_models_apart_or_the_model_is_the_same() -> None:
    small, large = run(model("small", "1a"), bundle="s"), run(model("large", "2b"), bundle="l")
    assert names([small, large]) == ["small", "large"]
    with_another = run(model("small", "1a"), model("large", "2b"), bundle="both")
    assert names([small, with_another]) == ["small", "small", "large"]
    notes = set(compare([small, large]).notes) - set(compare([small, small]).notes)
    assert len(notes) == 1  # that the models are different


def test_bundles_are_distinguished_by_model_name_and_retrained_ones_by_checksum() -> None:
    def bundle(model_name: str, content: str) -> Run:
        both = run(model("keras", content, 1.0, runtime="tensorflow"), model("dynamic", content, 0.5), bundle=content)
        return with_bundle(both, created="2026-01-01T00:00:00+00:00", model=model_name)

    assert names([bundle("cnn", "1a"), bundle("resnet20", "2b")]) == [
        "keras@cnn", "dynamic@cnn", "keras@resnet20", "dynamic@resnet20",
    ]  # fmt: skip
    comparison = compare([bundle("cnn", "1a" * 8), bundle("cnn", "2b" * 8)])
    assert comparison.baseline.variant == "keras@1a1a1a1a"
    slacks = [(slack.light.variant, slack.original.variant) for slack in comparison.slacks]
    assert slacks == [("dynamic@1a1a1a1a", "keras@1a1a1a1a"), ("dynamic@2b2b2b2b", "keras@2b2b2b2b")]


def test_one_model_with_two_preprocessings_is_distinguished_by_their_names() -> None:
    unit, raw = (
        msgspec.structs.replace(run(model("model", "1a"), bundle=step.name), preprocessing=step) for step in (UNIT, RAW)
    )
    assert names([unit, raw]) == ["model@unit", "model@raw"]


def test_an_old_run_without_preprocessing_is_of_the_same_bundle_still() -> None:
    new = msgspec.structs.replace(MONDAY, preprocessing=UNIT)
    assert names([MONDAY, new]) == ["model", "model"]


def test_times_of_different_models_are_not_attributed_to_the_machine() -> None:
    pi = machine(hostname="pi", architecture="aarch64")
    on_pi = msgspec.structs.replace(TUESDAY, machine=pi)
    assert compare([MONDAY, on_pi]).effects == []
    assert compare([MONDAY, on_pi]).rows[1].across is None
    (effect,) = compare([MONDAY, run(model("model", "1a" * 32), on=pi, bundle="monday")]).effects
    assert effect.factor == "machine"


def other_data(whole: Run) -> Run:
    return with_bundle(whole, dataset="fashion", dataset_sha256="other")


def other_labels(whole: Run) -> Run:
    return with_images(whole, labels=pack(np.where(LABELS == 3, 4, LABELS)))


@pytest.mark.parametrize("change", [other_data, other_labels])
def test_runs_of_different_images_or_labels_are_refused_with_both_names(change: Callable[[Run], Run]) -> None:
    other = with_bundle(change(MONDAY), model="another")
    with pytest.raises(ResultsError) as caught:
        compare([MONDAY, other])
    assert caught.value.exit_code == 2
    for value in ("m on d", f"another on {other.bundle.dataset}"):
        assert value in caught.value.problem
    with pytest.raises(ResultsError):
        pair_runs([MONDAY], [msgspec.structs.replace(other, run_id="other")])


def test_equal_pixels_and_labels_are_the_same_images_whatever_the_data_is_called() -> None:
    checksums = pack(np.arange(100))
    first = with_images(MONDAY, checksums=checksums)
    copied = with_images(with_bundle(TUESDAY, dataset="copy", dataset_sha256="other"), checksums=checksums)
    assert image_difference(first, copied) == ""
    assert len(compare([first, copied]).rows) == 2
    assert image_difference(first, with_images(copied, checksums=pack(np.arange(100) + 1)))
    assert image_difference(first, with_images(copied, total_images=101))


def test_an_image_that_was_replaced_between_two_runs_of_one_machine_is_refused() -> None:
    step = Preprocessing(scale=1, offset=0, geometry="centre to 8×8×3, bilinear")
    before = msgspec.structs.replace(with_images(MONDAY, checksums=pack(np.arange(100))), preprocessing=step)
    before = msgspec.structs.replace(before, machine=HERE)
    changed = np.arange(100)
    changed[7] = 1000
    after = with_images(before, checksums=pack(changed))
    with pytest.raises(ResultsError) as caught:
        compare([before, after])
    assert "1 of 100" in caught.value.problem
    other_size = msgspec.structs.replace(
        with_images(before, checksums=pack(np.arange(100) + 500)),
        preprocessing=msgspec.structs.replace(step, geometry="centre to 16×16×3, bilinear"),
    )
    comparison = compare([before, other_size])  # all pixels differ, as the model takes larger images
    assert comparison.rows[1].agreement is not None
    assert not any("100 images" in note for note in comparison.notes)
    (point, later) = history([before, msgspec.structs.replace(after, began="2026-01-02T00:00:00+00:00")])[0].points
    assert point.changed == []
    assert any("1" in text for text in later.changed)


def test_outputs_in_another_order_or_after_a_background_class_are_matched_by_the_classes_names() -> None:
    digits = [str(number) for number in range(10)]
    plain = with_bundle(MONDAY, classes=digits)

    def as_other(classes: list[str]) -> Run:
        index = np.array([classes.index(name) for name in digits])
        original = TUESDAY.results[0]
        moved = msgspec.structs.replace(original, predictions=pack(index[original.labels()]))
        whole = msgspec.structs.replace(TUESDAY, results=[moved])
        return with_images(with_bundle(whole, classes=classes), labels=pack(index[LABELS]))

    for classes in (["background", *digits], digits[::-1]):
        row = compare([plain, as_other(classes)]).rows[1]
        assert row.agreement is not None
        assert (row.agreement.same, row.agreement.differing) == (97, [10, 11, 12])
        assert row.accuracy_difference is not None
        assert row.accuracy_difference.value == pytest.approx(-0.03)


def test_random_inputs_of_different_sizes_are_compared_by_time_only() -> None:
    def random(whole: Run, digest: str) -> Run:
        unlabelled = with_images(whole, labels=pack(LABELS[:0]), checksums=pack(np.arange(100) + len(digest)))
        return with_bundle(unlabelled, dataset="random inputs", dataset_sha256=digest)

    small, large = random(MONDAY, "1"), random(TUESDAY, "22")
    row = compare([small, large]).rows[1]
    assert row.verdict is Verdict.FASTER
    assert (row.agreement, row.accuracy_difference) == (None, None)
    assert compare([small, random(TUESDAY, "1")]).rows[1].agreement is not None


def test_a_run_that_measured_nothing_keeps_its_rows_and_is_in_a_note() -> None:
    nothing = msgspec.structs.replace(run(failed(model("other", "2b")), bundle="x"), run_id="f" * 32)
    comparison = compare([MONDAY, nothing])
    assert comparison.rows[1].remark == "SIGSEGV"
    assert any("ffffffff" in note for note in comparison.notes)
    (note,) = not_in_history(list(map(measured, [MONDAY, nothing])))
    assert "ffffffff" in note
    assert "SIGSEGV" in note


def test_an_image_without_a_class_is_wrong_and_agrees_with_nothing() -> None:
    labels, none = np.array([3, -2, 5]), np.array([3, -2, -2])
    agreement = agreement_of(labels, none, np.arange(3))
    assert (agreement.same, agreement.total, agreement.differing) == (1, 3, [1, 2])
    voters = [Predictions(name, "model", np.arange(3), each) for name, each in (("a", labels), ("b", none))]
    differing, total = find_disagreements(voters)
    assert ([each.image for each in differing], total) == ([1, 2], 3)
    assert all(each.within_group for each in differing)


# -- the gate


def test_the_gate_pairs_the_only_model_of_each_run_by_its_settings() -> None:
    large = run(model("large", "2b", 1.2), model("large", "2b", runtime="tflite-runtime"), bundle="large")
    pairing = pair_runs([large], [MONDAY])
    (change,) = changes(pairing)
    assert (change.configuration.variant, change.baseline.variant) == ("large", "model")
    assert change.verdict is Verdict.SLOWER
    assert sum("tflite-runtime" in note for note in pairing.notes) == 1
    assert any("large" in note and "model" in note for note in pairing.notes)


def test_the_gate_pairs_several_models_by_name_and_lists_those_without_a_partner() -> None:
    old = run(model("a", "1"), model("b", "2"), failed(model("c", "3")), model("d", "4"), bundle="old")
    new = run(model("a", "5"), model("c", "6"), model("e", "7"), failed(model("d", "8")), bundle="new")
    pairing = pair_runs([new], [old])
    assert [(pair.new.result.configuration.variant, pair.old.result.sha256) for pair in pairing.pairs] == [
        ("a", "1"), ("d", "4"),
    ]  # fmt: skip
    assert changes(pairing)[1].remark == "SIGSEGV"
    listed = [note.split(": ")[-1].split()[0] for note in pairing.notes]
    assert sorted(listed) == ["b", "c", "c", "e"]


@pytest.mark.parametrize(
    "new",
    [
        run(model("x", "1"), model("y", "2"), bundle="new"),
        run(model("model", "1", runtime="onnxruntime"), bundle="new"),
        run(model("x", "1", runtime="onnxruntime"), bundle="new"),
    ],
)
def test_the_gate_refuses_a_run_without_any_pair_and_names_both_sides(new: Run) -> None:
    with pytest.raises(BadInput) as caught:
        pair_runs([new], [MONDAY])
    assert caught.value.exit_code == 2
    for whole in (new, MONDAY):
        assert all(str(item.configuration) in caught.value.remedy for item in whole.results)


def test_the_gate_notes_interrupted_runs() -> None:
    cut_short = msgspec.structs.replace(MONDAY, run_id="f" * 32, complete=False)
    assert any("ffffffff" in note for note in pair_runs([cut_short], [MONDAY]).notes)
    assert any("ffffffff" in note for note in pair_runs([MONDAY], [cut_short]).notes)
    assert pair_runs([MONDAY], [msgspec.structs.replace(MONDAY, run_id="tuesday")]).notes == []
