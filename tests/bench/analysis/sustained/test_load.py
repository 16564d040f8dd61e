"""Outcomes of sustained loads with known times."""

import msgspec
import pytest

from edge_bench.bench.analysis.comparison.comparison import compare
from edge_bench.bench.analysis.gate.pairing import pair_runs
from edge_bench.bench.analysis.over_time.history import history, not_in_history
from edge_bench.bench.analysis.over_time.measured import measured
from edge_bench.bench.analysis.sustained.load import Load, Outcome, loads_of
from edge_bench.bench.analysis.times.earlier_runs import EarlierRuns
from edge_bench.bench.analysis.times.timings import RunResult
from edge_bench.bench.errors import BadInput
from edge_bench.bench.records.run import Failure
from tests.factories import result, run
from tests.made.runs.sustained import DURATION_S, jump, sustained_result, sustained_run


def load_of(*arguments: object, **how: object) -> Load:
    (load,) = loads_of(sustained_run(sustained_result("int8", *arguments, **how)))  # type: ignore[arg-type]
    return load


@pytest.mark.parametrize("seed", range(10))
def test_a_load_that_slows_down_midway_has_the_right_percentage_and_moment(seed: int) -> None:
    load = load_of(jump(0.5, 1.12), seed=seed)
    assert load.outcome is Outcome.SLOWER
    assert load.ratio is not None
    assert load.ratio.interval is not None
    # ten intervals of 95 % may miss the value itself now and then, but not by this much
    assert load.ratio.interval.low - 0.002 < 1.12 < load.ratio.interval.high + 0.002
    assert load.changed_after_s == pytest.approx(DURATION_S / 2, abs=11)
    assert load.start_ms == pytest.approx(0.03, rel=0.01)
    assert load.end_ms == pytest.approx(0.0336, rel=0.01)
    assert load.at_start.temperature_c == 45
    assert load.at_change is not None
    assert (load.at_change.temperature_c, load.at_change.clock_mhz) == pytest.approx((55, 1607), abs=1)
    assert load.highest_c == pytest.approx(65, abs=0.2)


@pytest.mark.parametrize("seed", range(10))
def test_a_steady_load_is_steady(seed: int) -> None:
    load = load_of(seed=seed)
    assert (load.outcome, load.changed_after_s, load.at_change) == (Outcome.STEADY, None, None)
    assert load.ratio is not None
    assert load.ratio.interval is not None
    assert 0.98 < load.ratio.interval.low < load.ratio.interval.high < 1.02


def test_one_bin_per_minute_or_ten_of_a_short_load() -> None:
    load = load_of(jump(0.5, 2.0), noise=0)
    assert [each.start_s for each in load.bins] == [60.0 * minute for minute in range(30)]
    assert [round(each.image_ms or 0, 3) for each in load.bins] == [0.03] * 15 + [0.06] * 15
    assert [each.clock_mhz for each in load.bins] == [1800] * 15 + [900] * 15
    assert [each.throttled for each in load.bins] == [False] * 15 + [True] * 15
    assert sum(each.trials for each in load.bins) == len(sustained_result("int8", jump(0.5, 2.0), noise=0).trials)
    short = sustained_run(sustained_result("int8", seconds=60), duration_s=60)
    assert [each.start_s for each in loads_of(short)[0].bins] == [6.0 * number for number in range(10)]


def test_what_is_slower_only_between_start_and_end_is_not_steady() -> None:
    load = load_of(jump(0.1, 1.2, until=0.4))
    assert load.outcome is Outcome.UNDECIDED
    assert "20 %" in load.reason
    assert load_of(jump(0.1, 1.2, until=0.12)).outcome is Outcome.STEADY  # a few trials


def test_faster_and_undecided() -> None:
    assert load_of(jump(0.5, 0.8)).outcome is Outcome.FASTER
    assert load_of(jump(0.5, 1.02)).outcome is Outcome.UNDECIDED
    assert load_of(noise=0.2).outcome is Outcome.UNDECIDED


def test_an_interrupted_or_failed_load_has_no_verdict() -> None:
    half = sustained_result("int8", jump(0.2, 1.5), seconds=DURATION_S * 0.9)
    (load,) = loads_of(sustained_run(half, complete=False))
    assert (load.outcome, load.reason, len(load.bins)) == (Outcome.UNFINISHED, "interrupted", 27)
    failed = msgspec.structs.replace(sustained_result("int8"), failure=Failure(kind="crashed", message="SIGSEGV"))
    (load,) = loads_of(sustained_run(failed))
    assert (load.outcome, load.reason) == (Outcome.UNFINISHED, "crashed")


def test_an_ordinary_run_has_no_loads() -> None:
    assert loads_of(run(result("int8", "litert", 1.0))) == []


def test_loads_are_in_no_comparison_no_gate_and_no_series() -> None:
    load, ordinary = sustained_run(sustained_result("int8")), run(result("int8", "litert", 0.003))
    with pytest.raises(BadInput, match="--duration"):
        compare([ordinary, load])
    with pytest.raises(BadInput, match="--duration"):
        pair_runs([ordinary], [load])
    (series,) = history([ordinary, load])
    assert [point.run_id for point in series.points] == [ordinary.run_id]
    (note,) = not_in_history(list(map(measured, [ordinary, load])))
    assert load.run_id[:8] in note
    other = run(result("int8", "litert", 0.003))
    side = [RunResult(ordinary, ordinary.results[0])]
    assert len(EarlierRuns([load, other]).levels(side, typical=False)) == 1


def test_a_hostile_run_is_analysed() -> None:
    made = sustained_result("int8", seconds=60)
    moments = (1 << 62, 0, 7, 1 << 40)
    trials = [
        msgspec.structs.replace(trial, began_ns=began) for trial, began in zip(made.trials, moments, strict=False)
    ]
    for duration in (1e-3, 60, 30 * 24 * 3600):
        (load,) = loads_of(sustained_run(msgspec.structs.replace(made, trials=trials), duration_s=duration))
        assert sum(each.trials for each in load.bins) == len(trials)
        assert load.start_ms > 0
