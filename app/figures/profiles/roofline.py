"""The roofline plot: each operator's rate against its work per byte, below the peaks of the machine."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from edge_bench.app.figures.drawing.axes import grid, scale_for
from edge_bench.app.figures.drawing.canvas import Drawing, colour_of, new_figure
from edge_bench.app.figures.drawing.entries import short_name
from edge_bench.app.figures.drawing.labels import label_points
from edge_bench.app.render.formats import Layout
from edge_bench.app.render.palette import MUTED, PAPER
from edge_bench.app.render.units import percent, significant
from edge_bench.bench.analysis.profiles.names import operator_names
from edge_bench.bench.analysis.profiles.roofline import Bound, in_cache, placements
from edge_bench.bench.records.profile import OperatorTime, Peaks, Profile
from edge_bench.bench.wording import counted

__all__ = ["roofline"]

#: Area of the mark of an operator that takes all the time, in square points, and the smallest one.
_MAX_AREA, _MIN_AREA = 700.0, 9.0
#: Operators with a label, those that take most time.
_MOST_LABELS = 6
_MAX_LABEL = 20
#: Space around the operators, as a factor.
_MARGIN = 2.5
_CACHE_STYLE = (0, (4, 2))
GIGA = 1e9


class _Point(NamedTuple):
    """An operator with multiply-accumulates."""

    name: str
    operator: OperatorTime
    share: float  # of the time of the profile

    @property
    def place(self) -> tuple[float, float]:
        """MACs per byte, and 10^9 MACs per second."""
        return self.operator.intensity or 0.0, (self.operator.macs_per_second or 0.0) / GIGA


def roofline(profiles: Sequence[Profile], names: Sequence[str]) -> Drawing | None:
    """Return a panel for each profile that has peaks, with its ``names``; None if there is nothing to draw."""
    shown = [
        (profile, name, points)
        for profile, name in zip(profiles, names, strict=True)
        if profile.peaks is not None and (points := _points(profile))
    ]
    if not shown:
        return None
    described = "; ".join(f"{name}: {_description(profile)}" for profile, name, _ in shown)
    return Drawing(
        name="roofline",
        title="Roofline: what limits each operator",
        caption=f"Each mark is an operator with multiply-accumulates (MACs). Its area is its share of the time. "
        f"{_other_time(shown)}Lines are the measured peaks: horizontal for computing, sloping for moving data in "
        f"memory (solid) and in caches (dashed). An operator left of the corner of its roof is limited by moving data, "
        f"right of it by computing. Far below all roofs, neither is used well.",
        description=f"Rate against work per byte of the operators of {counted(len(shown), 'profile')}. {described}.",
        draw=lambda layout: _draw(shown, layout),
    )


def _points(profile: Profile) -> list[_Point]:
    """Return the operators with a place in the plot, those that take most time first."""
    names = operator_names(profile.operators)
    found = [
        _Point(short_name(name, _MAX_LABEL), operator, profile.share([operator]))
        for name, operator in zip(names, profile.operators, strict=True)
        if operator.intensity and operator.macs_per_second and profile.is_resolved(operator)
    ]
    return sorted(found, key=lambda point: -point.share)


def _description(profile: Profile) -> str:
    """Return how many operators each limit has, and the three that take most time."""
    placed = placements(profile)
    counts = [
        f"{count} limited by {bound.value}" for bound in Bound if (count := sum(each.bound is bound for each in placed))
    ]
    largest = [
        f"{point.name} {significant(point.place[1])} GMAC/s at {significant(point.place[0])} MACs per byte"
        for point in _points(profile)[:3]
    ]
    return ", ".join([*counts, *largest])


def _other_time(shown: Sequence[tuple[Profile, str, Sequence[_Point]]]) -> str:
    """Return the share of time of operators without a mark."""
    texts = []
    for profile, name, points in shown:
        placed = {point.operator.index for point in points}
        share = profile.share([each for each in profile.operators if each.index not in placed])
        texts.append(f"{percent(share, 0)} %{f' of {name}' if len(shown) > 1 else ' of the time'}")
    return f"Operators without MACs, {' and '.join(texts)}, have no mark. "


def _draw(shown: Sequence[tuple[Profile, str, Sequence[_Point]]], layout: Layout) -> Any:
    count = len(shown)
    rows, columns = (count, 1) if layout.narrow else (1, count)
    figure, panels = new_figure(layout, 2.9 * count if layout.narrow else 3.5, rows, columns, sharex=True, sharey=True)
    limits = _limits(shown)
    for number, (panel, (_, name, _)) in enumerate(zip(panels, shown, strict=True)):
        grid(panel, "both")
        if number == count - 1 or not layout.narrow:
            panel.set_xlabel("MACs per byte")
        if number == 0 or layout.narrow:
            panel.set_ylabel("GMAC/s")
        if count > 1:
            panel.set_title(short_name(name))
        for axis, (low, high) in zip((panel.xaxis, panel.yaxis), limits, strict=True):
            scale_for(axis, low, high)
    for panel, (profile, _, points) in zip(panels, shown, strict=True):
        if profile.peaks is not None:
            _draw_panel(panel, profile, profile.peaks, points)
    return figure


def _limits(shown: Sequence[tuple[Profile, str, Sequence[_Point]]]) -> list[tuple[float, float]]:
    """Return the lowest and highest value on both axes, of all operators and horizontal roofs."""
    places = np.array([point.place for _, _, points in shown for point in points])
    rates = [rate / GIGA for profile, _, _ in shown if profile.peaks for rate in profile.peaks.macs_per_second.values()]
    ridges = [
        peak / profile.peaks.bytes_per_second
        for profile, _, _ in shown
        if profile.peaks and profile.peaks.bytes_per_second
        for peak in profile.peaks.macs_per_second.values()
    ]
    low, high = places.min(axis=0) / _MARGIN, places.max(axis=0)
    right = max([high[0] * _MARGIN, *(1.6 * ridge for ridge in ridges)])
    top = max([high[1], *rates])
    # at least two decades, as both axes are logarithmic
    return [(min(low[0], right / 100), right), (min(low[1], top / 100), 1.5 * top)]


def _draw_panel(panel: Any, profile: Profile, peaks: Peaks, points: Sequence[_Point]) -> None:
    """Draw the roofs, then the operators with labels for the largest."""
    lines = [*_draw_roofs(panel, profile, peaks), *_name_slopes(panel, peaks)]
    colour = colour_of(profile.variant)
    areas = [max(_MAX_AREA * point.share, _MIN_AREA) for point in points]
    for point, area in zip(points, areas, strict=True):
        panel.scatter(*point.place, s=area, color=colour, alpha=0.75, edgecolors=PAPER, linewidths=0.7, zorder=3)
    label_points(
        panel,
        [point.place for point in points[:_MOST_LABELS]],
        [point.name for point in points[:_MOST_LABELS]],
        [(*point.place, float(np.sqrt(area / np.pi))) for point, area in zip(points, areas, strict=True)],
        lines,
    )


def _draw_roofs(panel: Any, profile: Profile, peaks: Peaks) -> list[tuple[float, float, float, float]]:
    """Draw the lines of the peaks with their values; return them as x, y, x, y."""
    (left, right), top = panel.get_xlim(), max(peaks.macs_per_second.values(), default=0.0) / GIGA
    lines = list[tuple[float, float, float, float]]()
    slopes = [
        ("memory", peaks.bytes_per_second, "-", not in_cache(profile)),
        ("caches", peaks.cached_bytes_per_second, _CACHE_STYLE, in_cache(profile)),
    ]
    known = [(name, rate / GIGA, style, used) for name, rate, style, used in slopes if rate]
    for _, rate, style, used in known:
        end = min(right, top / rate) if top else right
        lines.append((left, left * rate, end, end * rate))
        _line(panel, lines[-1], style, used)
    steepest = max((rate for _, rate, _, _ in known), default=0.0)
    for precision, each in peaks.macs_per_second.items():
        rate = each / GIGA
        start = max(left, rate / steepest) if steepest else left
        used = any(operator.precision == precision for operator in profile.operators)
        lines.append((start, rate, right, rate))
        _line(panel, lines[-1], "-", used)
        panel.text(1.01, rate, f"{precision}\n{significant(rate)}", transform=panel.get_yaxis_transform(), color=MUTED,
                   fontsize=6.2, ha="left", va="center", linespacing=1.0)  # fmt: skip
    return lines


def _line(panel: Any, ends: tuple[float, float, float, float], style: Any, used: bool) -> None:
    """Draw a roof, thicker if it limits operators of this profile."""
    x, y, end_x, end_y = ends
    width = 1.2 if used else 0.6
    panel.plot([x, end_x], [y, end_y], color=MUTED, linewidth=width, linestyle=style, zorder=1, scalex=False,
               scaley=False)  # fmt: skip


def _name_slopes(panel: Any, peaks: Peaks) -> list[tuple[float, float, float, float]]:
    """Write the bytes per second along the sloping roofs; return lines through the texts."""
    panel.figure.draw_without_rendering()  # places the axes, on which the angle depends
    (left, right), bottom = panel.get_xlim(), panel.get_ylim()[0]
    top = max(peaks.macs_per_second.values(), default=0.0) / GIGA
    to_pixels, lines = panel.transData.transform, list[tuple[float, float, float, float]]()
    for name, each in (("memory", peaks.bytes_per_second), ("caches", peaks.cached_bytes_per_second)):
        rate = (each or 0.0) / GIGA
        start = max(left, bottom / rate) * 1.3 if rate else right
        if start >= right:
            continue
        first, second = to_pixels([(start, start * rate), (2 * start, 2 * start * rate)])
        angle = float(np.degrees(np.arctan2(*(second - first)[::-1])))
        text = panel.text(start, start * rate, f"{name} {significant(rate)} GB/s", color=MUTED, fontsize=6.2,
                          rotation=angle, rotation_mode="anchor", ha="left", va="bottom", clip_on=True)  # fmt: skip
        text.set_in_layout(False)
        box = panel.transData.inverted().transform(text.get_window_extent())
        if box[1][1] > top > 0:  # longer than its line
            text.remove()
            continue
        lines.append((*box[0], *box[1]))
    return lines
