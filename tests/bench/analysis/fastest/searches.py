"""Runs with two rounds, as `run --find-fastest` makes them, with known times."""

from collections.abc import Mapping

import msgspec

from edge_bench.bench.records.run import FirstRound, Run, Settings
from tests.factories import result, run

__all__ = ["searched_run"]


def searched_run(
    first: Mapping[str, float],
    second: Mapping[str, float] | None = None,
    wrong: Mapping[str, int] | None = None,
    finalists: int = 8,
    noise: float = 0.002,
) -> Run:
    """Return a Run of variants on LiteRT with these seconds per pass, without a second round if there is none.

    ``wrong`` are images of 100 that a variant gets wrong.
    """
    results, later = [], second or {}
    for name, seconds in first.items():
        brief = result(name, "litert", seconds, (wrong or {}).get(name, 5), noise=noise).trials
        trials = result(f"{name} again", "litert", later[name], noise=noise).trials if name in later else []
        made = result(name, "litert", seconds, (wrong or {}).get(name, 5))
        three = [each for each in brief if each.process < 3 and each.round < 2]
        results.append(msgspec.structs.replace(made, trials=trials, first_round=three))
    numbers = None if second is None else [number for number, name in enumerate(first) if name in later]
    settings = Settings(first_round=FirstRound(finalists=finalists))
    return msgspec.structs.replace(run(*results), settings=settings, finalists=numbers, trusted=True)
