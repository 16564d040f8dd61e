"""The answer of a page and of its machines: the fastest configurations, and what an offload may cost."""

import msgspec

from edge_bench.app.report.answer import answer, machine_answers
from edge_bench.app.report.bundle_section import bundle_sections
from edge_bench.app.report.offload.break_even import break_even
from edge_bench.app.report.trust import trust_section
from edge_bench.bench.io.record_codec import pack
from edge_bench.bench.records.run import Run
from tests.app.report.pages import EMULATED, PI, answers, rows_of
from tests.factories import LABELS, group, repeats, result, run
from tests.nine_configurations import nine, on_pi

HOST = run(result("keras", "tensorflow", 1.0, wrong=8, size=4000), result("dynamic", "litert", 0.5, wrong=10))
EDGE = msgspec.structs.replace(run(result("dynamic", "litert", 4.0, wrong=10), on=PI), run_id="f" * 32)


def machines(*runs: Run) -> list[list[str]]:
    (section,) = bundle_sections(list(runs), [])
    return rows_of(machine_answers(section))


def slacks(*runs: Run) -> list[list[str]]:
    (section,) = bundle_sections(list(runs), [])
    assert section.comparison
    return rows_of(break_even(section.comparison))


def test_each_machine_has_a_row_with_the_cost_below_which_an_offload_pays() -> None:
    here, there = machines(HOST, EDGE)
    assert here[:3] == ["desk", "dynamic on litert", "2.00× faster"]
    assert there[:3] == ["pi", "dynamic on litert", "4.00× slower"]
    assert [row[3].split()[0] for row in (here, there)] == ["5.00", "40.0"]
    assert (here[5], there[5]) == ("never", "below 30.0 ms/image")
    assert machines(HOST) == []  # the answer says it


def test_slacks_are_per_example_and_marked_between_runs() -> None:
    own, other = slacks(HOST, EDGE)
    assert own[0].endswith("(desk)")
    assert own[2].startswith("−5.00 [")
    assert other[1] == "below 30.0 ms/image"
    assert other[2].startswith("30.0 [")
    assert (own[2].endswith("*"), other[2].endswith("*")) == (False, True)


def test_an_undecided_comparison_is_called_undecided() -> None:
    noisy = run(result("keras", "tensorflow", 1.0, noise=0.3), result("dynamic", "litert", 1.03, noise=0.3))
    assert answers([noisy])[0].startswith("No clear winner")
    assert slacks(noisy)[0][1] == "undecided"


def test_an_emulated_machine_has_no_time_in_the_answers() -> None:
    edge = msgspec.structs.replace(run(result("dynamic", "litert", 97.31), on=EMULATED), run_id="f" * 32)
    here, there = machines(run(result("keras", "tensorflow", 1.0)), edge)
    assert here[3].startswith("10.0 [")
    assert "EMULATED" in there[-1]
    assert not any(character.isdigit() for character in "".join(there[1:]))


def test_the_reliability_and_its_remedy_follow_the_headline() -> None:
    reliable, doubtful = (bundle_sections([each], [])[0] for each in (nine(findings=[], trusted=True), nine()))
    assert 'class="doubt"' not in answer(reliable)
    assert answer(doubtful).count('class="doubt"') == 1
    assert answer(doubtful).index('class="headline"') < answer(doubtful).index('class="doubt"')
    assert "2 of 9" in answer(doubtful).partition('class="doubt"')[2]
    assert [row[-1] for row in machines(nine(findings=[], trusted=True), on_pi())] == ["yes", "no"]


def test_repeats_of_a_run_are_one_machine() -> None:
    runs = group(repeats(HOST, 3))
    assert machines(*runs) == []
    assert [row[0] for row in machines(*runs, EDGE)] == ["desk (3 runs)", "pi"]


def test_a_run_without_true_labels_has_times_and_agreement_but_no_accuracy() -> None:
    whole = run(result("keras", "tensorflow", 1.0), result("dynamic", "litert", 0.5, wrong=3))
    unlabelled = msgspec.structs.replace(whole, images=msgspec.structs.replace(whole.images, labels=pack(LABELS[:0])))
    assert "97.0" in answers([unlabelled])[1]
    assert "2.00×" in answers([unlabelled])[1]
    (section,), (labelled,) = bundle_sections([unlabelled], []), bundle_sections([whole], [])
    assert section.confusion is None
    assert labelled.confusion is not None
    assert len(trust_section(section)) > len(trust_section(labelled))  # it says that labels are missing


def test_a_run_without_predictions_has_times() -> None:
    results = (result("keras", "tensorflow", 1.0), result("dynamic", "litert", 0.5))
    silent = run(*(msgspec.structs.replace(each, predictions=None) for each in results))
    assert answers([silent])[1].startswith("2.00×")
