"""Joules per inference of made Runs with known powers and times."""

from typing import Any

import msgspec
import numpy as np
import pytest

from edge_bench.bench.analysis.comparison.comparison import compare
from edge_bench.bench.analysis.energy.joules import NONE, STATED, energy_of
from edge_bench.bench.io.record_codec import pack
from edge_bench.bench.measure.energy.findings import energy_findings
from edge_bench.bench.records.power import NO_ENERGY, MeteredPower, StatedPower, stated_power
from edge_bench.bench.records.run import Result, Run, Settings
from tests.factories import group, machine, repeats, result, row, run

RAPL = MeteredPower(
    source="rapl", meter="RAPL: only the processor packages", least_trial_s=0.05, idle_w=[2.0, 2.0], idle_seconds=10.0,
    idle_other_cpu_ns=0,
)  # fmt: skip
WATTS = (4.8, 4.9, 5.0, 5.1, 5.2)  # of five processes


def powered(watts: Any = WATTS, seconds: float = 1.0, **changes: Any) -> Result:
    """Thirty trials of 100 images in five processes, each of one pass of exactly ``seconds``."""
    made = result("int8", "litert", seconds)
    trials = [
        msgspec.structs.replace(
            trial, elapsed_ns=int(1e9 * seconds), power_w=watts[trial.process], cpu_ns=10**9, other_cpu_ns=0, **changes
        )
        for trial in made.trials
    ]
    return msgspec.structs.replace(made, trials=trials)


def measured(*results: Result, power: MeteredPower | None = RAPL, **settings: Any) -> Run:
    return msgspec.structs.replace(run(*results), power=power, settings=Settings(**settings))


def test_the_energy_of_an_inference_is_power_times_time_with_an_interval_over_processes() -> None:
    energy = energy_of(measured(powered()), powered())
    assert (energy.source, energy.meter) == ("rapl", RAPL.meter)
    assert energy.power_w == pytest.approx(5.0)
    assert energy.joules is not None
    assert energy.joules.value == pytest.approx(0.05)  # 5 W for 10 ms
    assert energy.joules.interval is not None
    # Student's t of five processes: 2.776 * sd / sqrt(5), and sd is 0.158 W for 10 ms
    half = 2.776 * np.std(WATTS, ddof=1) * 0.01 / 5**0.5
    assert energy.joules.interval.high - energy.joules.value == pytest.approx(half, rel=1e-3)
    assert energy.above_idle is not None
    assert energy.above_idle.value == pytest.approx(0.03)
    assert energy.above_idle.interval is not None
    assert energy.above_idle.value - energy.above_idle.interval.low == pytest.approx(half, rel=1e-3)
    assert energy.idle_w is not None
    assert energy.idle_w.value == 2.0
    assert energy.reliable
    assert not energy.remark


def test_passes_and_drawn_images_count() -> None:
    made = powered([5.0] * 5, passes=4, image_positions=pack(np.arange(20)))
    energy = energy_of(measured(made, resample=20), made)
    assert energy.joules is not None
    assert energy.joules.value == pytest.approx(5.0 / 80)


def test_the_error_of_the_idle_power_is_in_the_interval_above_idle() -> None:
    idle = msgspec.structs.replace(RAPL, idle_w=[1.0, 2.0, 3.0])
    energy = energy_of(measured(powered([5.0] * 5), power=idle), powered([5.0] * 5))
    assert energy.joules is not None
    assert energy.joules.interval is not None
    assert energy.joules.interval.high == pytest.approx(0.05)
    assert energy.above_idle is not None
    assert energy.above_idle.interval is not None
    assert energy.above_idle.interval.high - energy.above_idle.value == pytest.approx(4.303 / 3**0.5 * 0.01, rel=1e-3)


def test_energy_above_idle_that_is_not_positive_is_refused() -> None:
    made = powered([1.9] * 5)
    energy = energy_of(measured(made), made)
    assert energy.joules is not None
    assert energy.above_idle is None
    assert "1.9" in energy.remark
    assert "idle" in energy.remark


def test_without_idle_power_only_the_total_is_known() -> None:
    energy = energy_of(measured(powered(), power=msgspec.structs.replace(RAPL, idle_w=[])), powered())
    assert energy.joules is not None
    assert energy.above_idle is energy.idle_w is None
    assert energy.remark


