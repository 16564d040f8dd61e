"""A result with the Run it is from, and how its times relate to another's."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from bench.results import Result, Run
from bench.stats import Ratio, paired_ratio, unpaired_ratio

__all__ = ["Measured", "ratio_of_rounds", "seconds_an_image", "time_ratio"]


class Measured(NamedTuple):
    """A result and the Run it is from."""

    run: Run
    result: Result

    @property
    def images(self) -> int:
        """How many images a pass had."""
        return self.run.images_a_pass


def time_ratio(item: Measured, base: Measured) -> tuple[Ratio | None, str]:
    """How many times the baseline's time an image takes; paired where both ran interleaved in one run."""
    if item.result is base.result:
        return None, "baseline"
    if item.run.emulated or base.run.emulated:
        return None, "EMULATED: no verdict on time"
    if item.run is base.run:
        ratio = ratio_of_rounds(item.result.by_process(), base.result.by_process())
        return ratio, "" if ratio else "no round in which both were measured"
    return unpaired_ratio(seconds_an_image(item), seconds_an_image(base)), ""


def ratio_of_rounds(
    first: Mapping[int, Mapping[int, float]], second: Mapping[int, Mapping[int, float]]
) -> Ratio | None:
    """How many times as long as ``second`` the ``first`` takes; each is ``{process: {round: seconds}}``.

    From the rounds that both have, paired; None where there is none.
    """
    both = first.keys() & second.keys()
    shared = {process: sorted(first[process].keys() & second[process].keys()) for process in both}
    pairs = [(process, rounds) for process, rounds in sorted(shared.items()) if rounds]
    if not pairs:
        return None
    return paired_ratio(
        [np.array([first[process][number] for number in rounds]) for process, rounds in pairs],
        [np.array([second[process][number] for number in rounds]) for process, rounds in pairs],
    )


def seconds_an_image(item: Measured) -> list[npt.NDArray[np.float64]]:
    """One array a process."""
    return [np.array(list(rounds.values())) / item.images for _, rounds in sorted(item.result.by_process().items())]
