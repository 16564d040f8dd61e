"""The configurations that the headline compares, and its verdict."""

import msgspec
import pytest

from edge_bench.bench.analysis.comparison.comparison import compare
from edge_bench.bench.analysis.comparison.headline import headlines
from edge_bench.bench.stats.ratios import Verdict
from tests.factories import group, machine, repeats, result, row, run

HOST = run(
    result("keras", "tensorflow", 1.0), result("dynamic", "tflite-runtime", 2.0), result("dynamic", "litert", 0.5)
)


def test_on_one_machine_the_fastest_light_configuration_is_compared_with_the_original() -> None:
    (answer,) = headlines([HOST])
    assert not answer.across
    assert (answer.light.configuration.runtime, answer.light.verdict) == ("litert", Verdict.FASTER)
    assert answer.slack is not None
    assert answer.slack.seconds < 0


def test_another_machine_is_compared_with_the_hosts_original() -> None:
    pi = run(result("dynamic", "litert", 4.0), on=machine(hostname="pi", architecture="aarch64"))
    first, second = headlines([HOST, pi])
    assert not first.across
    assert second.across
    assert second.light.verdict is Verdict.SLOWER
    assert second.slack is not None
    assert 2.9 < second.slack.seconds < 3.1


def test_an_emulated_machine_gets_accuracy_and_size_but_no_time() -> None:
    pi = run(result("dynamic", "litert", 90.0, wrong=3), on=machine(hostname="pi", emulated=True))
    answer = headlines([HOST, pi])[1]
    assert answer.emulated
    assert answer.light.accuracy_difference is not None
    assert (answer.light.ratio, answer.slack) == (None, None)


def test_an_emulators_times_do_not_choose_the_runtime() -> None:
    emulated = machine(hostname="edge", architecture="aarch64", emulated=True)
    edge = run(result("dynamic", "tflite-runtime", 50.0), result("dynamic", "litert", 90.0), on=emulated)
    assert headlines([HOST, edge])[1].light.configuration.runtime == "litert"


def test_without_both_sides_there_is_no_headline() -> None:
    assert headlines([run(result("dynamic", "litert", 1.0))]) == []
    assert headlines([run(result("keras", "tensorflow", 1.0))]) == []


@pytest.mark.parametrize("seed", range(3))
def test_repeats_of_a_run_have_one_headline_with_the_ratio_of_the_table(seed: int) -> None:
    runs = group(repeats(HOST, 5, 0.05, seed))
    (answer,) = headlines(runs)
    assert not answer.across
    assert answer.light.runs == 5
    assert answer.light.ratio is not None
    assert answer.light.ratio == row(compare(runs), "dynamic", "litert").ratio
    assert headlines(runs[::-1])[0].light.ratio == answer.light.ratio  # in any order


def test_each_group_of_each_machine_has_a_headline() -> None:
    pi = machine(hostname="pi", architecture="aarch64")
    first, second = group(repeats(HOST, 3, seed=1), "a"), group(repeats(HOST, 2, seed=2), "b")
    there = group(repeats(run(result("dynamic", "litert", 4.0), on=pi), 3, seed=3), "c")
    answers = headlines([*first, *second, *there])
    assert [(each.base.runs, each.light.runs, each.across) for each in answers] == [
        (3, 3, False), (2, 2, False), (3, 3, True)
    ]  # fmt: skip


def test_the_configuration_is_the_fastest_over_all_repeats() -> None:
    """In the first Run another runtime happened to be faster."""
    odd = run(
        result("keras", "tensorflow", 1.0), result("dynamic", "tflite-runtime", 0.1), result("dynamic", "litert", 0.5)
    )
    runs = group([odd, *repeats(HOST, 4)])
    assert headlines(runs)[0].light.configuration.runtime == "litert"


def test_a_repeat_in_which_the_original_failed_is_ignored() -> None:
    failed = [msgspec.structs.replace(each, trials=[]) if each is HOST.results[0] else each for each in HOST.results]
    runs = group([msgspec.structs.replace(HOST, run_id="e" * 32, results=failed), *repeats(HOST, 3)])
    (answer,) = headlines(runs)
    assert (answer.base.runs, answer.light.runs, answer.across) == (3, 4, False)
    assert answer.light.ratio == row(compare(runs), "dynamic", "litert").ratio
