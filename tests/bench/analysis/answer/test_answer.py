"""The kinds of answers: what is fastest, ties, one process, emulation, and reliability."""

import msgspec
import pytest

from edge_bench.bench.analysis.answer.answer import Answer, AnswerKind, answer_of, no_answer, within_chance
from edge_bench.bench.analysis.answer.machines import compare_machines
from edge_bench.bench.analysis.comparison.comparison import compare
from edge_bench.bench.records.run import Failure, Run
from edge_bench.bench.stats.ratios import Verdict
from edge_bench.bench.system.machine import Finding
from tests.factories import group, machine, repeats, result, run
from tests.nine_configurations import nine, on_pi

EMULATED = machine(hostname="pi", emulated=True, emulation_signs=["a sign"])


def answered(*runs: Run) -> Answer:
    return answer_of(compare(list(runs)))


def names(answer: Answer) -> list[tuple[str, str]]:
    return [(row.configuration.variant, row.configuration.runtime) for row in answer.best]


def test_one_configuration_is_clearly_the_fastest() -> None:
    answer = answered(nine())
    assert answer.kind is AnswerKind.FASTEST
    assert names(answer) == [("dynamic", "litert")]
    (best,) = answer.best
    assert best.ratio is not None
    assert 1 / best.ratio.value == pytest.approx(0.0371 / 0.0030, rel=0.2)
    assert best.verdict is Verdict.FASTER
    assert (best.bytes, best.memory_peak_bytes) == (135_000, 60 << 20)


def test_a_tie_has_several_winners_and_no_single_one() -> None:
    answer = answered(run(result("a", "x", 1.0), result("b", "x", 1.001), result("c", "x", 1.2)))
    assert answer.kind is AnswerKind.TIE
    assert set(names(answer)) == {("a", "x"), ("b", "x")}
    assert answer.spread == pytest.approx(0.001, abs=0.001)
    assert answer.runner_up is not None
    assert answer.runner_up.configuration.variant == "c"


def test_a_noisy_configuration_may_be_as_fast_but_does_not_hide_others() -> None:
    steady = [result("a", "x", 1.0), result("b", "x", 1.2)]
    assert names(answered(run(*steady, result("far", "x", 9.0, noise=0.3)))) == [("a", "x")]
    near = answered(run(*steady, result("near", "x", 1.03, noise=0.1)))
    assert ("near", "x") in names(near)


def test_one_process_gives_no_verdict_but_a_reason() -> None:
    whole = run(result("a", "x", 1.0), result("b", "x", 2.0))
    first = [msgspec.structs.replace(each, trials=each.trials[:6]) for each in whole.results]
    comparison = compare([msgspec.structs.replace(whole, results=first)])
    assert answer_of(comparison).kind is AnswerKind.NO_INTERVAL
    (other,) = [row for row in comparison.rows if not row.is_baseline]
    assert other.verdict is Verdict.UNDECIDED
    assert "process" in other.no_interval
    assert other.time is not None
    assert other.time.interval is None


def test_a_configuration_without_an_interval_is_never_said_to_be_as_fast() -> None:
    slow = result("slow", "x", 5.0)
    slow = msgspec.structs.replace(slow, trials=slow.trials[:6])
    assert answered(run(result("a", "x", 1.0), result("b", "x", 2.0), slow)).kind is AnswerKind.NO_INTERVAL


def test_a_configuration_that_failed_after_some_trials_is_not_recommended() -> None:
    failure = Failure(kind="crashed", message="it crashed")
    crashed = msgspec.structs.replace(result("quick", "x", 0.5), failure=failure)
    few = msgspec.structs.replace(crashed, trials=crashed.trials[:6])
    whole = [result("a", "x", 1.0), result("b", "x", 2.0)]
    for partial in (crashed, few):
        answer = answered(run(*whole, partial))
        assert (answer.kind, names(answer)) == (AnswerKind.FASTEST, [("a", "x")])
        assert answer.runner_up is not None
        assert answer.runner_up.configuration.variant == "b"
    assert answered(run(whole[0], crashed)).kind is AnswerKind.ONE
    assert names(answered(run(crashed))) == [("quick", "x")]
    machines = [run(crashed, on=machine(hostname="pi")), run(*whole)]
    assert names(answered(*machines)) == [("a", "x")]
    fastest = compare_machines(machines, compare(machines))
    assert [(row.configuration.variant, row.failed, row.fastest) for row in fastest.rows] == [
        ("quick", True, False),
        ("a", False, True),
    ]
    assert names(answer_of(fastest)) == [("a", "x")]


