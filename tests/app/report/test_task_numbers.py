"""Masks and numbers on which configurations disagree."""

import re
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest

from edge_bench.app.report.bundle_section import bundle_sections
from edge_bench.app.report.pictures.boxes import compare_boxes
from edge_bench.app.report.pictures.masks import class_colour, compare_masks
from edge_bench.app.report.pictures.numbers import compare_outputs, compare_scores
from edge_bench.app.report.pictures.pair import Compared, Pair
from edge_bench.bench.records.outputs.union import TaskOutputs
from tests.app.report.pages import words_of
from tests.app.report.task_pages import HOSTILE, decoded, photos, shown
from tests.made.graph.output_runs import detections, scores, segmentation, task_run, tensors, true_values


def test_masks_are_side_by_side_in_the_colours_of_their_classes(tmp_path: Path) -> None:
    first = np.zeros((40, 60), np.uint8)
    first[:, 30:] = 2
    second = first.copy()
    second[:10] = 1
    whole = task_run("segment", segmentation(3, first, first, None), segmentation(3, first, second, None), count=3)
    whole = msgspec.structs.replace(
        whole, bundle=msgspec.structs.replace(whole.bundle, classes=["background", HOSTILE, "cat"])
    )
    html = shown(whole, data=photos(tmp_path, [(640, 320)] * 3))
    assert "87.50 %" in words_of(html)  # 10 of 40 rows of one of two images differ
    assert "2 of 3 images" in words_of(html)
    addresses = re.findall(r'<img src="([^"]*)"', html)
    assert len(addresses) == 4  # of the one image that differs
    assert decoded(addresses[0]).shape == (104, 208, 3)
    ours, theirs, difference = (decoded(address) for address in addresses[1:])
    assert ours.shape == (40, 60, 3)
    assert tuple(ours[20, 45]) == class_colour(2) == (0, 128, 0)
    assert tuple(ours[0, 0]) == class_colour(0) == (0, 0, 0)
    assert tuple(theirs[0, 0]) == class_colour(1) == (128, 0, 0)
    differs = (difference != difference[39, 0]).any(axis=2)
    assert differs[:10].all()
    assert not differs[10:].any()
    legend = re.findall(r'<ul class="legend">(.*?)</ul>', html, re.DOTALL)[0]
    assert legend.count("<li>") == 3
    assert "cat" in legend
    assert "<script" not in html


def test_large_masks_are_reduced_and_those_of_other_sizes_compared() -> None:
    large, small = np.zeros((2000, 1000), np.uint8), np.ones((20, 10), np.uint8)
    html = shown(task_run("segment", segmentation(2, large), segmentation(2, small), count=1))
    addresses = re.findall(r'<img src="([^"]*)"', html)
    assert [decoded(address).shape[:2] for address in addresses] == [(208, 104), (20, 10), (208, 104)]
    assert "0.00 %" in words_of(html)
    assert "not comparable" in shown(task_run("segment", segmentation(2, small), segmentation(3, small), count=1))


def test_classes_have_colours_of_their_own() -> None:
    assert len({class_colour(number) for number in range(2000)}) == 2000


def test_outputs_have_their_differences_and_worst_example() -> None:
    first = {"a": np.ones((3, 4), np.float32), HOSTILE: np.zeros((3, 2), np.float32)}
    second = {name: values.copy() for name, values in first.items()}
    second["a"][1, 2] = 1.5
    html = shown(task_run("tensor", tensors(**first), tensors(**second), count=3))
    cells = [re.findall(r"<t[dh][^>]*>([^<]*)</t[dh]>", row) for row in re.findall(r"<tr>(.*?)</tr>", html)]
    (row,) = [row for row in cells if row[0] == "a"]
    assert row[1:5] == ["3 of 3", "2", "0.5", "0.1443"]
    assert row[7:] == ["no. 1", "0.5", "0.25"]
    assert "<script" not in html
    assert "not comparable" in shown(task_run("tensor", tensors(**first), tensors(a=first["a"]), count=3))


def test_values_have_their_worst_examples_beside_the_true_ones() -> None:
    first = np.arange(40, dtype=np.float32).reshape(20, 2)
    second = first.copy()
    second[7, 1] += 3
    second[3, 0] = np.nan
    truth = true_values(first.astype(np.float64) + 0.25)
    html = shown(task_run("regress", scores(first), scores(second), count=20, truth=truth))
    rows = [re.findall(r"<t[dh][^>]*>([^<]*)</t[dh]>", row) for row in re.findall(r"<tr>(.*?)</tr>", html)]
    assert ["no. 3", "0", "6", "nan", "6.25", "inf"] in rows
    assert ["no. 7", "1", "15", "18", "15.25", "3"] in rows
    assert "18 of 20 examples" in words_of(html)


@pytest.mark.parametrize(
    ("compare", "outputs"),
    [
        (compare_scores, scores(np.zeros((2, 1)))),
        (compare_outputs, tensors(a=np.zeros((2, 1), np.float32))),
        (compare_masks, segmentation(2, np.zeros((2, 2)))),
        (compare_boxes, detections([(9, 9)], [])),
        (compare_scores, tensors(a=np.ones((3, 1), np.float32))),
    ],
)
def test_outputs_of_another_task_or_number_of_examples_are_not_compared(
    compare: Callable[[Pair], Compared], outputs: TaskOutputs
) -> None:
    (section,) = bundle_sections([task_run("tensor", outputs, outputs, count=3)], [])
    with pytest.raises(ValueError, match=r"of other examples|of other images|of another task"):
        compare(Pair(section, *section.entries))
