"""The main results in words: accuracy, time and size of the light model, and where running it is faster."""

import re

import msgspec

from edge_bench.app.report.bundle_section import bundle_sections
from edge_bench.app.report.headline import no_answer
from edge_bench.app.report.trust import trust_section
from edge_bench.bench.io.record_codec import pack
from edge_bench.bench.stats.ratios import Verdict
from tests.app.report.pages import EMULATED, PI, answers
from tests.factories import LABELS, result, run


def intervals_of(sentence: str) -> list[str]:
    """Return the numbers that have an interval, sorted: ``2.00`` for ``2.00 [1.90, 2.10]``."""
    return sorted(re.findall(r"([\d.]+) \[", sentence))


def test_answers_have_the_costs_and_the_delay_above_which_running_locally_is_faster() -> None:
    host = run(result("keras", "tensorflow", 1.0, wrong=8, size=4000), result("dynamic", "litert", 0.5, wrong=10))
    edge = run(result("dynamic", "litert", 4.0, wrong=10), on=PI)
    here, there = answers([host, msgspec.structs.replace(edge, run_id="f" * 32)])
    assert intervals_of(here) == ["2.00", "2.00"]  # percentage points and speed-up: faster without any delay
    assert "25" in here
    assert intervals_of(there) == ["2.00", "3.00", "4.00"]  # percentage points, seconds per pass, time ratio
    for value in ("pi", "desk", "tensorflow", "100", "30.0"):
        assert value in there


def test_an_undecided_comparison_is_called_undecided() -> None:
    noisy = run(result("keras", "tensorflow", 1.0, noise=0.3), result("dynamic", "litert", 1.03, noise=0.3))
    (section,) = bundle_sections([noisy], [])
    assert section.headlines[0].light.verdict is Verdict.UNDECIDED
    assert "undecided" in answers([noisy])[0]


def test_the_answer_about_an_emulated_machine_has_no_time() -> None:
    host = run(result("keras", "tensorflow", 1.0))
    edge = run(result("dynamic", "litert", 97.31), on=EMULATED)
    (answer,) = answers([host, msgspec.structs.replace(edge, run_id="f" * 32)])
    assert "emulated" in answer.lower()
    assert "97.3" not in answer
    assert answer.count("[") == 1  # the accuracy's


def test_a_run_without_true_labels_has_times_and_agreement_but_no_accuracy() -> None:
    whole = run(result("keras", "tensorflow", 1.0), result("dynamic", "litert", 0.5, wrong=3))
    unlabelled = msgspec.structs.replace(whole, images=msgspec.structs.replace(whole.images, labels=pack(LABELS[:0])))
    (answer,) = answers([unlabelled])
    assert "97.00" in answer
    assert intervals_of(answer) == ["2.00"]
    (section,), (labelled,) = bundle_sections([unlabelled], []), bundle_sections([whole], [])
    assert section.confusion is None
    assert labelled.confusion is not None
    assert len(trust_section(section)) > len(trust_section(labelled))  # it says that labels are missing


def test_a_run_without_predictions_has_times() -> None:
    results = (result("keras", "tensorflow", 1.0), result("dynamic", "litert", 0.5))
    silent = run(*(msgspec.structs.replace(each, predictions=None) for each in results))
    assert intervals_of(answers([silent])[0]) == ["2.00"]


def test_the_two_reasons_for_no_answer_differ() -> None:
    assert no_answer(measured=True) != no_answer(measured=False)
