"""Joules per inference of a configuration: from a meter, or from the power that the user states.

Energies add up, so they are means. The energy of a trial is its mean power times its duration.
"""

import math
from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.bench.analysis.energy.load import idle_load, load_shares
from edge_bench.bench.analysis.times.timings import RunResult
from edge_bench.bench.records.power import NO_ENERGY, StatedPower
from edge_bench.bench.records.run import Result, Run, Trial
from edge_bench.bench.stats.intervals import Interval, mean_half_width, mean_interval

__all__ = ["NONE", "STATED", "Energy", "Mean", "energy_of", "energy_over_runs", "source_of"]

#: Sources of energy other than a meter.
STATED, NONE = "stated", "none"


class Mean(msgspec.Struct, frozen=True):
    """A mean, and its 95 % interval; None with fewer than two values."""

    value: float
    interval: Interval | None = None


class Energy(msgspec.Struct, frozen=True, kw_only=True):
    """The energy of a configuration. Without a number, ``remark`` says why."""

    source: str  # meter · pmic · rapl · stated · none
    meter: str = ""  # what it reads, and what is not included; of a stated power, its source
    joules: Mean | None = None  # per inference
    above_idle: Mean | None = None  # the same, without what the idle machine takes in this time
    idle_w: Mean | None = None
    power_w: float | None = None  # mean during the trials
    reliable: bool | None = None  # whether a meter read hardly anything but the trials; None: not from a meter
    remark: str = ""


def source_of(run: Run) -> Energy:
    """Return where the energy of a Run is from, without numbers."""
    if isinstance(run.settings.power, StatedPower):
        return Energy(source=STATED, meter=run.settings.power.source)
    if run.power is not None:
        idle = Mean(*mean_interval(run.power.idle_w)) if run.power.idle_w else None
        return Energy(source=run.power.source, meter=run.power.meter, idle_w=idle)
    is_off = run.settings.power == NO_ENERGY
    return Energy(source=NONE, remark="--power none" if is_off else "no power meter that can be read, and no --power")


def energy_of(run: Run, result: Result) -> Energy:
    """Return the energy per inference of a result. Its interval is Student's t over the means of the processes."""
    energy = source_of(run)
    if not result.trials or run.emulated or energy.source == NONE:
        return energy
    if isinstance(run.settings.power, StatedPower):
        return _stated(energy, run.settings.power, float(_by_process(run, result.trials)[:, 1].mean()))
    trials = [trial for trial in result.trials if trial.power_w]
    if not trials:
        return msgspec.structs.replace(energy, remark=_why_no_reading(run, result))
    processes = _by_process(run, trials)
    joules, seconds = processes.mean(axis=0).tolist()
    interval = mean_interval(processes[:, 0])[1]
    others = "" if len(trials) == len(result.trials) else f"from {len(trials):,} of {len(result.trials):,} trials"
    energy = msgspec.structs.replace(
        energy,
        joules=Mean(joules, interval and Interval(max(0.0, interval.low), interval.high)),
        power_w=joules / seconds,
        reliable=not load_shares([result]) and (run.power is None or idle_load(run.power) is None),
        remark=others and f"{others}: the meter gave no valid reading in the others",
    )
    return _above_idle(energy, processes)


def energy_over_runs(results: Sequence[RunResult]) -> Energy:
    """Return the energy of a result and its repeats: the mean over the Runs, with an interval over them.

    That of one Run if only this one has an energy, or if the Runs have different sources. An estimate has no interval.
    """
    energies = [energy_of(each.run, each.result) for each in results]
    known = [each for each in energies if each.joules] or energies[:1]
    first = known[0]
    if len(known) < 2 or len({(each.source, each.meter) for each in known}) > 1:
        return first

    def mean(values: Sequence[Mean | None]) -> Mean | None:
        complete = [each.value for each in values if each]
        if len(complete) < len(known):
            return None
        centre, interval = mean_interval(complete)
        return Mean(centre, None if first.source == STATED else interval)

    return msgspec.structs.replace(
        first,
        joules=mean([each.joules for each in known]),
        above_idle=mean([each.above_idle for each in known]),
        idle_w=mean([each.idle_w for each in known]),
        power_w=sum(each.power_w or 0.0 for each in known) / len(known),
        reliable=None if first.source == STATED else all(each.reliable for each in known),
    )


def _stated(energy: Energy, power: StatedPower, seconds: float) -> Energy:
    """Return an estimate, which has no interval: nothing is known about the error of the stated power."""
    above_w = power.compute_w - power.idle_w
    return msgspec.structs.replace(
        energy,
        joules=Mean(power.compute_w * seconds),
        above_idle=Mean(above_w * seconds) if above_w > 0 else None,
        idle_w=Mean(power.idle_w),
        power_w=power.compute_w,
        remark="" if above_w > 0 else "the stated power of computing is not above that of idling",
    )


def _by_process(run: Run, trials: Sequence[Trial]) -> npt.NDArray[np.float64]:
    """Return the joules and seconds per inference of each process, shape [processes, 2]; 0 J without a meter."""
    images, totals = run.images_per_pass, dict[int, tuple[float, float, int]]()
    for trial in trials:
        joules, seconds, inferences = totals.get(trial.process, (0.0, 0.0, 0))
        elapsed = trial.elapsed_ns / 1e9
        count = trial.passes * (trial.image_positions.length if trial.image_positions else images)
        totals[trial.process] = (joules + (trial.power_w or 0.0) * elapsed, seconds + elapsed, inferences + count)
    return np.array([(joules / count, seconds / count) for joules, seconds, count in totals.values()])


def _above_idle(energy: Energy, processes: npt.NDArray[np.float64]) -> Energy:
    """Return the energy with that above idle, from the joules and seconds per inference of each process.

    Its interval adds the error of the idle power, as an independent error. It is None if it is not positive: either the
    machine was not idle when the idle power was measured, or the meter does not see the difference.
    """
    idle = energy.idle_w
    if idle is None:
        return msgspec.structs.replace(energy, remark="the meter gave no valid reading of the idle power")
    values = processes[:, 0] - idle.value * processes[:, 1]
    above, half = float(values.mean()), mean_half_width(values)
    if above <= 0:
        why = f"the power during trials ({energy.power_w:.3g} W) is not above the idle power ({idle.value:.3g} W)"
        return msgspec.structs.replace(energy, remark=why)
    if half is None or idle.interval is None:
        return msgspec.structs.replace(energy, above_idle=Mean(above))
    error = math.hypot(half, float(processes[:, 1].mean()) * (idle.interval.high - idle.interval.low) / 2)
    return msgspec.structs.replace(energy, above_idle=Mean(above, Interval(above - error, above + error)))


def _why_no_reading(run: Run, result: Result) -> str:
    typical = sum(trial.elapsed_ns for trial in result.trials) / len(result.trials) / 1e9
    least = run.power.least_trial_s if run.power else 0.0
    if typical >= least:
        return "the meter gave no valid reading"
    longer = f"EDGE_BENCH_TRIAL_SECONDS={math.ceil(15 * least) / 10:g}"
    return f"its trials take {typical:.2g} s, and this meter needs {least:.2g} s: set {longer}"
