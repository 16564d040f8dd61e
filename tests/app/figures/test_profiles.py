"""Figures of profiles: what they say, and that they can be drawn for unusual profiles."""

import msgspec
import pytest

from edge_bench.app.figures.drawing.canvas import render
from edge_bench.app.figures.profiles.operator_times import operator_times
from edge_bench.app.figures.profiles.roofline import roofline
from edge_bench.app.render.formats import Layout
from edge_bench.bench.records.profile import Profile
from tests.made.profiles import FLOAT32, INT8, PEAKS, operator_time, profile


def peaks(made: Profile, **changes: object) -> Profile:
    return msgspec.structs.replace(made, peaks=msgspec.structs.replace(PEAKS, **changes))


@pytest.mark.slow
def test_the_roofline_says_what_limits_how_many_operators() -> None:
    drawing = roofline([FLOAT32, INT8], ["float32", "int8"])
    assert drawing is not None
    first, second = drawing.description.split("; ")
    assert ("2 limited by compute" in first, "3 limited by memory" in first) == (True, True)
    assert "conv2d_1 39.3 GMAC/s at 33.7 MACs per byte" in first
    assert "conv2d_1 157 GMAC/s at 135 MACs per byte" in second
    text = render(drawing, Layout.COLUMN, "inline-svg").decode()
    for label in ("conv2d_1", "dense", "int8", "memory 20.0 GB/s", "caches 80.0 GB/s"):
        assert f">{label}<" in text


@pytest.mark.parametrize(
    "made",
    [
        peaks(FLOAT32, macs_per_second={}),
        peaks(FLOAT32, bytes_per_second=None, cached_bytes_per_second=None),
        peaks(FLOAT32, macs_per_second={"int8": 1.0}, bytes_per_second=1e18),
        profile(operator_time(0, "X" * 300, 1e-3, macs=1, bytes_moved=10**15), invocation=1, peaks=PEAKS,
                resolution_seconds=0.0),
    ],
    ids=["no compute", "no bytes", "far apart", "one tiny operator"],
)  # fmt: skip
def test_unusual_profiles_can_be_drawn(made: Profile) -> None:
    for drawing in (roofline([made], ["x"]), operator_times([made], ["x"])):
        assert drawing is not None
        assert render(drawing, Layout.PAGE, "svg").startswith(b"<?xml")


def test_without_peaks_or_work_there_is_no_roofline() -> None:
    assert roofline([msgspec.structs.replace(FLOAT32, peaks=None)], ["x"]) is None
    assert roofline([profile(operator_time(0, "ADD", 1, macs=0), invocation=1, peaks=PEAKS)], ["x"]) is None


def test_operators_are_side_by_side_in_the_order_of_execution() -> None:
    drawing = operator_times([FLOAT32, INT8], ["float32", "int8"])
    assert "6 operators" in drawing.description
    assert "float32: conv2d_1 120 µs, conv2d 80.0 µs" in drawing.description
    text = render(drawing, Layout.COLUMN, "inline-svg").decode()
    order = [
        text.index(f">{name}<") for name in ("quantize", "conv2d", "max_pooling2d", "conv2d_1", "dense", "softmax")
    ]
    assert order == sorted(order)
