"""Checks whether two Runs classified the same images, so that predictions and accuracies can be compared."""

from functools import lru_cache

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.bench.errors import ResultsError
from edge_bench.bench.io.record_codec import PackedArray, unpack
from edge_bench.bench.records.outputs.masks import Segmentation
from edge_bench.bench.records.outputs.scores import FlagTruth
from edge_bench.bench.records.run import CLASSIFY, RANDOM_INPUTS, Images, Run
from edge_bench.bench.tasks.segmentation.quality import same_true_masks
from edge_bench.bench.tasks.true_values import differing_truths
from edge_bench.bench.wording import counted

__all__ = [
    "Pixels",
    "common_positions",
    "comparable_predictions",
    "differing_pixels",
    "image_difference",
    "pixels_of",
    "require_same_images",
    "same_content",
    "translated_labels",
]

Labels = npt.NDArray[np.int64]
#: A label that equals no other: the other model has no class of this name.
_NO_SUCH_CLASS = -2
_BINARY = "binary"


class Pixels(msgspec.Struct, frozen=True, array_like=True):
    """What identifies the pixels of a Run's images."""

    geometry: tuple[str, ...]  # how images were resized; empty if that is unknown
    random_inputs: bool
    dataset_sha256: str
    indices: PackedArray
    checksums: PackedArray | None


def common_positions(images: Images | Pixels, other: Images | Pixels) -> tuple[Labels, Labels, Labels]:
    """Return the test-set indices of the images that both have, and their positions in each; shape [common] each."""
    return _common_positions(images.indices, other.indices)


@lru_cache(maxsize=16)  # the same for all configurations of two Runs
def _common_positions(indices: PackedArray, other: PackedArray) -> tuple[Labels, Labels, Labels]:
    both = unpack(indices).astype(np.int64), unpack(other).astype(np.int64)
    found = np.intersect1d(*both, assume_unique=True, return_indices=True)
    for array in found:
        array.setflags(write=False)
    return found


def same_content(images: Images, other: Images) -> bool:
    """Return whether pixels and labels of the common images are the same; False without common images or checksums."""
    common, first, second = common_positions(images, other)
    if not len(common) or (images.labels.length == 0) != (other.labels.length == 0):
        return False
    labels = not images.labels.length or np.array_equal(_at(images, first), _at(other, second))
    return bool(labels and _differing_checksums(images, other) == 0)


def image_difference(run: Run, other: Run) -> str:
    """Return, as a phrase, why the Runs are not of the same images; empty if they are.

    They are if their data sets have the same checksum, or if the pixels of all common images have. The true labels
    must also be of the same classes, or the true values of another task the same. Runs on random inputs are always
    comparable, by time only. Runs of different tasks are not.
    """
    if run.task != other.task:
        return f"their tasks are {run.task[:40]} and {other.task[:40]}"
    if _is_random(run) and _is_random(other):
        return ""
    common, first, second = common_positions(run.images, other.images)
    changed = _differing_checksums(run.images, other.images)
    if run.bundle.dataset_sha256 != other.bundle.dataset_sha256:
        if changed is None or changed or run.images.total_images != other.images.total_images:
            return "their images are different"
    elif changed and _decoded_alike(run, other):
        return f"{changed:,} of {counted(len(common), 'image')} were replaced between the Runs"
    is_classify = run.task == CLASSIFY
    return (_label_difference if is_classify else _truth_difference)(run, other, (first, second))


def _label_difference(run: Run, other: Run, common: tuple[Labels, Labels]) -> str:
    if not run.labelled or not other.labelled:
        return ""
    truth = _at(run.images, common[0])
    wrong = int(np.count_nonzero(truth != translated_labels(run, other, _at(other.images, common[1]))))
    return f"the true labels of {wrong:,} of {counted(len(truth), 'image')} are different" if wrong else ""


def _truth_difference(run: Run, other: Run, common: tuple[Labels, Labels]) -> str:
    if run.truth is not None and other.truth is not None:
        thresholds = [each.truth.threshold for each in (run, other) if isinstance(each.truth, FlagTruth)]
        if run.task == _BINARY and len(set(thresholds)) > 1:
            return f"their thresholds of class 1 are {thresholds[0]:g} and {thresholds[1]:g}"
        wrong = differing_truths(run.truth, other.truth, common)
        return f"the true values of {wrong:,} of {counted(len(common[0]), 'example')} are different" if wrong else ""
    ours, theirs = (
        next((each.outputs for each in side.results if isinstance(each.outputs, Segmentation)), None)
        for side in (run, other)
    )
    if ours is not None and theirs is not None and not same_true_masks(ours, theirs, common):
        return "their true masks are different"
    return ""


