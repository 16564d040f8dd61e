"""Studies of verdicts between separate Runs and of slow tails, on Runs of known numbers."""

import msgspec
import numpy as np
import pytest

from edge_bench.bench.io.record_codec import pack, unpack
from edge_bench.bench.records.run import Result, Run
from studies.calibration import between_runs, slow_tails
from tests.factories import repeats, result, run


def with_latencies(variant: str, seconds: float, seed: int) -> Result:
    generator = np.random.default_rng(seed)
    trials = []
    for trial in result(variant, "litert", seconds).trials:
        each = (seconds / 100 * 1e9 * generator.normal(1, 0.005, 100)).astype(np.int64)
        trials.append(msgspec.structs.replace(trial, elapsed_ns=int(each.sum()), latencies=pack(each)))
    return msgspec.structs.replace(result(variant, "litert", seconds), trials=trials)


@pytest.fixture(scope="module")
def runs() -> list[Run]:
    whole = run(*(with_latencies(name, 0.1, seed) for seed, name in enumerate("abcd")))
    return repeats(whole, count=4, variation=0.001)


def test_an_injection_makes_the_stated_share_of_invocations_slower(runs: list[Run]) -> None:
    before = runs[0].results[0]
    after = slow_tails.with_slow_invocations(before, 0.3, 1.33, np.random.default_rng(0))
    ratios = np.concatenate(
        [unpack(new.latencies) / unpack(old.latencies) for new, old in zip(after.trials, before.trials, strict=True)]
    )
    assert np.mean(ratios > 1.2) == pytest.approx(0.3, abs=0.03)
    assert after.pass_seconds().sum() / before.pass_seconds().sum() == pytest.approx(1.1, abs=0.01)


def test_injected_tails_are_reported_and_plain_runs_have_none(runs: list[Run]) -> None:
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in slow_tails.table(runs, runs).splitlines()[2:]]
    reported = [(int(number), int(count)) for _, number, count, *_ in cells]
    assert reported[:2] == [(8, 0), (12, 0)]
    assert all(count >= 5 for _, count in reported[2:])


def test_more_variation_from_run_to_run_is_harder_to_see_through(runs: list[Run]) -> None:
    noise = between_runs.RealNoise(runs, seed=1)
    ratios = {sd: [noise.ratio(5, sd, 1.1) for _ in range(40)] for sd in (0.0025, 0.03)}
    found = {sd: sum(between_runs.gate_fails(ratio, 5) for ratio in each) for sd, each in ratios.items()}
    assert found[0.0025] == 40
    assert found[0.03] < 38
    assert all(between_runs.held(noise.ratio(1, 0.0025)) for _ in range(20))
    assert "repeated" not in between_runs.real_table(runs)


def test_no_test_of_five_runs_finds_85_percent_at_the_largest_variation() -> None:
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in between_runs.power_table().splitlines()[2:]]
    assert [float(cell) for cell in rows[0]] == pytest.approx([5, 72.3, 79.0, 82.4], abs=0.1)
    assert float(rows[2][1]) > 85  # seven Runs
