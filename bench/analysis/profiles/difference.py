"""The operators that explain why one profile is faster than another."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from edge_bench.bench.analysis.profiles.matching import Pair, matched
from edge_bench.bench.records.profile import OperatorTime, Profile
from edge_bench.bench.stats.ratios import MATERIAL

__all__ = ["Contribution", "ProfileDifference", "profile_difference"]

#: An operator is named if it explains at least this share of the difference.
_LEAST_SHARE = 0.1


@dataclass(frozen=True)
class Contribution:
    """What a pair of operators contributes to the difference, in seconds per example."""

    first: OperatorTime | None  # None: only the second profile has it
    second: OperatorTime | None
    seconds: float  # time of the first minus time of the second
    share: float | None  # of the whole difference; negative: the other way; None: the profiles do not differ
    beyond_spread: bool  # whether the quartiles of the two do not overlap, and the profiler resolves the difference

    @property
    def operator(self) -> OperatorTime:
        """The operator that gives the pair its name: that of the first profile, if it has one."""
        known = self.first or self.second
        if known is None:
            raise ValueError("a pair of nothing")
        return known


@dataclass(frozen=True)
class ProfileDifference:
    """The comparison of two profiles. Times are seconds per example, as batch sizes may differ."""

    first: Profile
    second: Profile
    contributions: Sequence[Contribution]  # in the order of execution

    @property
    def first_seconds(self) -> float:
        """Time of the first profile without the profiler."""
        return _whole(self.first)

    @property
    def second_seconds(self) -> float:
        """Time of the second profile without the profiler."""
        return _whole(self.second)

    @cached_property
    def differs(self) -> bool:
        """Whether the times differ by 2 % or more, and the sums of the operators by more than they vary."""
        low, high = (self.first, self.second) if self.first_seconds < self.second_seconds else (self.second, self.first)
        return _whole(high) > (1 + MATERIAL) * _whole(low) and _sum(low, "upper_seconds") < _sum(high, "lower_seconds")

    @property
    def outside_share(self) -> float | None:
        """Share of the difference that is outside all operators, such as copies; None if the profiles do not differ."""
        shares = [each.share for each in self.contributions if each.share is not None]
        return 1 - sum(shares) if self.differs and shares else None

    @cached_property
    def named(self) -> list[Contribution]:
        """The operators that explain most of the difference, the largest share first."""
        if not self.differs:
            return []
        found = [each for each in self.contributions if each.beyond_spread and (each.share or 0) >= _LEAST_SHARE]
        return sorted(found, key=lambda each: -(each.share or 0))

    @cached_property
    def opposed(self) -> list[Contribution]:
        """The operators that reduce the difference, the largest share first."""
        if not self.differs:
            return []
        found = [each for each in self.contributions if each.beyond_spread and (each.share or 0) <= -_LEAST_SHARE]
        return sorted(found, key=lambda each: each.share or 0)

    @property
    def unmatched(self) -> list[Contribution]:
        """The operators that only one of the profiles has."""
        return [each for each in self.contributions if each.first is None or each.second is None]


def profile_difference(first: Profile, second: Profile) -> ProfileDifference:
    """Compare two profiles of any models and runtimes."""
    pairs = matched(first.operators, second.operators)
    whole = _whole(first) - _whole(second)
    differs = ProfileDifference(first, second, []).differs
    return ProfileDifference(
        first, second, [_contribution(pair, first, second, whole if differs else 0.0) for pair in pairs]
    )


def _contribution(pair: Pair, first: Profile, second: Profile, whole: float) -> Contribution:
    batches = first.batch_size, second.batch_size
    mine, other = (_times(each, batch) for each, batch in zip(pair, batches, strict=True))
    seconds = mine[1] - other[1]
    unresolved = max(_per_example(each, each.resolution_seconds) for each in (first, second))
    return Contribution(
        first=pair[0],
        second=pair[1],
        seconds=seconds,
        share=seconds / whole if whole else None,
        beyond_spread=(mine[0] > other[2] or other[0] > mine[2]) and abs(seconds) > unresolved,
    )


def _times(operator: OperatorTime | None, batch: int) -> tuple[float, float, float]:
    """Return lower quartile, time and upper quartile in seconds per example; zeros for no operator."""
    if operator is None:
        return 0.0, 0.0, 0.0
    return operator.lower_seconds / batch, operator.seconds / batch, operator.upper_seconds / batch


def _whole(profile: Profile) -> float:
    """Return the duration of an invocation without the profiler, in seconds per example."""
    return _per_example(profile, profile.invocation_seconds)


def _sum(profile: Profile, name: str) -> float:
    return _per_example(profile, sum(getattr(operator, name) for operator in profile.operators))


def _per_example(profile: Profile, seconds: float) -> float:
    return seconds / profile.batch_size
