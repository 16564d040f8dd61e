"""Profiles of compared Runs: which explain what, and their names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edge_bench.app.render.table import Table
from edge_bench.app.tables.profiles.difference import difference_sentences, difference_table, profile_names
from edge_bench.bench.analysis.profiles.difference import ProfileDifference, profile_difference
from edge_bench.bench.analysis.profiles.pairs import profile_pairs
from edge_bench.bench.records.profile import Profile
from edge_bench.bench.records.run import Configuration, Run

__all__ = ["ExplainedPair", "explained_pairs", "explained_sentences", "explained_tables", "pairs_of", "sentences_of"]

#: Pairs that are explained in a terminal.
_MOST_PAIRS = 3


@dataclass(frozen=True)
class ExplainedPair:
    """Two profiles with their names, and their comparison."""

    names: Sequence[str]
    difference: ProfileDifference

    @property
    def profiles(self) -> list[Profile]:
        """Both profiles."""
        return [self.difference.first, self.difference.second]

    @property
    def sentences(self) -> list[str]:
        """What explains the difference, and operators that only one of them has."""
        return difference_sentences(self.difference, self.names)

    @property
    def table(self) -> Table:
        """All operators side by side."""
        return difference_table(self.difference, self.names)


def explained_pairs(
    runs: Sequence[Run], baseline: Configuration | None, places: Mapping[str, str]
) -> list[ExplainedPair]:
    """Return the pairs of profiles in these Runs, the most interesting first; empty with fewer than two profiles.

    places: short names of the Runs by their id
    """
    found = []
    for pair in profile_pairs(runs, baseline):
        profiles = [each.profile for each in pair]
        where = [places.get(each.run.run_id, each.run.machine.hostname) for each in pair]
        found.append(ExplainedPair(profile_names(profiles, where), profile_difference(*profiles)))
    return found


def pairs_of(profiles: Sequence[Profile]) -> list[ExplainedPair]:
    """Return the first profile beside each other one, the fastest ones first; none of emulated machines."""
    profiles = [profile for profile in profiles if not profile.emulated]
    names = list(zip(profiles, profile_names(profiles), strict=True))
    others = sorted(names[1:], key=lambda each: each[0].invocation_seconds / each[0].batch_size)
    return [
        ExplainedPair([name for _, name in (names[0], other)], profile_difference(profiles[0], other[0]))
        for other in others
    ]


def sentences_of(pairs: Sequence[ExplainedPair]) -> list[str]:
    """Return the sentence of each pair, at most three."""
    lines = [pair.sentences[0] for pair in pairs[:_MOST_PAIRS]]
    return [*lines, f"and {len(pairs) - _MOST_PAIRS} more pairs of profiles"] if len(pairs) > _MOST_PAIRS else lines


def explained_sentences(runs: Sequence[Run], baseline: Configuration | None, places: Mapping[str, str]) -> list[str]:
    """Return the sentence of each pair, at most three; the arguments are those of `explained_pairs`."""
    return sentences_of(explained_pairs(runs, baseline, places))


def explained_tables(runs: Sequence[Run], baseline: Configuration | None, places: Mapping[str, str]) -> list[Table]:
    """Return the side-by-side table of each pair; the arguments are those of `explained_pairs`."""
    return [pair.table for pair in explained_pairs(runs, baseline, places)]
