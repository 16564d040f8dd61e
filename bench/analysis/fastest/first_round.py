"""The configurations of the first round of --find-fastest, and which of them are slower than another."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from edge_bench.bench.analysis.times.timings import RunResult, common_estimator, per_image, seconds_of
from edge_bench.bench.records.run import Run
from edge_bench.bench.stats.comparisons.fastest import slower_despite_noise
from edge_bench.bench.stats.comparisons.process_ratio import process_ratio
from edge_bench.bench.stats.intervals import Values
from edge_bench.bench.stats.ratios import Ratio

__all__ = ["Candidate", "as_first_round", "candidates_of", "not_slower_than", "ratios_to"]


class Candidate(NamedTuple):
    """A configuration that has not failed, by its position in ``Run.results``, with its times in the first round."""

    number: int
    seconds: list[Values]  # per image, one array [trials] per process

    @property
    def level(self) -> float:
        """Mean of the processes' mean log times, which `process_ratio` compares."""
        return float(np.mean([np.log(each).mean() for each in self.seconds]))


def as_first_round(run: Run) -> Run:
    """Return the Run as if its first round were all that was measured."""
    results = [msgspec.structs.replace(each, trials=each.first_round, first_round=[]) for each in run.results]
    return msgspec.structs.replace(run, results=results)


def candidates_of(run: Run) -> list[Candidate]:
    """Return the configurations of the first round that have not failed, the fastest first."""
    brief = as_first_round(run)
    items = {number: RunResult(brief, result) for number, result in enumerate(brief.results) if result.trials}
    estimator = common_estimator(list(items.values()))
    found = [
        Candidate(number, per_image(seconds_of(item, estimator), item.images))
        for number, item in items.items()
        if item.result.failure is None
    ]
    return sorted(found, key=lambda each: each.level)


def ratios_to(reference: Candidate, others: Sequence[Candidate]) -> list[Ratio]:
    """Return the ratios of the others' times to the reference's.

    Their errors are between processes, which are measured in groups one after another. So they include the machine's
    drift between groups.
    """
    return [process_ratio(each.seconds, reference.seconds) for each in others]


def not_slower_than(reference: Candidate, candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return the candidates that are not significantly slower than the reference, which is one of them.

    The test is that of an answer (`slower_despite_noise`), corrected for the number of all pairs.
    """
    others = [each for each in candidates if each is not reference]
    slower = slower_despite_noise(ratios_to(reference, others))
    kept = {id(each) for each, is_slower in zip(others, slower, strict=True) if not is_slower}
    return [each for each in candidates if each is reference or id(each) in kept]
