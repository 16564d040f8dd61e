"""Profiles of compared Runs: which explain what, and their names."""

from collections.abc import Sequence
from dataclasses import dataclass

from edge_bench.app.render.table import Table
from edge_bench.app.tables.answer.names import Sides
from edge_bench.app.tables.profiles.difference import difference_sentences, difference_table, profile_names
from edge_bench.bench.analysis.comparison.comparison import Comparison
from edge_bench.bench.analysis.profiles.difference import ProfileDifference, profile_difference
from edge_bench.bench.analysis.profiles.pairs import profile_pairs
from edge_bench.bench.records.profile import Profile
from edge_bench.bench.records.run import Run

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


def explained_pairs(runs: Sequence[Run], comparison: Comparison | None) -> list[ExplainedPair]:
    """Return the pairs of profiles in these Runs, the most interesting first; empty with fewer than two profiles."""
    sides = Sides(comparison.rows) if comparison else None
    known = {row.run_id for row in comparison.rows} if comparison else set()
    found = []
    for first, second in profile_pairs(runs, comparison.baseline if comparison else None):
        places = [
            sides.name(each.run.run_id) if sides and each.run.run_id in known else each.run.machine.hostname
            for each in (first, second)
        ]
        profiles = [first.profile, second.profile]
        found.append(ExplainedPair(profile_names(profiles, places), profile_difference(*profiles)))
    return found


def pairs_of(profiles: Sequence[Profile]) -> list[ExplainedPair]:
    """Return the first profile beside each other one, the fastest ones first."""
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


def explained_sentences(runs: Sequence[Run], comparison: Comparison | None) -> list[str]:
    """Return the sentence of each pair, at most three."""
    return sentences_of(explained_pairs(runs, comparison))


def explained_tables(runs: Sequence[Run], comparison: Comparison | None) -> list[Table]:
    """Return the side-by-side table of each pair."""
    return [pair.table for pair in explained_pairs(runs, comparison)]
