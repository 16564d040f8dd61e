"""Outputs of some examples, used to decide how outputs are read."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy.typing as npt

from edge_bench.bench.dataset.graph_examples import GraphExamples
from edge_bench.bench.records.manifest import Variant
from edge_bench.bench.records.outputs.decoding import BoxDecoding
from edge_bench.bench.tasks.detection.boxes import Boxes

__all__ = ["MOST_SAMPLED", "MOST_TESTED", "Outputs", "Sampler", "SamplerFactory"]

#: Number of examples whose outputs are inspected, and of labelled images for testing interpretations.
MOST_SAMPLED, MOST_TESTED = 8, 100
Outputs = list[npt.NDArray[Any]]


class Sampler(Protocol):
    """A model that is loaded when its outputs are first requested. Positions are those of the examples."""

    def sample(self, positions: Sequence[int]) -> list[Outputs]:
        """Return all outputs of each example, in the model's order; of as many examples as fit in the worker's reply.

        Raise BadInput if no runtime can load or run the model.
        """

    def boxes(self, decoding: BoxDecoding, positions: Sequence[int]) -> list[Boxes]:
        """Return the boxes of each example, in pixels of its image; raise BadInput as `sample`."""

    def close(self) -> None:
        """End the worker."""


#: Return a sampler of a model with these examples.
SamplerFactory = Callable[[Variant, GraphExamples], Sampler]
