"""Checks of an order of classes against predictions."""

import numpy as np

from edge_bench.bench.interpretation.order_check import better_placement, exchanged_classes

CLASSES = 6
LABELS = np.repeat(np.arange(CLASSES), 5)
ORDER = np.arange(CLASSES)


def test_a_missing_class_in_the_middle_is_noticed() -> None:
    """The model knows seven classes; the third is not in the data."""
    true_outputs = np.array([0, 1, 3, 4, 5, 6])

    found = better_placement(true_outputs[LABELS], LABELS, ORDER, 7)

    assert found is not None
    assert found.tolist() == true_outputs.tolist()


def test_the_right_placement_is_not_disputed() -> None:
    predicted = LABELS.copy()
    predicted[::4] = 6  # a quarter is wrong

    assert better_placement(predicted, LABELS, ORDER, 7) is None


def test_images_without_scores_count_for_nothing() -> None:
    assert better_placement(np.full(len(LABELS), -1), LABELS, ORDER, 7) is None
    assert exchanged_classes(np.full(len(LABELS), -1), LABELS, ORDER, CLASSES) == []


def test_two_exchanged_classes_are_noticed() -> None:
    true_outputs = np.array([0, 1, 3, 2, 4, 5])

    assert exchanged_classes(true_outputs[LABELS], LABELS, ORDER, CLASSES) == [2, 3]


def test_all_classes_in_another_order_are_noticed() -> None:
    assert exchanged_classes(ORDER[::-1][LABELS], LABELS, ORDER, CLASSES) == [0, 1, 2, 3, 4, 5]


def test_confusion_with_another_class_is_no_exchange() -> None:
    predicted = LABELS.copy()
    predicted[LABELS == 3] = 2  # all images of class 3, as those of class 2

    assert exchanged_classes(predicted, LABELS, ORDER, CLASSES) == []


def test_an_untrained_model_is_no_exchange() -> None:
    assert exchanged_classes(np.zeros_like(LABELS), LABELS, ORDER, CLASSES) == []