def test_trials_without_a_reading_do_not_count() -> None:
    made = powered([5.0] * 5)
    half = [msgspec.structs.replace(trial, power_w=None if trial.round % 2 else 5.0) for trial in made.trials]
    made = msgspec.structs.replace(made, trials=half)
    energy = energy_of(measured(made), made)
    assert energy.joules is not None
    assert energy.joules.value == pytest.approx(0.05)
    assert "15 of 30" in energy.remark
    none = powered([None] * 5, seconds=0.01)
    energy = energy_of(measured(none), none)
    assert energy.joules is None
    assert "0.01 s" in energy.remark
    assert "0.05 s" in energy.remark
    assert "EDGE_BENCH_TRIAL_SECONDS" in energy.remark


def test_a_single_process_has_no_interval() -> None:
    made = powered([5.0] * 5)
    made = msgspec.structs.replace(made, trials=made.trials[:6])
    energy = energy_of(measured(made), made)
    assert energy.joules is not None
    assert energy.joules.interval is None
    assert energy.above_idle is not None
    assert energy.above_idle.interval is None


def test_stated_power_is_an_estimate_without_an_interval() -> None:
    made = powered([9.0] * 5)
    stated = Settings(power=stated_power("idle=2W,compute=6W"))
    whole = msgspec.structs.replace(measured(made, power=None), settings=stated)
    energy = energy_of(whole, made)
    assert energy.source == STATED
    assert energy.joules is not None
    assert energy.joules.value == pytest.approx(0.06)
    assert energy.joules.interval is None
    assert energy.above_idle is not None
    assert energy.above_idle.value == pytest.approx(0.04)
    assert energy.reliable is None
    less = msgspec.structs.replace(whole, settings=Settings(power=StatedPower(idle_w=6, compute_w=2)))
    assert energy_of(less, made).above_idle is None


def test_without_a_source_there_is_no_energy() -> None:
    made = powered([None] * 5)
    assert energy_of(measured(made, power=None), made).source == NONE
    off = msgspec.structs.replace(measured(made, power=None), settings=Settings(power=NO_ENERGY))
    assert energy_of(off, made).remark == "--power none"
    emulated = msgspec.structs.replace(run(powered(), on=machine(emulated=True)), power=RAPL)
    assert energy_of(emulated, powered()).joules is None


def test_load_from_other_programs_makes_energy_unreliable() -> None:
    busy = powered(WATTS)
    trials = [msgspec.structs.replace(trial, other_cpu_ns=120_000_000) for trial in busy.trials]  # a tenth, and ticks
    busy = msgspec.structs.replace(busy, trials=trials)
    assert energy_of(measured(busy), busy).reliable is False
    elsewhere = powered(WATTS, other_cores_cpu_ns=120_000_000)  # on cores that --cpus leaves out
    assert energy_of(measured(elsewhere, cpus="0"), elsewhere).reliable is False
    assert len(energy_findings(RAPL, [busy, powered()])) == 1
    assert not energy_findings(RAPL, [powered()])
    idle = msgspec.structs.replace(RAPL, idle_other_cpu_ns=5_000_000_000)  # half a core
    assert energy_of(measured(powered(), power=idle), powered()).reliable is False
    (finding,) = energy_findings(idle, [powered()])
    assert "0.5 cores" in finding.what
    assert not finding.spoils  # times are as reliable as before


def test_a_comparison_has_the_energy_of_each_row_and_the_variation_between_repeats() -> None:
    made = powered()
    other = msgspec.structs.replace(result("keras", "tensorflow", 2.0), trials=powered([8.0] * 5, 2.0).trials)
    first = row(compare([measured(made, other)]), "int8", "litert").energy
    assert first is not None
    assert first.joules is not None
    assert first.joules.value == pytest.approx(0.05)
    runs = [
        msgspec.structs.replace(each, results=[powered([watts] * 5)])
        for each, watts in zip(group(repeats(measured(made), 3)), (4.0, 5.0, 6.0), strict=True)
    ]
    joined = row(compare(runs), "int8", "litert").energy
    assert joined is not None
    assert joined.joules is not None
    assert joined.joules.value == pytest.approx(0.05)
    assert joined.joules.interval is not None
    assert joined.joules.interval.high - 0.05 == pytest.approx(4.303 * 0.01 / 3**0.5, rel=1e-3)
    stated = Settings(power=stated_power("idle=2W,compute=6W"))
    estimate = row(compare([msgspec.structs.replace(each, power=None, settings=stated) for each in runs]), "int8",
                   "litert").energy  # fmt: skip
    assert estimate is not None
    assert estimate.joules is not None
    assert estimate.joules.interval is None
