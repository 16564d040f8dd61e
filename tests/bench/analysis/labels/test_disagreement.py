"""Confusion matrices and disagreements, on few enough labels to count by hand."""

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix as reference

from edge_bench.bench.analysis.labels.disagreement import Predictions, confusion_matrix, find_disagreements


def test_a_confusion_matrix_equals_that_of_scikit_learn() -> None:
    generator = np.random.default_rng(1)
    truth, predicted = generator.integers(0, 5, (2, 200))
    assert confusion_matrix(truth, predicted, 5).tolist() == reference(truth, predicted, labels=range(5)).tolist()


def test_labels_outside_the_classes_are_refused() -> None:
    with pytest.raises(ValueError, match="4"):  # the largest label
        confusion_matrix(np.array([0, 1]), np.array([0, 5]), 5)


def voter(name: str, group: str, indices: list[int], labels: list[int]) -> Predictions:
    return Predictions(name, group, np.array(indices), np.array(labels))


def test_disagreements_are_among_common_images_and_name_the_voters() -> None:
    found, total = find_disagreements(
        [
            voter("original", "keras", [1, 2, 3, 4], [7, 7, 7, 7]),
            voter("light", "dynamic", [2, 3, 4], [7, 8, 7]),
            voter("light on the edge", "dynamic", [2, 3, 4, 9], [7, 8, 5, 0]),
        ]
    )
    assert total == 3
    assert [(item.image, item.votes, item.within_group) for item in found] == [
        (3, {8: ["light", "light on the edge"], 7: ["original"]}, False),
        (4, {7: ["original", "light"], 5: ["light on the edge"]}, True),
    ]


def test_an_image_without_finite_scores_agrees_with_nothing() -> None:
    found, total = find_disagreements([voter("a", "x", [1, 2], [-2, 7]), voter("b", "x", [1, 2], [-2, 7])])
    assert total == 2
    assert [(item.image, item.votes, item.within_group) for item in found] == [(1, {-2: ["a", "b"]}, True)]


def test_without_common_images_there_are_no_disagreements() -> None:
    assert find_disagreements([voter("a", "a", [1], [1]), voter("b", "b", [2], [2])]) == ([], 0)
    assert find_disagreements([]) == ([], 0)
