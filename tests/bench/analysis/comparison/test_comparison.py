"""Comparisons of made-up Runs with known results."""

from typing import Any

import msgspec
import numpy as np
import pytest

from edge_bench.app.tables.runs.comparison import comparison_record, comparison_table
from edge_bench.app.tables.shared import speed_text
from edge_bench.bench.analysis.comparison.comparison import DEFAULT_BASELINES, compare, matches
from edge_bench.bench.errors import BadInput, ResultsError
from edge_bench.bench.io.record_codec import pack
from edge_bench.bench.records.run import Configuration, Failure, Run
from edge_bench.bench.stats.ratios import Verdict
from tests.bench.messages import numbers_in
from tests.factories import LABELS, cut, machine, result, row, run


def test_faster_slower_and_same_against_the_original() -> None:
    comparison = compare(
        [run(result("keras", "tensorflow", 1.0), result("dynamic", "litert", 0.5), result("int8", "litert", 1.3),
             result("float32", "litert", 1.001))]
    )  # fmt: skip
    assert comparison.baseline.variant == "keras"
    assert row(comparison, "keras", "tensorflow").is_baseline
    assert row(comparison, "dynamic", "litert").verdict is Verdict.FASTER
    assert row(comparison, "int8", "litert").verdict is Verdict.SLOWER
    assert row(comparison, "float32", "litert").verdict is Verdict.SAME
    ratio = row(comparison, "dynamic", "litert").ratio
    assert ratio is not None
    assert ratio.interval is not None
    assert ratio.interval.low < 0.5 < ratio.interval.high


def test_a_noisy_difference_is_undecided() -> None:
    comparison = compare(
        [run(result("keras", "tensorflow", 1.0, noise=0.3), result("dynamic", "litert", 1.03, noise=0.3))]
    )
    assert row(comparison, "dynamic", "litert").verdict is Verdict.UNDECIDED


def test_accuracy_agreement_and_size_are_against_the_baseline() -> None:
    comparison = compare(
        [run(result("keras", "tensorflow", 1, wrong=10), result("dynamic", "litert", 1, wrong=13, size=250))]
    )
    light = row(comparison, "dynamic", "litert")
    assert light.accuracy_difference is not None
    assert light.accuracy_difference.value == pytest.approx(-0.03)
    assert light.accuracy_difference.p_value == pytest.approx(0.25)
    assert light.agreement is not None
    assert (light.agreement.same, light.agreement.total, light.agreement.differing) == (97, 100, [10, 11, 12])
    assert light.size_ratio == 0.25


def test_two_machines_are_compared_unpaired_and_on_common_images() -> None:
    host = run(result("keras", "tensorflow", 1.0), indices=np.arange(0, 60))
    edge_results = [result("dynamic", "litert", 3.0)]
    edge = run(*edge_results, on=machine(hostname="pi", architecture="aarch64"), indices=np.arange(40, 100))
    host = msgspec.structs.replace(host, results=[cut(r, 60) for r in host.results])
    edge = msgspec.structs.replace(edge, results=[cut(r, 60, 40) for r in edge.results])
    comparison = compare([host, edge])
    light = row(comparison, "dynamic", "litert")
    assert light.verdict is Verdict.SLOWER
    assert light.agreement is not None
    assert light.agreement.total == 20
    assert light.agreement.same == 20


def test_emulated_times_get_no_verdict_and_no_slack_but_agreement_counts() -> None:
    emulated = machine(hostname="pi", architecture="aarch64", emulated=True, emulation_signs=["a sign"])
    host = run(result("keras", "tensorflow", 1.0))
    comparison = compare([host, run(result("dynamic", "litert", 90.0), on=emulated)])
    light = row(comparison, "dynamic", "litert")
    assert light.emulated
    assert light.ratio is None
    assert light.verdict is None
    assert light.remark
    assert row(compare([host, run(result("dynamic", "litert", 90.0))]), "dynamic", "litert").remark == ""
    assert light.agreement is not None
    assert light.agreement.same == 100
    assert comparison.slacks == []


def test_the_slack_is_the_light_models_time_minus_the_originals() -> None:
    comparison = compare([run(result("keras", "tensorflow", 4.52), result("dynamic", "litert", 5.23))])
    (slack,) = comparison.slacks
    assert slack.seconds == pytest.approx(0.71, abs=0.01)
    assert slack.interval is not None
    assert slack.interval.low < 0.71 < slack.interval.high


def test_the_slack_of_an_edge_is_against_the_hosts_original() -> None:
    pi = machine(hostname="pi", architecture="aarch64")
    comparison = compare(
        [
            run(result("keras", "tensorflow", 1.0), result("dynamic", "litert", 0.5)),
            run(result("dynamic", "litert", 4.0), on=pi),
        ]
    )
    edge = next(slack for slack in comparison.slacks if "pi" in slack.light_machine)
    assert "desk" in edge.original_machine
    assert edge.seconds == pytest.approx(3.0, abs=0.01)


def test_an_unknown_baseline_is_refused_with_the_known_ones() -> None:
    runs = [run(result("keras", "tensorflow", 1.0), result("dynamic", "litert", 0.5))]
    assert compare(runs, "dynamic/litert/1").baseline.variant == "dynamic"
    with pytest.raises(BadInput) as caught:
        compare(runs, "nope")
    assert "nope" in caught.value.problem
    assert "dynamic/litert" in caught.value.remedy


