"""The pairs of profiles in Runs that are worth comparing."""

from collections.abc import Sequence
from typing import NamedTuple

from edge_bench.bench.records.profile import Profile
from edge_bench.bench.records.run import Configuration, Run

__all__ = ["Profiled", "profile_pairs", "profiled"]


class Profiled(NamedTuple):
    """The profile of a configuration of a Run."""

    run: Run
    configuration: Configuration
    profile: Profile

    @property
    def seconds(self) -> float:
        """Seconds per example."""
        return self.profile.invocation_seconds / self.profile.batch_size


def profiled(runs: Sequence[Run]) -> list[Profiled]:
    """Return all profiles with operators, in the order of the Runs. Times of emulated machines are not valid."""
    return [
        Profiled(run, result.configuration, result.profile)
        for run in runs
        for result in run.results
        if result.profile is not None and result.profile.operators and not result.profile.emulated
    ]


def profile_pairs(runs: Sequence[Run], baseline: Configuration | None = None) -> list[tuple[Profiled, Profiled]]:
    """Return pairs to compare; empty with fewer than two profiles.

    Configurations that were profiled in several Runs are compared with themselves in the first of these Runs. Without
    any, all profiles are compared with that of the baseline, or with the first one, the fastest ones first.
    """
    found = profiled(runs)
    first: dict[Configuration, Profiled] = {}
    repeated = list[tuple[Profiled, Profiled]]()
    for each in found:
        known = first.setdefault(each.configuration, each)
        if known.run is not each.run:
            repeated.append((known, each))
    if repeated or not found:
        return repeated
    reference = next((each for each in found if each.configuration == baseline), found[0])
    others = sorted((each for each in found if each is not reference), key=lambda each: each.seconds)
    return [(reference, other) for other in others]
