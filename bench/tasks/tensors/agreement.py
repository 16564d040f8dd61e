"""Agreement of every output between two configurations."""

import math
from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.bench.io.record_codec import unpack
from edge_bench.bench.records.outputs.tensors import OutputRecord, unpack_values
from edge_bench.bench.tasks.tensors.differences import Sums, TensorDifference, difference_of, real_values, sums_of

__all__ = [
    "OutputAgreement",
    "OutputsAgreement",
    "StoredExamples",
    "identical_examples",
    "output_agreements",
    "partners",
]

Positions = npt.NDArray[np.int64]


class OutputAgreement(msgspec.Struct, frozen=True, kw_only=True):
    """Agreement of one output; differences are in real units, the first configuration's values the reference."""

    name: str
    other_name: str  # of the second configuration's output
    total_examples: int
    identical: int | None  # examples with the same bytes, by checksum; None: types or scales differ
    compared: int  # examples whose values both store, with the same shape
    sampled: int  # of these, examples of which only a sample of the values is stored: max_abs may be too small
    other_shapes: int  # examples that both store, with different shapes
    difference: TensorDifference  # of all compared examples together
    worst_example: int | None  # position in the list of common examples: most mismatched values, then highest max_abs
    worst: TensorDifference | None  # of that example alone


class OutputsAgreement(msgspec.Struct, frozen=True, kw_only=True):
    """Agreement of two configurations' outputs, which are paired by `partners`."""

    by_order: bool  # the pairs are a guess: names differ, and several outputs have the same shape
    outputs: list[OutputAgreement]


def output_agreements(
    first: Sequence[OutputRecord], second: Sequence[OutputRecord], common: Sequence[Positions] | None = None
) -> OutputsAgreement:
    """Compare all outputs of two configurations.

    common: the positions of the same examples in the first and in the second records; by default all examples. Raise
    ValueError if the numbers of outputs differ, or a record is damaged.
    """
    by_order, pairs = partners(first, second)
    return OutputsAgreement(by_order=by_order, outputs=[_agreement(one, other, common) for one, other in pairs])


def partners(
    first: Sequence[OutputRecord], second: Sequence[OutputRecord]
) -> tuple[bool, list[tuple[OutputRecord, OutputRecord]]]:
    """Return whether several outputs are paired by their order, and the pairs.

    Outputs are paired by name. If not all names are the same, they are paired by shape. If some shapes are the same,
    they are paired by order, which may be wrong, because converters and runtimes order outputs differently. Raise
    ValueError if the numbers of outputs differ.
    """
    if len(first) != len(second):
        raise ValueError(f"the first has {len(first)} outputs, the second {len(second)}")
    for key in (_name, _shapes):
        ours, theirs = ([key(output) for output in side] for side in (first, second))
        if len(set(ours)) == len(ours) and sorted(ours) == sorted(theirs):
            return False, [(output, second[theirs.index(each)]) for output, each in zip(first, ours, strict=True)]
    return len(first) > 1, list(zip(first, second, strict=True))


def _name(output: OutputRecord) -> str:
    return output.name


def _shapes(output: OutputRecord) -> str:
    return str(sorted(output.shapes))


def _agreement(first: OutputRecord, second: OutputRecord, common: Sequence[Positions] | None) -> OutputAgreement:
    if common is None:
        if first.examples != second.examples:
            raise ValueError(f"the first has {first.examples:,} examples, the second {second.examples:,}")
        common = (np.arange(first.examples), np.arange(second.examples))
    ours, theirs = StoredExamples(first), StoredExamples(second)
    parts, places, sampled, other_shapes = list[Sums](), list[int](), 0, 0
    for place, (one, other) in enumerate(zip(*common, strict=True)):
        if one >= first.stored or other >= second.stored:
            continue
        if ours.shape(one) != theirs.shape(other) or ours.size(one) != theirs.size(other):
            other_shapes += 1
            continue
        parts.append(sums_of(ours.values(one), theirs.values(other)))
        places.append(place)
        sampled += ours.is_sampled(one)
    same = identical_examples(first, second, common)
    worst = max(range(len(parts)), key=lambda at: (parts[at].mismatched, parts[at].max_abs), default=None)
    return OutputAgreement(
        name=first.name,
        other_name=second.name,
        total_examples=len(common[0]),
        identical=None if same is None else int(np.count_nonzero(same)),
        compared=len(parts),
        sampled=sampled,
        other_shapes=other_shapes,
        difference=difference_of(parts),
        worst_example=None if worst is None else places[worst],
        worst=None if worst is None else difference_of([parts[worst]]),
    )


def identical_examples(
    first: OutputRecord, second: OutputRecord, common: Sequence[Positions]
) -> npt.NDArray[np.bool_] | None:
    """Return which common examples have the same bytes, by checksum; None if types or scales differ."""
    kinds = ((output.spec.dtype, output.spec.scale, output.spec.zero_point) for output in (first, second))
    if len(set(kinds)) > 1:
        return None
    sides = (unpack(output.checksums)[chosen] for output, chosen in zip((first, second), common, strict=True))
    same: npt.NDArray[np.bool_] = np.equal(*sides)
    return same


class StoredExamples:
    """The stored examples of one output."""

    def __init__(self, output: OutputRecord) -> None:
        self._output = output
        self._sizes = output.sizes()
        self._starts = np.concatenate([[0], np.cumsum(self._sizes)])
        self._values = unpack_values(output.values)
        self._numbers = unpack(output.shape_numbers)

    def shape(self, example: int) -> list[int]:
        """Return the shape of an example's output."""
        return self._output.shapes[int(self._numbers[example])]

    def size(self, example: int) -> int:
        """Return how many values of an example are stored."""
        return int(self._sizes[example])

    def is_sampled(self, example: int) -> bool:
        """Return whether only some values of an example are stored."""
        return math.prod(self.shape(example)) > self.size(example)

    def values(self, example: int) -> npt.NDArray[np.generic]:
        """Return the stored values of an example in real units."""
        stored = self._values[self._starts[example] : self._starts[example + 1]]
        return real_values(stored, self._output.spec)
