"""Load from other programs, whose energy a meter counts, too."""

from collections.abc import Sequence

from edge_bench.bench.records.power import MeteredPower
from edge_bench.bench.records.run import Result, Trial

__all__ = ["idle_load", "load_share", "load_shares"]

#: Share of processor time in trials from which the energy is called not reliable.
_MAX_SHARE = 0.05
#: Cores that other programs use while the idle power is measured, from which it is called not reliable.
_MAX_IDLE_CORES = 0.1
#: /proc/stat counts in ticks of 10 ms; the error of the difference of two readings is up to two ticks.
_TICKS_NS = 20_000_000


def load_share(result: Result) -> float:
    """Return the share of the processor time of other programs in the trials with readings of a meter; 0 if unknown.

    The error of the kernel's ticks is subtracted, so the true share is at least this large.
    """
    trials = [trial for trial in result.trials if trial.power_w is not None and trial.cpu_ns]
    others = sum(max(0, _others_ns(trial) - _TICKS_NS) for trial in trials)
    own = sum(trial.cpu_ns or 0 for trial in trials)
    return others / (others + own) if others + own else 0.0


def _others_ns(trial: Trial) -> int:
    """Return the CPU time of other programs on all cores, since a meter counts also those that are not measured."""
    return (trial.other_cpu_ns or 0) + (trial.other_cores_cpu_ns or 0)


def load_shares(results: Sequence[Result]) -> list[float]:
    """Return the shares of the results whose energy is not reliable because of other programs."""
    return [share for result in results if (share := load_share(result)) > _MAX_SHARE]


def idle_load(power: MeteredPower) -> float | None:
    """Return the cores that other programs used while the idle power was measured; None if hardly any, or unknown."""
    if power.idle_other_cpu_ns is None or not power.idle_seconds:
        return None
    cores = (power.idle_other_cpu_ns - _TICKS_NS) / 1e9 / power.idle_seconds
    return cores if cores > _MAX_IDLE_CORES else None
