"""Map of round trip and bandwidth: whether remote or local inference is faster, or neither is decided."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from edge_bench.app.figures.drawing.axes import tick_label
from edge_bench.app.figures.drawing.canvas import Drawing, new_figure
from edge_bench.app.render.formats import Layout
from edge_bench.app.render.palette import GRID, INK, PAPER
from edge_bench.bench.offload.analysis.assessment import Assessment, Row, decision_map
from edge_bench.bench.offload.network.link_profiles import DIRECT
from edge_bench.bench.offload.records.offload import Offload
from edge_bench.bench.stats.ratios import Verdict

__all__ = ["decisions"]

_REMOTE, _LOCAL = "#0072b2", "#d55e00"
_RTTS_S = np.geomspace(0.1e-3, 0.5, 60)  # seconds
_RATES_BPS = np.geomspace(1e5, 1e9, 50)  # bits per second
_MARKERS = {
    Verdict.FASTER: ("^", _REMOTE, "measured: remote is faster"),
    Verdict.SLOWER: ("v", _LOCAL, "measured: local is faster"),
}
#: Value of the map, colour and label of each area, from the lowest value.
_AREAS = ((-1, _LOCAL, "local is faster"), (0, GRID, "undecided"), (1, _REMOTE, "remote is faster"))
_ALPHA = 0.55


def decisions(offload: Offload, assessment: Assessment) -> Drawing | None:
    """Return one map per payload; None if times are emulated or too few processes were measured."""
    payloads = dict.fromkeys(row.payload for row in assessment.rows)
    computed = {payload: decision_map(offload, payload, _RTTS_S, _RATES_BPS) for payload in payloads}
    maps = {payload: values for payload, values in computed.items() if values is not None}
    if not maps:
        return None
    shares = "; ".join(
        f"{payload}: remote is faster on {np.mean(values > 0):.0%} of the map, local on {np.mean(values < 0):.0%}"
        for payload, values in maps.items()
    )
    has_marks = any(row.p50 and offload.link(row.link) for row in assessment.rows)
    measured = " Each mark is a link that was measured, at its bandwidth up." if has_marks else ""
    return Drawing(
        name="decision-map",
        title="Local or remote inference, by round trip and bandwidth",
        caption="The areas are predicted from the parts of a remote inference measured in this run (p50). The map "
        f"assumes the same bandwidth both ways.{measured}",
        description=f"Map of the faster side by round trip and bandwidth. {shares}.",
        draw=lambda layout: _draw(offload, assessment, maps, layout),
    )


def _draw(offload: Offload, assessment: Assessment, maps: dict[str, Any], layout: Layout) -> Any:
    count = len(maps)
    rows, columns = (count, 1) if layout.narrow else (1, count)
    height = 0.3 + (2.3 * count if layout.narrow else 2.7)
    marks = dict[str, Any]()
    figure, panels = new_figure(layout, height, rows, columns, sharex=True, sharey=True)
    for number, (payload, values) in enumerate(maps.items()):
        panel = panels[number]
        panel.contourf(_RTTS_S * 1e3, _RATES_BPS / 1e6, values, levels=[-1.5, -0.5, 0.5, 1.5],
                       colors=[colour for _, colour, _ in _AREAS], alpha=_ALPHA)  # fmt: skip
        for row in assessment.rows:
            if row.payload == payload and row.in_flight == 1 and row.link != DIRECT and row.p50:
                marks |= _mark(panel, offload, row)
        panel.set(xscale="log", yscale="log", title=payload)
        if number == 0 or layout.narrow:
            panel.set_ylabel("bandwidth, Mbit/s")
        if number == count - 1 or not layout.narrow:
            panel.set_xlabel("round trip, ms")
        for axis in (panel.xaxis, panel.yaxis):
            axis.set_major_formatter(tick_label)
    _draw_legend(figure, list(maps.values()), marks, layout)
    return figure


def _draw_legend(figure: Any, maps: Sequence[Any], marks: Mapping[str, Any], layout: Layout) -> None:
    """Name the areas and the marks that are in the figure."""
    from matplotlib.patches import Patch

    areas = [
        Patch(facecolor=colour, alpha=_ALPHA, label=label)
        for value, colour, label in _AREAS
        if any((np.sign(values) == value).any() for values in maps)
    ]
    handles = [*areas, *marks.values()]
    columns = 2 if layout.narrow else min(len(handles), 6)
    figure.legend(handles=handles, loc="outside lower left", ncols=columns, columnspacing=1.4, handletextpad=0.5)


def _mark(panel: Any, offload: Offload, row: Row) -> dict[str, Any]:
    """Draw the mark of a measured link, and return it by its label; nothing if it has no place on the map."""
    link = offload.link(row.link)
    if link is None or row.p50 is None or not link.rtt_s:
        return {}
    marker, colour, label = _MARKERS.get(row.p50.verdict, ("o", INK, "measured: same or undecided"))
    rate = min(max((link.up_bps or _RATES_BPS[-1]) / 1e6, _RATES_BPS[0] / 1e6), _RATES_BPS[-1] / 1e6)
    mark = panel.scatter(
        link.rtt_s * 1e3, rate, marker=marker, color=colour, edgecolors=PAPER, linewidths=0.7, s=34, zorder=3,
        label=label, clip_on=False,
    )  # fmt: skip
    return {label: mark}
