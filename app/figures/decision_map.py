"""Map of round trip and bandwidth: whether remote or local inference is faster, or neither is decided."""

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
_MARKERS = {Verdict.FASTER: ("^", _REMOTE), Verdict.SLOWER: ("v", _LOCAL)}


def decisions(offload: Offload, assessment: Assessment) -> Drawing | None:
    """Return one map per payload; None if times are emulated or too few processes were measured."""
    payloads = dict.fromkeys(row.payload for row in assessment.rows)
    computed = {payload: decision_map(offload, payload, _RTTS_S, _RATES_BPS) for payload in payloads}
    maps = {payload: values for payload, values in computed.items() if values is not None}
    if not maps:
        return None
    shares = "; ".join(
        f"{payload}: sending wins on {np.mean(values > 0):.0%} of the map, staying on {np.mean(values < 0):.0%}"
        for payload, values in maps.items()
    )
    return Drawing(
        name="decision-map",
        title="Here or there, by round trip and bandwidth",
        caption="The areas are predicted from the parts measured in this run: blue where sending an image is faster "
        "(p50), vermillion where running it here is, grey where the interval decides neither. Marks are links that "
        "were measured: ▲ send, ▼ stay, ● undecided or the same. Bandwidth is taken as the same both ways; a mark "
        "stands at its bandwidth up.",
        description=f"Map of who wins by round trip and bandwidth. {shares}.",
        draw=lambda layout: _draw(offload, assessment, maps, layout),
    )


def _draw(offload: Offload, assessment: Assessment, maps: dict[str, Any], layout: Layout) -> Any:
    count = len(maps)
    rows, columns = (count, 1) if layout.narrow else (1, count)
    height = 2.3 * count if layout.narrow else 2.7
    figure, panels = new_figure(layout, height, rows, columns, sharex=True, sharey=True)
    for number, (payload, values) in enumerate(maps.items()):
        panel = panels[number]
        panel.contourf(_RTTS_S * 1e3, _RATES_BPS / 1e6, values, levels=[-1.5, -0.5, 0.5, 1.5],
                       colors=[_LOCAL, GRID, _REMOTE], alpha=0.55)  # fmt: skip
        for row in assessment.rows:
            if row.payload == payload and row.in_flight == 1 and row.link != DIRECT and row.p50:
                _mark(panel, offload, row)
        panel.set(xscale="log", yscale="log", title=payload)
        if number == 0 or layout.narrow:
            panel.set_ylabel("bandwidth, Mbit/s")
        if number == count - 1 or not layout.narrow:
            panel.set_xlabel("round trip, ms")
        for axis in (panel.xaxis, panel.yaxis):
            axis.set_major_formatter(tick_label)
    return figure


def _mark(panel: Any, offload: Offload, row: Row) -> None:
    link = offload.link(row.link)
    if link is None or row.p50 is None or not link.rtt_s:
        return
    marker, colour = _MARKERS.get(row.p50.verdict, ("o", INK))
    rate = min(max((link.up_bps or _RATES_BPS[-1]) / 1e6, _RATES_BPS[0] / 1e6), _RATES_BPS[-1] / 1e6)
    panel.scatter(link.rtt_s * 1e3, rate, marker=marker, color=colour, edgecolors=PAPER, linewidths=0.7, s=34, zorder=3)
