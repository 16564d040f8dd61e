"""Which generated cases may be refused, found by brute force with numpy, apart from the code under test."""

from typing import Any

import numpy as np
import numpy.typing as npt

from edge_bench.bench.dataset.options import DataOptions
from edge_bench.bench.preprocessing.presets import PRESETS
from tests.bench.interpretation.generated import Case

__all__ = ["is_ambiguous", "preprocessed"]

#: Images by which the right interpretation beats each other one in a case that must not be refused.
CLEARLY = 25


def preprocessed(pixels: npt.NDArray[Any], preset: str, *, bgr: bool) -> npt.NDArray[Any]:
    """Return values [n, channels] as a preset makes them; values of colours stay with their colours."""
    known = PRESETS[preset]
    scale, offset = (
        np.broadcast_to(np.asarray(value, float), pixels.shape[1]) for value in (known.scale, known.offset)
    )
    if known.channel_order == "bgr":
        pixels, bgr = pixels[:, ::-1], not bgr
    values = pixels * scale + offset
    found: npt.NDArray[Any] = values[:, ::-1] if bgr else values
    return found


def is_ambiguous(case: Case, pixels: npt.NDArray[Any], targets: npt.NDArray[Any], options: DataOptions) -> bool:
    """Return whether a case may be refused.

    That is if the order of words is not stated, or if the labels do not separate all interpretations in doubt.
    ``pixels`` has the colour of each image, ``targets`` that of each class as the model sees it.
    """
    read = not case.bgr  # the metadata has an order of channels, which is RGB
    names_known = options.classes is not None or (
        "metadata labels" in case.states and read and case.source == "folders"
    )
    by_rank = case.source == "folders" and not names_known
    if by_rank and case.words and (case.shuffled or not case.present.all() or case.count > len(case.names)):
        return True
    outputs_known = names_known or options.label_offset is not None
    moved = int(case.outputs[0] - case.numbers[0])
    if abs(moved) > 1 and not outputs_known:
        return True  # only offsets by one are tried
    right = case.outputs[case.images]
    maps = [right] if outputs_known else [right, *_maps(case)]
    for preset, bgr in _preprocessings(case, options):
        values = preprocessed(pixels.astype(float), preset, bgr=bgr)
        scores = 2 * values @ targets.T - (targets**2).sum(axis=1)
        second, first = np.sort(scores, axis=1)[:, -2:].T
        if np.any(first - second < 1e-3 * np.abs(scores).max()):
            return True  # rounding decides
        predicted = case.outputs[scores.argmax(axis=1)]
        for labels in maps:
            correct = int(np.count_nonzero(predicted == labels))
            if len(right) - CLEARLY < correct < len(right):
                return True
    return False


def _preprocessings(case: Case, options: DataOptions) -> list[tuple[str, bool]]:
    """Return the presets and orders of channels in doubt."""
    if options.preprocess is not None:
        return [(case.preset, case.bgr)]
    in_metadata = "metadata pixels" in case.states and not case.bgr
    if in_metadata and case.channels == 3:
        return [(case.preset, case.bgr)]
    presets = [case.preset] if in_metadata or case.kind != "FLOAT32" else list(PRESETS)
    if case.kind == "INT8" and case.preset == "imagenet-tf" and not in_metadata:
        presets.append("unit")  # a symmetric input may be for either
    orders = (False, True) if case.channels == 3 else (False,)
    return [
        (preset, bgr)
        for preset in presets
        for bgr in orders
        if case.channels == 3 or not isinstance(PRESETS[preset].offset, list)
    ]


def _maps(case: Case) -> list[npt.NDArray[Any]]:
    """Return the true labels, [images], as every order of the classes and offset gives them."""
    tables = [case.numbers]
    if case.source == "folders":
        shown = np.flatnonzero(np.bincount(case.images, minlength=len(case.names)))
        by_name = sorted(shown, key=lambda label: case.names[label])
        by_number = sorted(shown, key=lambda label: int(case.numbers[label]))
        for ranked in (by_name, by_number):
            table = np.zeros(len(case.names), int)
            table[ranked] = np.arange(len(ranked))
            tables.append(table)
    return [table[case.images] + moved for table in tables for moved in (-1, 0, 1)]
