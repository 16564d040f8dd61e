"""Agreement of predicted labels, between configurations and for one model on two machines."""

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.bench.analysis.labels.same_images import common_positions, translated_labels
from edge_bench.bench.io.record_codec import unpack
from edge_bench.bench.records.run import UNSEEN, Configuration, Result, Run

__all__ = [
    "Agreement",
    "CrossMachineAgreement",
    "CrossMachineAgreements",
    "Flip",
    "agreement_of",
    "common_predictions",
    "same_labels",
    "true_labels",
]

Labels = npt.NDArray[np.int64]
#: Maximum number of listed images, for each configuration and, for labels that flip, for a whole comparison.
_MAX_LISTED, _MAX_FLIPS = 1000, 100_000


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """Number of common test images with the same predicted label, and the images with different ones."""

    same: int
    total: int
    differing: list[int]  # indices in the bundle's test set, of the first thousand


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
    accuracy_assumed: bool = False  # whether one of the accuracies depends on an assumption
    flips: list[Flip]  # all, unless a comparison has more than 100,000


def _outputs_key(configuration: Configuration) -> tuple[str, str, str]:
    return configuration.variant, configuration.runtime, configuration.delegate


class CrossMachineAgreements:
    """Compares results with the predictions of the Run ``other`` for the same variant, runtime and delegate."""

    def __init__(self, other: Run) -> None:
        self._other = other
        self._flips_left = _MAX_FLIPS
        self._counterparts: dict[object, Result] = {}  # by configuration, and by `_outputs_key`
        for result in other.results_with_trials:
            configuration = result.configuration
            self._counterparts.setdefault(configuration, result)
            self._counterparts.setdefault(_outputs_key(configuration), result)

    def counterpart(self, run: Run, result: Result) -> Result | None:
        """Return the result of ``other`` for the same variant, runtime and delegate as a result of ``run``.

        Return None if both Runs are from the same machine, or ``other`` did not measure these. An equal configuration
        is preferred; otherwise threads and batch size may differ. They affect times, but outputs
        only through the order of summation.
        """
        other, wanted = self._other, result.configuration
        if (run.machine.hostname, run.machine.architecture) == (other.machine.hostname, other.machine.architecture):
            return None
        return self._counterparts.get(wanted) or self._counterparts.get(_outputs_key(wanted))

    def with_result(self, run: Run, result: Result) -> CrossMachineAgreement | None:
        """Return the agreement of a result of ``run`` with its counterpart.

        Return None if there is no counterpart, or if predictions or true labels are missing.
        """
        other, counterpart = self._other, self.counterpart(run, result)
        if counterpart is None or not result.trials or not run.scored(result) or not other.scored(counterpart):
            return None
        found = _across(run, result, other, counterpart, self._flips_left)
        self._flips_left -= len(found.flips)
        return found


def _across(run: Run, result: Result, other: Run, counterpart: Result, most_flips: int) -> CrossMachineAgreement:
    first, second, common = common_predictions(run, result, other, counterpart)
    truth, classes = true_labels(run, common), run.bundle.classes
    return CrossMachineAgreement(
        there=other.machine.label,
        same=int(same_labels(first, second).sum()),
        total=len(common),
        correct_here=int((first == truth).sum()),
        correct_there=int((second == truth).sum()),
        accuracy_assumed=run.accuracy_assumed or other.accuracy_assumed,
        flips=[
            Flip(
                image=int(common[position]),
                truth=_class_name(classes, truth[position]),
                here=_class_name(classes, first[position]),
                there=_class_name(classes, second[position]),
            )
            for position in np.flatnonzero(~same_labels(first, second))[:most_flips]
        ],
    )


def _class_name(classes: Sequence[str], label: int) -> str:
    if label < 0:
        return "unclassified"
    return classes[label] if label < len(classes) else f"class {label}"


def common_predictions(run: Run, result: Result, other: Run, other_result: Result) -> tuple[Labels, Labels, Labels]:
    """Return both results' labels on the images that both saw, and these images' indices in the test set.

    All labels are indices of the model's outputs in ``run``. Negative labels are images without a class: their scores
    were not finite, or ``run`` does not have the class. They equal no label.
    """
    common, first, second = common_positions(run.images, other.images)
    labels, other_labels = result.labels()[first], other_result.labels()[second]
    seen = (labels != UNSEEN) & (other_labels != UNSEEN)
    return labels[seen], translated_labels(run, other, other_labels)[seen], common[seen]


def true_labels(run: Run, indices: Labels) -> Labels:
    """Return the true labels of the images with these test-set indices, all of which must be in the Run."""
    position = np.searchsorted(unpack(run.images.indices).astype(np.int64), indices)
    labels: Labels = unpack(run.images.labels).astype(np.int64)[position]
    return labels


def same_labels(first: Labels, second: Labels) -> npt.NDArray[np.bool_]:
    """Return where two predictions agree, shape [images]. An image without a class agrees with nothing."""
    agree: npt.NDArray[np.bool_] = (first == second) & (first >= 0)
    return agree


def agreement_of(first: Labels, second: Labels, common: Labels) -> Agreement:
    """Return the agreement of two predictions. ``common`` has the images' test-set indices; shape [images] each."""
    differing = common[~same_labels(first, second)]
    return Agreement(same=len(common) - len(differing), total=len(common), differing=differing[:_MAX_LISTED].tolist())
