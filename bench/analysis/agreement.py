"""Agreement of predicted labels, between configurations and for one model on two machines."""

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.bench.io.record_codec import unpack
from edge_bench.bench.records.run import UNCLASSIFIED, UNSEEN, Result, Run

__all__ = [
    "Agreement",
    "CrossMachineAgreement",
    "Flip",
    "agreement_of",
    "common_predictions",
    "cross_machine_agreement",
    "differing_pixels",
    "true_labels",
]

Labels = npt.NDArray[np.int64]


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """Number of common test images with the same predicted label, and the images with different ones."""

    same: int
    total: int
    differing: list[int]  # indices in the bundle's test set


class Flip(msgspec.Struct, frozen=True, kw_only=True):
    """An image that the same model labels differently on two machines, with labels by name."""

    image: int  # index in the bundle's test set
    truth: str
    here: str
    there: str


class CrossMachineAgreement(msgspec.Struct, frozen=True, kw_only=True):
    """Agreement of one variant on one runtime between this machine ("here") and the baseline's ("there")."""

    there: str  # label of the baseline's machine
    same: int
    total: int  # images classified on both machines
    correct_here: int
    correct_there: int
    flips: list[Flip]


def cross_machine_agreement(run: Run, result: Result, other: Run) -> CrossMachineAgreement | None:
    """Compare ``result`` with the predictions of ``other`` for the same variant and runtime.

    Return None if both Runs are from the same machine, if ``other`` did not measure this variant and runtime, or if
    predictions or true labels are missing. An equal configuration is preferred; otherwise threads and batch size may
    differ. They affect time, and labels only through the order of summation.
    """
    if (run.machine.hostname, run.machine.architecture) == (other.machine.hostname, other.machine.architecture):
        return None
    wanted = result.configuration
    candidates = [
        candidate
        for candidate in other.results_with_trials
        if (candidate.configuration.variant, candidate.configuration.runtime) == (wanted.variant, wanted.runtime)
    ]
    if not candidates or not result.trials or not run.scored(result) or other.settings.stateful:
        return None
    counterpart = next((candidate for candidate in candidates if candidate.configuration == wanted), candidates[0])
    if result.predictions is None or counterpart.predictions is None:
        return None
    first, second, common = common_predictions(run, result, other, counterpart)
    truth, classes = true_labels(run, common), run.bundle.classes
    return CrossMachineAgreement(
        there=other.machine.label,
        same=int((first == second).sum()),
        total=len(common),
        correct_here=int((first == truth).sum()),
        correct_there=int((second == truth).sum()),
        flips=[
            Flip(
                image=int(common[position]),
                truth=_class_name(classes, truth[position]),
                here=_class_name(classes, first[position]),
                there=_class_name(classes, second[position]),
            )
            for position in np.flatnonzero(first != second)
        ],
    )


def _class_name(classes: Sequence[str], label: int) -> str:
    if label < 0:
        return "no finite scores"
    return classes[label] if label < len(classes) else f"class {label}"


def common_predictions(run: Run, result: Result, other: Run, other_result: Result) -> tuple[Labels, Labels, Labels]:
    """Return both results' labels on the images that both saw, and these images' indices in the test set.

    An image without finite scores has a negative label, which differs in the two, as it agrees with nothing.
    """
    indices = unpack(run.images.indices).astype(np.int64), unpack(other.images.indices).astype(np.int64)
    common, first, second = np.intersect1d(*indices, assume_unique=True, return_indices=True)
    labels, other_labels = result.labels()[first], other_result.labels()[second]
    seen = (labels != UNSEEN) & (other_labels != UNSEEN)
    other_labels = np.where(other_labels == UNCLASSIFIED, UNCLASSIFIED - 1, other_labels)
    return labels[seen], other_labels[seen], common[seen]


def differing_pixels(run: Run, other: Run) -> int:
    """Return the number of common images whose pixels differ because they were decoded or resized differently.

    Labels of such images cannot be compared between machines. Return 0 if a Run has no checksums (older versions).
    """
    if run.images.checksums is None or other.images.checksums is None:
        return 0
    indices = unpack(run.images.indices), unpack(other.images.indices)
    _, first, second = np.intersect1d(*indices, assume_unique=True, return_indices=True)
    sums, other_sums = unpack(run.images.checksums).astype(np.int64), unpack(other.images.checksums).astype(np.int64)
    return int(np.count_nonzero(sums[first] != other_sums[second]))


def true_labels(run: Run, indices: Labels) -> Labels:
    """Return the true labels of the images with these test-set indices, all of which must be in the Run."""
    position = np.searchsorted(unpack(run.images.indices).astype(np.int64), indices)
    labels: Labels = unpack(run.images.labels).astype(np.int64)[position]
    return labels


def agreement_of(first: Labels, second: Labels, common: Labels) -> Agreement:
    """Return the agreement of two predictions; ``common`` are the images' test-set indices; shape [images] each."""
    differing = common[first != second]
    return Agreement(
        same=len(common) - len(differing), total=len(common), differing=[int(index) for index in differing]
    )