def test_without_keras_and_float32_the_first_configuration_is_the_baseline_with_a_note() -> None:
    runs = [run(result("int8", "litert", 1.0), result("dynamic", "litert", 0.5))]
    comparison = compare(runs)
    assert comparison.baseline.variant == "int8"
    (note,) = set(comparison.notes) - set(compare(runs, "int8").notes)
    assert all(variant in note for variant in DEFAULT_BASELINES)


def test_runs_without_a_measurement_are_refused_with_the_reason() -> None:
    def without_trials(failure: Failure | None, **changes: Any) -> Run:
        empty = msgspec.structs.replace(result("keras", "tensorflow", 1.0), trials=[], failure=failure)
        return msgspec.structs.replace(run(empty, empty), **changes)

    missing = Failure(kind="not installed", message="there is no wheel", remedy="use another")
    with pytest.raises(ResultsError, match=r"all 2 configurations failed; .*there is no wheel") as failed:
        compare([without_trials(missing)])
    assert failed.value.remedy == "use another"
    with pytest.raises(ResultsError, match="interrupted before its first trial") as interrupted:
        compare([without_trials(None, complete=False)])
    assert "--resume" in interrupted.value.remedy
    with pytest.raises(ResultsError, match="stopped before its first trial ended: disk full"):
        compare([without_trials(None, complete=False, stopped="disk full")])
    notes = compare([run(result("keras", "tensorflow", 1.0)), without_trials(None, complete=False)]).notes
    assert [note.split(": ", 1)[1] for note in notes] == ["it was interrupted before its first trial"]


def test_a_configuration_that_failed_after_some_trials_has_no_verdict_but_a_reason() -> None:
    crash = Failure(kind="crashed", message="SIGSEGV")
    quick = msgspec.structs.replace(result("int8", "litert", 1.0), failure=crash)
    comparison = compare([run(result("keras", "tensorflow", 9.0), quick, result("dynamic", "litert", 2.0))])
    crashed, finished = row(comparison, "int8", "litert"), row(comparison, "dynamic", "litert")
    assert (crashed.verdict, crashed.verdict_reliable, finished.verdict) == (None, None, Verdict.FASTER)
    assert comparison_record(crashed)["verdict_reason"] == "crashed after 30 trials: SIGSEGV"
    assert speed_text(crashed) == "crashed"
    assert comparison_table(comparison).rows[1][4] == "crashed"
    assert all("int8" not in (effect.configuration.variant, effect.reference.variant) for effect in comparison.effects)
    assert {slack.light.variant for slack in comparison.slacks} == {"dynamic"}


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [("keras", True), ("keras/tensorflow/1/1", True), ("keras/litert", False), ("keras/tensorflow/1/1/1", False)],
)
def test_a_configuration_is_named_by_its_parts(wanted: str, expected: bool) -> None:
    configuration = Configuration(variant="keras", runtime="tensorflow", threads=1, batch_size=1)
    assert matches(configuration, wanted) is expected


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("base/model", True),
        ("base/model/litert/1", True),
        ("base", False),
        ("base/mod", False),
        ("base/model/1", False),
    ],
)
def test_the_name_of_a_file_in_a_folder_is_one_part(wanted: str, expected: bool) -> None:
    assert matches(Configuration(variant="base/model", runtime="litert", threads=1, batch_size=1), wanted) is expected


def test_without_true_labels_there_is_agreement_but_no_accuracy() -> None:
    whole = run(result("keras", "tensorflow", 1), result("dynamic", "litert", 1, wrong=2))
    unlabelled = msgspec.structs.replace(whole, images=msgspec.structs.replace(whole.images, labels=pack(LABELS[:0])))
    light = row(compare([unlabelled]), "dynamic", "litert")
    assert (light.correct, light.accuracy_difference) == (None, None)
    assert light.agreement is not None
    assert light.agreement.same == 98


def test_without_predictions_only_times_are_compared() -> None:
    silent = msgspec.structs.replace(result("dynamic", "litert", 0.5), predictions=None)
    light = row(compare([run(result("keras", "tensorflow", 1), silent)]), "dynamic", "litert")
    assert light.verdict is Verdict.FASTER
    assert (light.accuracy_difference, light.agreement) == (None, None)


def test_images_with_other_pixels_are_counted_in_a_note() -> None:
    host = run(result("dynamic", "litert", 1.0))
    pi = run(result("dynamic", "litert", 1.0), on=machine(hostname="raspberry"))
    checksums = np.arange(host.images.indices.length)
    same = msgspec.structs.replace(host.images, checksums=pack(checksums))
    other = msgspec.structs.replace(pi.images, checksums=pack(np.where(checksums < 3, checksums + 7, checksums)))
    told = compare([msgspec.structs.replace(host, images=same), msgspec.structs.replace(pi, images=other)])
    agreed = compare([msgspec.structs.replace(host, images=same), msgspec.structs.replace(pi, images=same)])
    (note,) = set(told.notes) - set(agreed.notes)
    assert 3 in numbers_in(note)
    assert "desk" in note
    assert "raspberry" in note