def require_same_images(run: Run, other: Run) -> None:
    """Raise ResultsError if the Runs are not of the same images."""
    if reason := image_difference(run, other):
        raise ResultsError(
            f"cannot compare {_name(run)} with {_name(other)}: {reason}", "compare Runs on the same images and labels"
        )


def _name(run: Run) -> str:
    bundle = run.bundle
    return f"run {run.run_id[:8]} ({bundle.model} on {bundle.dataset}, {counted(run.images.total_images, 'image')})"


def comparable_predictions(run: Run, other: Run) -> bool:
    """Return whether the Runs classified the same images, not only random inputs of the same kind."""
    return not (_is_random(run) and _is_random(other)) or run.bundle.dataset_sha256 == other.bundle.dataset_sha256


def translated_labels(run: Run, other: Run, labels: Labels) -> Labels:
    """Return labels of the Run ``other`` as indices of the model's outputs in ``run``. Negative labels are unchanged.

    The outputs of two models for the same classes may be in another order, or begin with a background class. If the
    true labels of all common images are equal, so is the order. Otherwise classes are matched by name.
    """
    if run is other:
        return labels
    _, first, second = common_positions(run.images, other.images)
    if not run.labelled or not other.labelled or np.array_equal(_at(run.images, first), _at(other.images, second)):
        return labels
    index = {name: number for number, name in enumerate(run.bundle.classes)}
    table = np.array([index.get(name, _NO_SUCH_CLASS) for name in other.bundle.classes], np.int64)
    known = (labels >= 0) & (labels < len(table))
    translated = np.where(labels < 0, labels, _NO_SUCH_CLASS)
    translated[known] = table[labels[known]]
    return translated


def pixels_of(run: Run) -> Pixels:
    """Return what identifies the pixels of a Run's images."""
    return Pixels(
        () if run.preprocessing is None else (run.preprocessing.geometry,),
        _is_random(run),
        run.bundle.dataset_sha256,
        run.images.indices,
        run.images.checksums,
    )


def differing_pixels(pixels: Pixels, other: Pixels) -> int:
    """Return the number of common images whose pixels differ because they were decoded or resized differently.

    Labels of such images cannot be compared between machines. Return 0 if a Run has no checksums (older versions), or
    if the models take images of different sizes, so that all pixels differ.
    """
    if pixels == other or len({*pixels.geometry, *other.geometry}) > 1:
        return 0
    if pixels.random_inputs and other.random_inputs and pixels.dataset_sha256 != other.dataset_sha256:
        return 0
    return _differing_checksums(pixels, other) or 0


def _differing_checksums(images: Images | Pixels, other: Images | Pixels) -> int | None:
    """Return the number of common images with other checksums; None if they are unknown or no image is common."""
    if images.checksums is None or other.checksums is None:
        return None
    common, first, second = common_positions(images, other)
    sums, other_sums = unpack(images.checksums).astype(np.int64), unpack(other.checksums).astype(np.int64)
    return int(np.count_nonzero(sums[first] != other_sums[second])) if len(common) else None


def _decoded_alike(run: Run, other: Run) -> bool:
    """Return whether both decoded image files with the same libraries, so that other pixels mean another file.

    On another machine the same version of Pillow may have another JPEG decoder.
    """
    if run.preprocessing is None or other.preprocessing is None or not run.preprocessing.geometry:
        return False
    pillow = run.machine.libraries.get("pillow")
    return (
        run.preprocessing.geometry == other.preprocessing.geometry
        and pillow is not None
        and pillow == other.machine.libraries.get("pillow")
        and (run.machine.hostname, run.machine.architecture) == (other.machine.hostname, other.machine.architecture)
    )


def _is_random(run: Run) -> bool:
    return run.bundle.dataset == RANDOM_INPUTS and not run.labelled


def _at(images: Images, positions: Labels) -> Labels:
    labels: Labels = unpack(images.labels).astype(np.int64)[positions]
    return labels
