"""Which original a slack is against, and its typical and mean values."""

from typing import Any

import msgspec
import numpy as np
import pytest

from edge_bench.bench.analysis.comparison.comparison import compare
from edge_bench.bench.analysis.comparison.slack import Slack, slack_between
from edge_bench.bench.analysis.times.timings import RunResult
from edge_bench.bench.io.record_codec import pack
from edge_bench.bench.records.run import Result, Run
from edge_bench.bench.system.machine import Machine
from tests.factories import machine, result, run

PI = machine(hostname="pi", architecture="aarch64")


def original(seconds: float) -> Result:
    return result("keras", "tensorflow", seconds)


def light(seconds: float, **changes: Any) -> Result:
    made = result("dynamic", "litert", seconds)
    return msgspec.structs.replace(made, configuration=msgspec.structs.replace(made.configuration, **changes))


def at(hour: int, whole: Run) -> Run:
    return msgspec.structs.replace(whole, began=f"2026-01-01T{hour:02}:00:00+00:00", run_id=f"{hour:032}")


def container(identifier: str, **changes: Any) -> Machine:
    return machine(hostname=identifier, container=True, **changes)


def slowed(whole: Result, trial: int, factor: float) -> Result:
    trials = list(whole.trials)
    trials[trial] = msgspec.structs.replace(trials[trial], elapsed_ns=int(trials[trial].elapsed_ns * factor))
    return msgspec.structs.replace(whole, trials=trials)


def of_machine(slacks: list[Slack], *, same: bool) -> list[float]:
    return [round(slack.seconds, 1) for slack in slacks if slack.same_machine is same]


def test_with_two_runs_of_one_machine_each_slack_is_within_its_run() -> None:
    first, second = at(1, run(original(4.0), light(5.0))), at(2, run(original(7.0), light(6.0)))
    for runs in ([first, second], [second, first]):
        found = compare(runs).slacks
        assert sorted(round(slack.seconds, 1) for slack in found) == [-1.0, 1.0]
        assert all(slack.same_run and slack.same_machine for slack in found)


def test_without_an_original_in_the_run_the_nearest_run_of_the_machine_has_it() -> None:
    runs = [at(1, run(original(1.0))), at(8, run(original(2.0))), at(9, run(light(5.0)))]
    (slack,) = compare(runs).slacks
    assert slack.seconds == pytest.approx(3.0, abs=0.02)
    assert (slack.same_run, slack.same_machine) == (False, True)


def test_an_original_on_another_machine_gives_a_second_slack() -> None:
    host = run(original(1.0))
    edge = run(original(9.0), light(4.0), on=PI)
    found = compare([host, edge]).slacks
    assert [slack.same_run for slack in found] == [True, False]
    assert of_machine(found, same=True) == [-5.0]
    assert of_machine(found, same=False) == [3.0]
    assert "desk" in found[1].original_machine


def test_of_several_other_machines_the_fastest_original_counts() -> None:
    slow, fast = (run(original(seconds), on=machine(hostname=f"host{seconds}")) for seconds in (3.0, 1.0))
    (slack,) = compare([slow, fast, run(light(4.0), on=PI)]).slacks
    assert slack.seconds == pytest.approx(3.0, abs=0.02)


def test_containers_with_random_names_are_the_same_machine_and_other_boards_are_not() -> None:
    host = run(original(1.0), on=container("0123456789ab"))
    (again,) = compare([host, run(light(4.0), on=container("ba9876543210"))]).slacks
    assert again.same_machine
    (other,) = compare([host, run(light(4.0), on=container("ba9876543210", board="Raspberry Pi"))]).slacks
    assert not other.same_machine
    (named,) = compare([host, run(light(4.0), on=container("edge"))]).slacks
    assert not named.same_machine


def test_another_bundles_original_is_never_used() -> None:
    assert compare([run(original(1.0), bundle="other"), run(light(4.0))]).slacks == []


def test_of_several_originals_the_one_with_the_same_threads_counts() -> None:
    four = original(1.0)
    four = msgspec.structs.replace(four, configuration=msgspec.structs.replace(four.configuration, threads=4))
    found = compare([run(original(3.0), four, light(5.0), light(2.0, threads=4))]).slacks
    assert [(slack.light.threads, slack.original.threads) for slack in found] == [(1, 1), (4, 4)]
    assert [round(slack.seconds, 1) for slack in found] == [2.0, 1.0]


@pytest.mark.parametrize("separate", [False, True])
def test_one_trial_of_ten_times_the_length_moves_only_the_mean(separate: bool) -> None:
    heavy, disturbed = original(4.0), slowed(light(5.0), 3, 10.0)
    runs = [at(1, run(heavy)), at(2, run(disturbed))] if separate else [run(heavy, disturbed)]
    (slack,) = compare(runs).slacks
    assert slack.seconds == pytest.approx(1.0, abs=0.01)
    assert slack.interval is not None
    width = slack.interval.high - slack.interval.low
    assert width < 0.1 or (separate and 0.7 < width < 0.8)  # 3 % from run to run, of 4 and of 5 s
    assert slack.mean_seconds == pytest.approx(1.0 + 45 / 30, abs=0.01)
    assert (slack.mean_rests_on_outlier, slack.mean_interval) == (True, None)


def test_without_outliers_both_values_have_intervals() -> None:
    (slack,) = compare([run(original(4.0), light(5.0))]).slacks
    assert not slack.mean_rests_on_outlier
    for interval in (slack.interval, slack.mean_interval):
        assert interval is not None
        assert interval.low < 1.0 < interval.high


def test_runs_of_different_numbers_of_images_are_compared_per_image() -> None:
    whole = run(light(5.0))
    half = run(original(2.0))
    half = msgspec.structs.replace(half, settings=msgspec.structs.replace(half.settings, resample=50))
    slack = slack_between(RunResult(whole, whole.results[0]), RunResult(half, half.results[0]))
    assert slack.images == 100
    assert slack.seconds == pytest.approx(1.0, abs=0.02)
    assert slack.mean_seconds == pytest.approx(1.0, abs=0.02)


def test_typical_times_leave_out_a_slow_tail_that_the_mean_has() -> None:
    def with_latencies(whole: Result, tail: float) -> Result:
        latencies = np.full(100, 40_000_000)
        latencies[:10] = int(40_000_000 * tail)
        trials = [
            msgspec.structs.replace(trial, latencies=pack(latencies), elapsed_ns=int(latencies.sum()))
            for trial in whole.trials
        ]
        return msgspec.structs.replace(whole, trials=trials)

    (slack,) = compare([run(with_latencies(original(4.0), 1.0), with_latencies(light(4.0), 6.0))]).slacks
    assert slack.seconds == pytest.approx(0.0)
    assert slack.mean_seconds == pytest.approx(2.0)


def test_without_a_common_generation_there_is_still_a_slack() -> None:
    heavy, small = original(4.0), light(5.0)
    early = msgspec.structs.replace(heavy, trials=[trial for trial in heavy.trials if trial.process < 2])
    late = msgspec.structs.replace(small, trials=[trial for trial in small.trials if trial.process > 2])
    (slack,) = compare([run(early, late)]).slacks
    assert slack.seconds == pytest.approx(1.0, abs=0.02)
