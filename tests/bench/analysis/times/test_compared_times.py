"""Times compared within a Run, between repeats of it, and between separate Runs; slow invocations."""

import msgspec
import numpy as np
import pytest

from edge_bench.bench.analysis.comparison.comparison import compare
from edge_bench.bench.analysis.times.compared_times import TimeComparison, compare_times
from edge_bench.bench.analysis.times.timings import RunResult, as_one
from edge_bench.bench.io.record_codec import pack, unpack
from edge_bench.bench.records.run import Result, Run
from edge_bench.bench.stats.comparisons.separate_runs import VariationSource
from edge_bench.bench.stats.ratios import Verdict, verdict
from tests.factories import machine, repeats, result, row, run


def with_latencies(
    variant: str, seconds: float = 0.1, *, slow: float = 0.0, times: float = 1.0, seed: int = 0
) -> Result:
    """A result with 100 latencies in each trial, of which the share ``slow`` took ``times`` as long."""
    generator = np.random.default_rng(seed)
    plain = result(variant, "litert", seconds)
    trials = []
    for trial in plain.trials:
        each = np.full(100, seconds / 100 * 1e9) * generator.normal(1, 0.01, 100) * generator.normal(1, 0.003)
        each[generator.random(100) < slow] *= times
        trials.append(msgspec.structs.replace(trial, elapsed_ns=int(each.sum()), latencies=pack(each.astype(np.int64))))
    return msgspec.structs.replace(plain, trials=trials)


def within_one_run(first: Result, second: Result) -> TimeComparison:
    both = run(first, second)
    return compare_times(RunResult(both, first), RunResult(both, second))


@pytest.mark.parametrize(("slow", "times"), [(0.3, 1.33), (0.02, 6.0)])
def test_a_slow_tail_is_reported_if_typical_invocations_are_the_same(slow: float, times: float) -> None:
    found = within_one_run(with_latencies("int8", slow=slow, times=times), with_latencies("float32", seed=1))
    assert found.ratio is not None
    assert verdict(found.ratio) is Verdict.SAME
    assert found.slow_tail
    assert found.whole_pass is not None
    assert found.whole_pass.value == pytest.approx(1.1, abs=0.02)


def test_the_same_tail_on_both_sides_is_none() -> None:
    first, second = (with_latencies(name, slow=0.02, times=6.0, seed=seed) for seed, name in enumerate("ab"))
    assert not within_one_run(first, second).slow_tail


def test_a_slower_configuration_has_no_slow_tail() -> None:
    assert not within_one_run(with_latencies("a", 0.11), with_latencies("b", 0.1, seed=1)).slow_tail
    assert not within_one_run(with_latencies("a", 0.102), with_latencies("b", 0.1, seed=1)).slow_tail


def group(whole: Run, seed: int, name: str, variation: float = 0.02) -> list[Run]:
    return [
        msgspec.structs.replace(each, repeat_group=name, repeat=number + 1)
        for number, each in enumerate(repeats(whole, seed=seed, variation=variation))
    ]


def test_repeats_of_a_run_share_a_row_and_are_compared_within_their_runs() -> None:
    whole = run(result("keras", "tensorflow", 1.0), result("dynamic", "litert", 1.1))
    comparison = compare(group(whole, 1, "group"))
    assert len(comparison.rows) == 2
    light = row(comparison, "dynamic", "litert")
    assert light.runs == 5
    assert len(light.pass_seconds) == 150
    assert light.separation is None  # measured in the same Runs as the baseline
    assert light.ratio is not None
    assert light.ratio.interval is not None
    assert light.ratio.interval.high - light.ratio.interval.low < 0.01  # the variation from run to run cancels


def test_two_groups_are_compared_by_their_runs() -> None:
    whole = run(result("keras", "tensorflow", 1.0))
    pi = msgspec.structs.replace(run(result("keras", "tensorflow", 1.5)), machine=machine(hostname="pi"))
    comparison = compare([*group(whole, 1, "here"), *group(pi, 2, "there")])
    (other,) = (each for each in comparison.rows if not each.is_baseline)
    assert other.separation is not None
    assert (other.separation.runs, other.separation.baseline_runs) == (5, 5)
    assert other.separation.source is VariationSource.REPEATED
    assert other.ratio is not None
    assert other.ratio.interval is not None
    assert other.ratio.interval.high / other.ratio.interval.low > 1.02


