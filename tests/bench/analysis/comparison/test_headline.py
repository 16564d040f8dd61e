"""The configurations that the headline compares, and its verdict."""

from edge_bench.bench.analysis.comparison.headline import headlines
from edge_bench.bench.stats.ratios import Verdict
from tests.factories import machine, result, run

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
