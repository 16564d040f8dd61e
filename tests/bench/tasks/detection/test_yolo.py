"""Raw outputs of YOLO models, made from known boxes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_bench.bench.errors import BadInput
from edge_bench.bench.tasks.detection.heads.decoded import suppress
from edge_bench.bench.tasks.detection.heads.yolo import decode_yolo
from edge_bench.bench.tasks.detection.heads.yolo_layout import HeadLayout, has_pixel_coordinates, head_layout
from edge_bench.bench.tasks.detection.letterbox import letterboxed, stretched
from tests.made.graph.boxes import boxes, yolo_head

SIZE = (640, 480)


@st.composite
def cases(draw: st.DrawFn) -> tuple[HeadLayout, int, bool, bool]:
    layout = HeadLayout(draw(st.booleans()), draw(st.booleans()), draw(st.integers(1, 90)))
    return layout, draw(st.integers(0, 2**32 - 1)), draw(st.booleans()), draw(st.booleans())


@settings(max_examples=60, deadline=None)
@given(cases())
def test_head_outputs_of_known_boxes_decode_to_the_same_boxes(case: tuple[HeadLayout, int, bool, bool]) -> None:
    layout, seed, pixels, with_borders = case
    random = np.random.default_rng(seed)
    size = (int(random.integers(40, 2000)), int(random.integers(40, 2000)))
    placement = (letterboxed if with_borders else stretched)(size, (320, 256))
    count = int(random.integers(0, 30))
    # one box in each cell of a grid, so that none suppresses another
    cells = random.permutation(36)[:count]
    start = np.column_stack([cells % 6, cells // 6]) / 6
    shares = np.concatenate(
        [start + random.uniform(0, 0.05, start.shape), start + random.uniform(0.08, 0.16, start.shape)], axis=1
    )
    known = boxes(
        *np.column_stack(
            [
                shares * np.tile(size, 2),
                random.integers(layout.classes, size=count),
                random.permutation(np.linspace(0.01, 0.98, max(count, 2)))[:count],
            ]
        )
    )
    head = yolo_head(known, layout, random.permutation(400)[:count], 400, placement, pixels=pixels)
    found = decode_yolo(head, layout, placement, size, pixels=pixels)
    assert found.not_finite == found.beyond_limit == 0
    assert found.boxes.classes.tolist() == known.classes.tolist()
    assert found.boxes.scores == pytest.approx(known.scores, rel=1e-5)
    assert found.boxes.corners == pytest.approx(known.corners, abs=2e-6 * max(size) + 1e-3)


V8 = HeadLayout(boxes_first=False, objectness=False, classes=3)
PLACEMENT = stretched(SIZE, SIZE)


def decoded(*rows: list[float], layout: HeadLayout = V8, **options: object) -> list[list[float]]:
    """Decode rows of centre, width, height (and objectness) and class scores; return class and score."""
    table = np.array(rows, np.float32)
    head = (table if layout.boxes_first else table.T)[None]
    found = decode_yolo(head, layout, PLACEMENT, SIZE, pixels=True, **options).boxes  # type: ignore[arg-type]
    return [
        [category, round(score, 4)]
        for category, score in zip(found.classes.tolist(), found.scores.tolist(), strict=True)
    ]


def test_each_class_of_a_box_is_a_detection_or_only_the_best() -> None:
    row = [100, 100, 50, 50, 0.5, 0.9, 0.0005]
    assert decoded(row) == [[1, 0.9], [0, 0.5]]
    assert decoded(row, several_classes=False) == [[1, 0.9]]
    assert decoded(row, score_threshold=0.6) == [[1, 0.9]]


def test_objectness_multiplies_scores() -> None:
    layout = HeadLayout(boxes_first=True, objectness=True, classes=2)
    assert decoded([100, 100, 50, 50, 0.5, 0.9, 0.2], layout=layout) == [[0, 0.45], [1, 0.1]]
    assert decoded([100, 100, 50, 50, 0.0005, 0.9, 0.9], layout=layout) == []


def test_suppression_is_by_class_and_keeps_boxes_at_the_threshold() -> None:
    base, same = [100, 100, 50, 50], [100, 110, 50, 50]  # they overlap by 40/60
    rows = [[*base, 0.9, 0, 0], [*same, 0.8, 0, 0], [*same, 0, 0.7, 0]]
    assert decoded(*rows) == [[0, 0.9], [1, 0.7]]
    assert decoded(*rows, iou_threshold=0.67) == [[0, 0.9], [0, 0.8], [1, 0.7]]
    corners = np.array([[0.0, 0, 2, 1], [0, 0, 1, 1]])  # they overlap by exactly 0.5
    assert suppress(corners, np.zeros(2, np.int64), np.array([0.9, 0.8]), 0.5).tolist() == [0, 1]


def test_a_suppressed_box_suppresses_nothing() -> None:
    rows = [[100, 100, 50, 50, 0.9, 0, 0], [100, 118, 50, 50, 0.8, 0, 0], [100, 136, 50, 50, 0.7, 0, 0]]
    assert decoded(*rows) == [[0, 0.9], [0, 0.7]]


def test_no_more_than_the_limit() -> None:
    corners = np.column_stack([np.arange(1000) * 10, np.zeros(1000), np.arange(1000) * 10 + 5, np.ones(1000)])
    kept = suppress(corners, np.zeros(1000, np.int64), np.linspace(0, 1, 1000), 0.45)
    assert kept.tolist() == list(range(999, 699, -1))


def test_boxes_end_at_the_border_of_the_image() -> None:
    head = np.array([[[0], [0], [100], [2000], [0.9], [0], [0]]], np.float32)
    found = decode_yolo(head, V8, PLACEMENT, SIZE, pixels=True).boxes
    assert found.corners.tolist() == [[0, 0, 50, 480]]


def test_rows_that_are_not_finite_are_counted() -> None:
    head = np.full((1, 7, 5), 0.5, np.float32)
    head[0, 2, 1], head[0, 6, 3] = np.nan, np.inf
    assert decode_yolo(head, V8, PLACEMENT, SIZE, pixels=True).not_finite == 2


@pytest.mark.parametrize("score", [-3.0, 1.5, 40.0])
def test_scores_without_an_activation_are_refused(score: float) -> None:
    with pytest.raises(BadInput):
        decoded([100, 100, 50, 50, score, 0.1, 0.1])


@pytest.mark.parametrize(
    ("shape", "known", "layout"),
    [
        ((1, 84, 8400), {"classes": 80}, HeadLayout(False, False, 80)),
        ((1, 84, 8400), {"input_size": (640, 640)}, HeadLayout(False, False, 80)),
        ((1, 8400, 84), {"input_size": (640, 640)}, HeadLayout(True, False, 80)),
        ((1, 25200, 85), {"classes": 80}, HeadLayout(True, True, 80)),
        ((1, 25200, 85), {"input_size": (640, 640)}, HeadLayout(True, True, 80)),
        ((1, 85, 25200), {"input_size": (640, 640)}, HeadLayout(False, True, 80)),
        ((1, 84, 84), {"classes": 80, "input_size": (64, 64), "objectness": False}, None),  # which axis?
        ((1, 84, 189), {"input_size": (96, 96)}, HeadLayout(False, False, 80)),
        ((1, 6, 6300), {"input_size": (320, 320)}, HeadLayout(False, True, 1)),
        ((1, 6, 2100), {"input_size": (320, 320)}, HeadLayout(False, False, 2)),
        ((1, 84, 5040), {"input_size": (640, 384)}, HeadLayout(False, False, 80)),
        ((1, 84, 1000), {"classes": 80}, HeadLayout(False, False, 80)),  # other grids, but 80 classes
        ((1, 84, 1000), {"classes": 80, "input_size": (640, 640)}, HeadLayout(False, False, 80)),
        ((1, 84, 8400), {}, None),
        ((1, 84, 8400), {"classes": 81, "input_size": (640, 640)}, None),
        ((1, 84, 1000), {"input_size": (640, 640)}, None),
        ((1, 300, 6), {"input_size": (640, 640)}, None),  # boxes after suppression, as of YOLOv10
        ((1, 300, 6), {"classes": 1}, None),
        ((1, 300, 6), {"classes": 2}, None),
        ((1, 300, 6), {"classes": 1, "objectness": True}, HeadLayout(True, True, 1)),
        ((1, 84, 80, 80), {"classes": 80}, None),
        ((4, 84, 8400), {"classes": 80}, None),
        ((1, 1001), {"classes": 1001}, None),
    ],
)
def test_layouts(shape: tuple[int, ...], known: dict[str, object], layout: HeadLayout | None) -> None:
    if layout is None:
        with pytest.raises(BadInput):
            head_layout(shape, **known)  # type: ignore[arg-type]
    else:
        assert head_layout(shape, **known) == layout  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("centre", "pixels"), [(0.9, False), (1.2, False), (310.0, True), (5.0, True), (2.5, None), (0.0, None)]
)
def test_unit_of_coordinates(centre: float, pixels: bool | None) -> None:
    head = np.zeros((1, 7, 4), np.float32)
    head[0, 0, 1], head[0, 1, 2] = centre, np.nan
    if pixels is None:
        with pytest.raises(BadInput):
            has_pixel_coordinates([head], V8)
    else:
        assert has_pixel_coordinates([head], V8) is pixels
