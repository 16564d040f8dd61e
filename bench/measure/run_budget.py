"""The budget of a command that measures: ``--budget``, or the default of an image for slow devices."""

import os
from collections.abc import Collection
from pathlib import Path

from edge_bench.bench.measure.duration.budget import CHOSEN
from edge_bench.bench.measure.duration.fitting import Budget
from edge_bench.bench.measure.options.values import duration
from edge_bench.bench.measure.stored.earlier_choice import EarlierChoice
from edge_bench.bench.records.run import Settings

__all__ = ["DEFAULT_BUDGET", "run_budget"]

#: Budget of a run without --budget and --limit; set in the edge image.
DEFAULT_BUDGET = "EDGE_BENCH_DEFAULT_BUDGET"


def run_budget(
    budget: str | float | None,
    settings: Settings,
    stated: Collection[str],
    results: Path,
    *,
    once: bool,
    resume: bool,
    explicit_options: Collection[str] | None,
    runs: int = 1,
) -> Budget | None:
    """Return the budget of a run; None without one.

    ``stated`` names the options that the user set, ``explicit_options`` those that an earlier Run must share. Raise
    BadInput if the option or the environment variable is not a duration.
    """
    if settings.sustained is not None:
        return None  # its duration is stated
    seconds = duration(budget, "--budget")
    if seconds is None and settings.limit is None:
        seconds = duration(os.environ.get(DEFAULT_BUDGET), DEFAULT_BUDGET)
    if seconds is None:
        return None
    kept = frozenset(stated) & frozenset(CHOSEN)
    earlier = EarlierChoice(results, kept, explicit_options, once=once, resume=resume, repeated=runs > 1)
    return Budget(seconds, kept, runs, earlier)
