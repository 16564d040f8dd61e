"""Raw outputs of both sides, and their comparison."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_bench.bench.offload.records.offload import OutputComparison, OutputDifference
from edge_bench.bench.records.manifest import TensorSpec
from edge_bench.bench.tasks.tensors.differences import Sums, difference_of, real_values, sums_of
from edge_bench.bench.worker.graphs.messages import RawOutputs, Sample, Sampled
from edge_bench.bench.worker.graphs.tensor_data import as_bytes

__all__ = ["compare_outputs", "sampled"]

_EXAMPLES_AT_ONCE = 32
Specs = Sequence[TensorSpec]
#: Requests the outputs of some examples from a side; None if it failed.
Ask = Callable[[Sample], Sampled | None]


def sampled(request: Sample, outputs_of: Callable[[int], Sequence[npt.NDArray[Any]]]) -> Sampled:
    """Return the outputs of at least the first position, and of as many as fit in the limit of bytes."""
    examples, left = list[list[RawOutputs]](), request.most_bytes
    for position in request.positions:
        outputs = outputs_of(position)
        left -= sum(each.nbytes for each in outputs)
        if left < 0 and examples:
            break
        examples.append(
            [RawOutputs(dtype=each.dtype.name, shape=list(each.shape), data=as_bytes(each)) for each in outputs]
        )
    return Sampled(outputs=examples)


@dataclass
class _Pair:
    """An output here and its partner there."""

    here: int  # index among the outputs of this side
    there: int
    specs: tuple[TensorSpec, TensorSpec]
    identical: int = 0
    other_shapes: int = 0
    parts: list[Sums] = field(default_factory=list)

    def add(self, first: RawOutputs, second: RawOutputs) -> bool:
        """Add an example; return whether both outputs are identical."""
        if first.shape != second.shape:
            self.other_shapes += 1
            return False
        values = [
            real_values(np.frombuffer(raw.data, np.dtype(raw.dtype).newbyteorder("<")).astype(raw.dtype), spec)
            for raw, spec in zip((first, second), self.specs, strict=True)
        ]
        self.parts.append(sums_of(*values))
        identical = (first.dtype, first.data) == (second.dtype, second.data)
        self.identical += identical
        return identical

    def result(self) -> OutputDifference:
        here, there = self.specs
        same_kind = (here.dtype, here.scale, here.zero_point) == (there.dtype, there.scale, there.zero_point)
        return OutputDifference(
            name=here.name,
            other_name=there.name,
            identical=self.identical if same_kind else None,
            other_shapes=self.other_shapes,
            difference=difference_of(self.parts),
        )


def compare_outputs(
    ask_here: Ask, ask_there: Ask, specs: tuple[Specs, Specs], examples: int
) -> OutputComparison | None:
    """Compare all outputs of this number of examples here and there; return None if a side failed.

    Outputs with the same names are paired by name, otherwise by order. Raise ValueError if one side has more outputs.
    """
    pairs, by_name = _pairs(*specs)
    identical = position = 0
    while position < examples:
        request = Sample(positions=list(range(position, min(position + _EXAMPLES_AT_ONCE, examples))))
        here, there = ask_here(request), ask_there(request)
        if here is None or there is None:
            return None
        count = min(len(here.outputs), len(there.outputs))
        if not 0 < count <= len(request.positions):
            raise ValueError(f"outputs of {count:,} examples instead of {len(request.positions):,}")
        for first, second in zip(here.outputs[:count], there.outputs[:count], strict=True):
            same = [pair.add(first[pair.here], second[pair.there]) for pair in pairs]
            identical += all(same)
        position += count
    return OutputComparison(
        examples=examples, identical=identical, by_name=by_name, outputs=[pair.result() for pair in pairs]
    )


def _pairs(here: Specs, there: Specs) -> tuple[list[_Pair], bool]:
    if len(here) != len(there):
        raise ValueError(f"the model has {len(here)} outputs locally, but {len(there)} on the server")
    names, others = ([spec.name for spec in side] for side in (here, there))
    by_name = len(set(names)) == len(names) and sorted(names) == sorted(others)
    partners = [others.index(name) for name in names] if by_name else list(range(len(names)))
    return [_Pair(at, partner, (here[at], there[partner])) for at, partner in enumerate(partners)], by_name
