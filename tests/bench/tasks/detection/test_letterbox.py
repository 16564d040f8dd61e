"""Where a resized image lies in the input."""

import numpy as np
import pytest

from edge_bench.bench.tasks.detection.letterbox import letterboxed, stretched


@pytest.mark.parametrize(
    ("size", "offset", "scale"),
    [
        ((640, 480), (0, 80), (1, 1)),
        ((480, 640), (80, 0), (1, 1)),
        ((1280, 720), (0, 140), (0.5, 0.5)),
        ((810, 1080), (80, 0), (480 / 810, 640 / 1080)),  # Ultralytics' bus.jpg
        ((640, 427), (0, 106), (1, 1)),  # 213 rows of border: 106 above, 107 below
        ((333, 500), (107, 0), (426 / 333, 640 / 500)),  # 426.24 columns become 426
        ((1, 10_000), (319, 0), (1, 640 / 10_000)),
    ],
)
def test_borders_and_scale(size: tuple[int, int], offset: tuple[int, int], scale: tuple[float, float]) -> None:
    found = letterboxed(size, (640, 640))
    assert found.offset == offset
    assert found.scale == pytest.approx(scale)


def test_borders_only_below() -> None:
    assert letterboxed((640, 480), (320, 320), centred=False).offset == (0, 0)


@pytest.mark.parametrize("placement", [letterboxed((810, 1080), (640, 640)), stretched((810, 1080), (300, 200))])
def test_there_and_back(placement: object) -> None:
    corners = np.array([[0.0, 0, 810, 1080], [10.5, 20.25, 30, 1000]])
    back = placement.to_image(placement.to_input(corners))  # type: ignore[attr-defined]
    assert back == pytest.approx(corners)


def test_a_stretched_image_fills_the_input() -> None:
    assert stretched((640, 427), (300, 300)).to_input(np.array([[0.0, 0, 640, 427]])) == pytest.approx(
        np.array([[0, 0, 300, 300]])
    )