def test_one_configuration_emulation_and_nothing_measured() -> None:
    assert answered(run(result("a", "x", 1.0))).kind is AnswerKind.ONE
    emulated = answered(run(result("a", "x", 1.0, wrong=9), result("b", "x", 2.0), on=EMULATED))
    assert emulated.kind is AnswerKind.EMULATED
    assert names(emulated) == [("b", "x"), ("a", "x")]  # by accuracy
    failure = Failure(kind="crashed", message="it crashed")
    failed = msgspec.structs.replace(result("a", "x", 1.0), trials=[], failure=failure)
    nothing = no_answer([run(failed, failed)])
    assert (nothing.kind, nothing.configurations, nothing.best) == (AnswerKind.NOTHING, 2, [])


def test_emulated_times_never_win() -> None:
    answer = answered(run(result("a", "x", 1.0)), run(result("a", "x", 0.1), on=EMULATED))
    assert (answer.kind, [row.emulated for row in answer.best]) == (AnswerKind.ONE, [False])


def test_the_best_of_two_machines_is_on_the_faster_one() -> None:
    answer = answered(nine(), on_pi())
    assert [row.machine.split(" ")[0] for row in answer.best] == ["desk"]


def test_equally_fast_runs_of_one_machine_are_both_the_best() -> None:
    first, second = run(result("a", "x", 1.0)), run(result("a", "x", 1.001))
    answer = answered(first, second)
    assert {row.run_id for row in answer.best} == {first.run_id, second.run_id}


def test_repeats_are_one_side_with_an_interval_over_runs() -> None:
    comparison = compare(group(repeats(run(result("a", "x", 1.0), result("b", "x", 2.0)), 5)))
    assert answer_of(comparison).kind is AnswerKind.FASTEST
    (best,) = answer_of(comparison).best
    assert best.runs == 5
    assert best.time is not None
    assert best.time.interval is not None
    assert best.time.interval.low < 10 < best.time.interval.high or best.time.milliseconds == pytest.approx(10, 0.01)


def test_a_spoiling_finding_makes_times_and_verdicts_unreliable() -> None:
    hot = Finding(what="it is hot", remedy="cool it", spoils=True)
    spoiled = msgspec.structs.replace(run(result("a", "x", 1.0), result("b", "x", 2.0)), findings=[hot], trusted=False)
    comparison = compare([spoiled])
    answer = answer_of(comparison)
    assert answer.trusted is False
    assert answer.reason is not None
    assert (answer.reason.what, answer.reason.remedy) == ("it is hot", "cool it")
    assert [row.verdict_reliable for row in comparison.rows if row.ratio] == [False]
    assert answer.reason_machine == ""
    beside = answered(spoiled, run(result("a", "x", 0.1), on=EMULATED))
    assert beside.reason_machine.split(" ")[0] == "desk"  # whose times those are, although the other's do not count
    fine = compare([msgspec.structs.replace(spoiled, findings=[], trusted=True)])
    assert answer_of(fine).trusted is True
    assert [row.verdict_reliable for row in fine.rows if row.ratio] == [True]


def test_a_cause_is_named_before_the_spread_that_it_explains() -> None:
    load = Finding(what="load from others", remedy="stop it", spoils=True)
    made = nine()
    (spread,) = made.findings
    answer = answered(msgspec.structs.replace(made, findings=[spread, load]))
    assert answer.reason is not None
    assert answer.reason.what == "load from others"
    assert (answer.unstable, answer.measured) == (2, 9)


def test_an_unstable_configuration_makes_only_its_own_verdicts_unreliable() -> None:
    steady = run(result("a", "x", 1.0), result("b", "x", 2.0), result("c", "x", 3.0, noise=0.4))
    rows = compare([msgspec.structs.replace(steady, trusted=True)]).rows
    assert {row.configuration.variant: row.verdict_reliable for row in rows if row.ratio} == {"b": True, "c": False}
    assert [row.unstable for row in rows] == [False, False, True]


@pytest.mark.parametrize(("wrong", "chance"), [(0, True), (5, True), (30, False)])
def test_few_discordant_images_are_chance(wrong: int, chance: bool) -> None:
    comparison = compare([run(result("a", "x", 1.0), result("b", "x", 2.0, wrong=wrong))])
    (row,) = [row for row in comparison.rows if not row.is_baseline]
    assert within_chance(row, row.quality_differences[0]) is chance
