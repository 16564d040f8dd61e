"""What figures must show: whole intervals, labels that cover nothing, and a legend of what is there."""

from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.dates import date2num
from matplotlib.markers import MarkerStyle

from edge_bench.app.figures.runs.over_time import over_time
from edge_bench.app.render.formats import Layout
from edge_bench.app.report.bundle_section import BundleSection, bundle_sections
from edge_bench.bench.analysis.over_time.history import history
from edge_bench.bench.records.run import Run
from tests.factories import arm, offload, repeats, result, run
from tests.nine_configurations import nine, on_pi

LAYOUTS = pytest.mark.parametrize("layout", Layout)


def section_of(*runs: Run) -> BundleSection:
    (section,) = bundle_sections(list(runs), [])
    return section


def drawn(drawing: Any, layout: Layout) -> Any:
    with mpl.rc_context({"text.parse_math": False}):
        figure = drawing.draw(layout)
        figure.draw_without_rendering()
        return figure


def assert_intervals_are_within(panel: Any) -> None:
    """Assert that each line of the panel, which an interval is, ends within both axes."""
    for line in panel.lines:
        for values, limits in ((line.get_xdata(), panel.get_xlim()), (line.get_ydata(), panel.get_ylim())):
            numbers = date2num(values) if isinstance(values[0], np.datetime64) else np.asarray(values)
            if np.issubdtype(np.asarray(numbers).dtype, np.number):
                assert min(limits) <= min(numbers)
                assert max(numbers) <= max(limits)


def colours_and_markers(panel: Any) -> tuple[set[str], set[bytes]]:
    marks = panel.collections
    return (
        {to_hex(colour) for mark in marks for colour in mark.get_facecolors()},
        {np.asarray(path.vertices).tobytes() for mark in marks for path in mark.get_paths()},
    )


@pytest.mark.slow
@LAYOUTS
def test_intervals_are_never_cut_off(layout: Layout) -> None:
    noisy = run(result("keras", "tensorflow", 1.0, noise=0.35), result("dynamic", "litert", 0.9, noise=0.5, wrong=1))
    drawing = section_of(noisy).accuracy_and_time
    assert drawing
    for panel in drawn(drawing, layout).axes:
        assert_intervals_are_within(panel)
    for panel in drawn(over_time(history(repeats(noisy, 6, 0.01))), layout).axes:
        assert_intervals_are_within(panel)


@pytest.mark.slow
@LAYOUTS
def test_every_mark_of_a_trade_off_has_a_label_that_covers_no_other_one(layout: Layout) -> None:
    few = run(*(result(name, "litert", seconds, wrong) for name, seconds, wrong in
                (("float32", 1.0, 5), ("float16", 1.1, 5), ("dynamic", 0.5, 6), ("int8", 0.4, 30))))  # fmt: skip
    drawing = section_of(few).trade_off
    assert drawing
    figure = drawn(drawing, layout)
    (panel,) = figure.axes
    assert figure.legends == []
    assert {text.get_text() for text in panel.texts} == {
        f"{each.configuration.variant} · litert" for each in few.results
    }
    boxes = [text.get_window_extent() for text in panel.texts]
    assert not any(one.overlaps(two) for number, one in enumerate(boxes) for two in boxes[:number])
    frame = panel.get_window_extent()
    assert all(frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1 for box in boxes)


@pytest.mark.slow
@LAYOUTS
def test_every_entry_of_a_legend_is_in_the_trade_off(layout: Layout) -> None:
    drawing = section_of(nine(), on_pi()).trade_off
    assert drawing
    figure = drawn(drawing, layout)
    (panel,) = figure.axes
    (legend,) = figure.legends
    colours, markers = colours_and_markers(panel)
    for handle in legend.legend_handles:
        path = handle.get_marker()
        shape = MarkerStyle(path)
        known = np.asarray(shape.get_path().transformed(shape.get_transform()).vertices).tobytes()
        assert to_hex(handle.get_color()) in colours or known in markers


@pytest.mark.slow
@LAYOUTS
def test_the_legend_of_a_decision_map_names_its_areas_and_marks(layout: Layout) -> None:
    sent = offload(arm(5, where="local"), arm(4), arm(6, payload="jpeg"))
    (section,) = bundle_sections([], [], [sent])
    ((_, _, drawing),) = section.assessments
    assert drawing
    figure = drawn(drawing, layout)
    (legend,) = figure.legends
    colours = {
        to_hex(colour) for panel in figure.axes for mark in panel.collections for colour in mark.get_facecolors()
    }
    assert {
        to_hex(handle.get_facecolor()) for handle in legend.legend_handles if hasattr(handle, "get_facecolor")
    } <= colours
    assert len(legend.legend_handles) >= 2
