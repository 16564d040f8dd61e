"""Whether the times of an Offload are reliable, and why not."""

from edge_bench.bench.analysis.times.reliability import SPREAD, Reason
from edge_bench.bench.offload.records.offload import Arm, Offload
from edge_bench.bench.stats.intervals import UNSTABLE, relative_deviation

__all__ = ["is_trusted", "is_unstable", "reasons_of"]


def is_unstable(arm: Arm) -> bool:
    """Return whether the trials of a configuration have a standard deviation of 10 % or more of their mean.

    Of their median latency, or with several requests in flight of their time per image.
    """
    table = arm.by_process("p50" if arm.in_flight == 1 else "an image")
    seconds = [value for rounds in table.values() for value in rounds.values()]
    return bool(seconds) and (relative_deviation(seconds) or 0) >= UNSTABLE


def is_trusted(offload: Offload) -> bool:
    """Return whether times are reliable: all were measured, and nothing disturbed them or made them vary."""
    return not reasons_of(offload)


def reasons_of(offload: Offload) -> list[Reason]:
    """Return why times are not reliable; causes come before the spread of times that they explain."""
    reasons = [] if offload.complete else [Reason(what="it was interrupted", remedy="measure again")]
    reasons += [Reason(what=each.what, remedy=each.remedy) for each in offload.findings if each.spoils]
    measured = [arm for arm in offload.arms if arm.trials]
    unstable = [arm for arm in measured if is_unstable(arm)]
    if unstable and not offload.emulated:
        reasons.append(
            Reason(
                what=f"the times of {len(unstable)} of {len(measured)} configurations {SPREAD}",
                remedy="stop other programs and transfers; more --trials narrow the interval",
                spread=True,
            )
        )
    return reasons