def test_runs_that_are_no_repeats_keep_rows_of_their_own() -> None:
    comparison = compare(repeats(run(result("keras", "tensorflow", 1.0)), count=3))
    assert [each.runs for each in comparison.rows] == [1, 1, 1]
    assert [each.separation is None for each in comparison.rows] == [True, False, False]
    assert [each.verdict for each in comparison.rows][1:] == [Verdict.UNDECIDED] * 2


def test_the_same_run_named_twice_is_no_repeat() -> None:
    once = run(result("keras", "tensorflow", 1.0))
    again = msgspec.structs.replace(once, repeat_group="g")
    assert [each.runs for each in compare([again, again]).rows] == [1]


def test_earlier_runs_narrow_the_interval_between_separate_runs() -> None:
    whole = run(result("keras", "tensorflow", 1.0))
    new, old, *earlier = repeats(whole, count=12)
    wide = compare([old, new]).rows[1]
    narrow = compare([old, new], earlier=[new, old, *earlier]).rows[1]
    assert narrow.separation is not None
    assert narrow.separation.source is VariationSource.EARLIER
    assert narrow.verdict is Verdict.SAME
    assert wide.verdict is Verdict.UNDECIDED
    upgraded = [
        msgspec.structs.replace(
            each, results=[msgspec.structs.replace(result, runtime_version="9") for result in each.results]
        )
        for each in earlier
    ]  # another version of the runtime varies in its own way
    assert compare([old, new], earlier=upgraded).rows[1].verdict is Verdict.UNDECIDED


def test_a_side_that_failed_in_its_first_run_is_that_of_the_others() -> None:
    measured = run(result("keras", "tensorflow", 1.0))
    failed = msgspec.structs.replace(measured.results[0], trials=[])
    side = as_one([RunResult(run(failed), failed), RunResult(measured, measured.results[0])])
    assert side.result.trials
    assert side.repeats == ()


def with_speeds(variant: str, slow: int, seed: int) -> Result:
    """A result of which ``slow`` of the five processes are 8 % slower throughout."""
    plain = with_latencies(variant, seed=seed)
    trials = [
        msgspec.structs.replace(
            trial,
            elapsed_ns=int(trial.elapsed_ns * (1.08 if trial.process < slow else 1)),
            latencies=pack((unpack(trial.latencies) * (1.08 if trial.process < slow else 1)).astype(np.int64)),
        )
        for trial in plain.trials
    ]
    return msgspec.structs.replace(plain, trials=trials)


def test_processes_that_keep_different_speeds_are_compared_by_their_means() -> None:
    """Of five processes each, one and four are 8 % slower: no trial-wise comparison can tell luck from work."""
    found = within_one_run(with_speeds("a", 4, 0), with_speeds("b", 1, 1))
    assert found.process_luck
    assert found.ratio is not None
    assert verdict(found.ratio) is Verdict.UNDECIDED
    assert not within_one_run(with_latencies("a"), with_latencies("b", seed=1)).process_luck


def test_process_luck_is_found_in_several_common_runs() -> None:
    def over_runs(slow: int) -> bool:
        runs = [
            run(with_speeds("a", slow, number), with_speeds("b", 1 if slow else 0, 9 + number)) for number in (0, 1)
        ]
        first, second = (as_one([RunResult(each, each.results[side]) for each in runs]) for side in (0, 1))
        return compare_times(first, second).process_luck

    assert over_runs(3)
    assert not over_runs(0)


def test_earlier_runs_say_nothing_about_a_much_shorter_one() -> None:
    new, old, *earlier = repeats(run(result("keras", "tensorflow", 1.0)), count=12)
    cut_short = msgspec.structs.replace(new.results[0], trials=new.results[0].trials[:12])
    short = msgspec.structs.replace(new, results=[cut_short], complete=False)
    found = compare([old, short], earlier=earlier).rows[1]
    assert found.verdict is Verdict.UNDECIDED
