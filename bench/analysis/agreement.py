"""On which images two results predict the same label, and what the same model says on another machine."""

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.bench.io.record_codec import unpack
from edge_bench.bench.records.run import Result, Run

__all__ = [
    "Agreement",
    "CrossMachineAgreement",
    "Flip",
    "across",
    "agreement_of",
    "common_predictions",
    "differing_pixels",
    "true_labels",
]

Labels = npt.NDArray[np.int64]


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """On how many common test images two configurations predict the same label, and on which they do not."""

    same: int
    total: int
    differing: list[int]  # indices in the bundle's test set


class Flip(msgspec.Struct, frozen=True, kw_only=True):
    """An image that the same model labels differently on two machines; labels by name."""

    image: int  # index in the bundle's test set
    truth: str
    here: str
    there: str


class CrossMachineAgreement(msgspec.Struct, frozen=True, kw_only=True):
    """One variant on one runtime, here and on the baseline's machine: the same predictions or not."""

    there: str  # the other machine
    same: int
    total: int  # images that both saw
    correct_here: int
    correct_there: int
    flips: list[Flip]


def across(run: Run, result: Result, other: Run) -> CrossMachineAgreement | None:
    """What ``other`` predicted with the same variant and runtime; None on the same machine or where it did not.

    None, too, where predictions or true labels are missing.

    Threads and batch size may differ where the other Run has no such configuration: they decide time, and labels only
    by the order of sums.
    """
    if (run.machine.hostname, run.machine.architecture) == (other.machine.hostname, other.machine.architecture):
        return None
    mine = result.configuration
    there = [
        candidate
        for candidate in other.measured
        if (candidate.configuration.variant, candidate.configuration.runtime) == (mine.variant, mine.runtime)
    ]
    if not there or not result.trials or not run.labelled:
        return None
    counterpart = next((candidate for candidate in there if candidate.configuration == mine), there[0])
    if result.predictions is None or counterpart.predictions is None:
        return None
    first, second, common = common_predictions(run, result, other, counterpart)
    truth, names = true_labels(run, common), run.bundle.classes
    return CrossMachineAgreement(
        there=other.machine.label,
        same=int((first == second).sum()),
        total=len(common),
        correct_here=int((first == truth).sum()),
        correct_there=int((second == truth).sum()),
        flips=[
            Flip(
                image=int(common[place]),
                truth=_named(names, truth[place]),
                here=_named(names, first[place]),
                there=_named(names, second[place]),
            )
            for place in np.flatnonzero(first != second)
        ],
    )


def _named(names: Sequence[str], label: int) -> str:
    return names[label] if label < len(names) else f"class {label}"


def common_predictions(run: Run, result: Result, other: Run, others: Result) -> tuple[Labels, Labels, Labels]:
    """Both results' labels on the images that both Runs saw, and those images' indices in the test set."""
    indices = unpack(run.images.indices).astype(np.int64), unpack(other.images.indices).astype(np.int64)
    common, first, second = np.intersect1d(*indices, assume_unique=True, return_indices=True)
    mine, theirs = result.labels()[first], others.labels()[second]
    seen = (mine >= 0) & (theirs >= 0)
    return mine[seen], theirs[seen], common[seen]


def differing_pixels(run: Run, other: Run) -> int:
    """How many images that both Runs saw had other pixels in the one than in the other: decoded or resized otherwise.

    Labels that differ on such images say nothing of the machines. 0 where a Run is from before checksums were kept.
    """
    if run.images.checksums is None or other.images.checksums is None:
        return 0
    indices = unpack(run.images.indices), unpack(other.images.indices)
    _, first, second = np.intersect1d(*indices, assume_unique=True, return_indices=True)
    mine, theirs = unpack(run.images.checksums).astype(np.int64), unpack(other.images.checksums).astype(np.int64)
    return int(np.count_nonzero(mine[first] != theirs[second]))


def true_labels(run: Run, indices: Labels) -> Labels:
    """The true labels of those images of the test set, all of which the Run saw."""
    position = np.searchsorted(unpack(run.images.indices).astype(np.int64), indices)
    labels: Labels = unpack(run.images.labels).astype(np.int64)[position]
    return labels


def agreement_of(first: Labels, second: Labels, common: Labels) -> Agreement:
    """The agreement of two predictions of the same images."""
    differing = common[first != second]
    return Agreement(
        same=len(common) - len(differing), total=len(common), differing=[int(index) for index in differing]
    )
