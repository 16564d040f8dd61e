"""What ``profile`` prints in a terminal: the answers, the slowest operators, and notes."""

from collections.abc import Sequence
from dataclasses import replace

from edge_bench.app.tables.answer.layout import full_table, laid_out
from edge_bench.app.tables.profiles.comparison import pairs_of, sentences_of
from edge_bench.app.tables.profiles.sentences import profile_sentences
from edge_bench.app.tables.profiles.table import Failures, profile_tables
from edge_bench.bench.records.profile import Profile
from edge_bench.bench.records.run import Run
from edge_bench.bench.system.machine import Finding

__all__ = ["profile_lines", "profile_text", "profiles_of"]


def profiles_of(run: Run) -> list[Profile]:
    """Return the profiles of a Run, in the order of its configurations."""
    return [result.profile for result in run.results if result.profile is not None]


def profile_lines(profiles: Sequence[Profile]) -> list[str]:
    """Return what explains the differences of several profiles, then the sentences of each profile."""
    return [*sentences_of(pairs_of(profiles)), *profile_sentences(profiles)]


def profile_text(
    profiles: Sequence[Profile],
    failures: Failures,
    findings: Sequence[Finding],
    width: int,
    *,
    wide: bool = False,
    why: bool = False,
    limit: bool = True,
) -> str:
    """Return the text for a terminal of ``width`` characters; ``wide`` shows all operators and columns."""
    pairs = pairs_of(profiles)
    # the table's first note is the first line of the text
    side_by_side = [replace(pair.table, notes=pair.sentences[1:]) for pair in pairs[:1]]
    tables = [*side_by_side, *profile_tables(profiles, failures, findings, wide=wide)]
    bound = width if limit else None
    return laid_out(
        profile_lines(profiles), lambda: [full_table(table, bound) for table in tables], list, tables, bound,
        wide=wide, why=True,
    )  # fmt: skip
