"""The question about one model's interpretation, and how the model predicts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from edge_bench.bench.interpretation.candidates import Candidate, Candidates
from edge_bench.bench.interpretation.label_maps import LabelMaps

__all__ = ["Labels", "Predictor", "Question", "TrueLabels"]

Labels = npt.NDArray[np.int64]


class Predictor(Protocol):
    """A model that predicts labels under a candidate preprocessing."""

    runtime: str

    def predict(self, candidate: Candidate, positions: Labels) -> Labels:
        """Return the output predicted for each image at ``positions``; negative without finite scores.

        Raise CannotPredict if no runtime can load or run the model.
        """


@dataclass(frozen=True)
class TrueLabels:
    """Labels of the images, int64 [images], as in the data, and the outputs that they may stand for."""

    values: Labels
    maps: LabelMaps
    classes: Sequence[str]


@dataclass(frozen=True)
class Question:
    """The open question about one model."""

    model: str
    about: str  # the model's name for records; empty if there is only one model
    outputs: int
    candidates: Candidates
    truth: TrueLabels | None
    rare: Callable[[Candidate], Sequence[Candidate]] = lambda _: ()  # preprocessings that only refute others
    assume: bool = False
