"""Round trip against bandwidth: where sending an image is faster, where staying is, and where nobody can say."""

from typing import Any

import numpy as np

from edge_bench.app.figures.drawing.axes import plain
from edge_bench.app.figures.drawing.canvas import Drawing, new_figure
from edge_bench.app.render.formats import Layout
from edge_bench.app.render.palette import GRID, INK, PAPER
from edge_bench.bench.offload.analysis.assessment import Assessment, Row, decision_map
from edge_bench.bench.offload.network.link import DIRECT
from edge_bench.bench.offload.records.offload import Offload
from edge_bench.bench.stats.ratios import Verdict

__all__ = ["decisions"]

_SEND, _STAY = "#0072b2", "#d55e00"
_RTTS_S = np.geomspace(0.1e-3, 0.5, 60)
_RATES = np.geomspace(1e5, 1e9, 50)
_MARKS = {Verdict.FASTER: ("^", _SEND), Verdict.SLOWER: ("v", _STAY)}


def decisions(offload: Offload, assessment: Assessment) -> Drawing | None:
    """A map a payload; None where times say nothing, or too few processes were measured."""
    payloads = list(dict.fromkeys(row.payload for row in assessment.rows))
    maps = {payload: decision_map(offload, payload, _RTTS_S, _RATES) for payload in payloads}
    able = {payload: values for payload, values in maps.items() if values is not None}
    if not able:
        return None
    shares = "; ".join(
        f"{payload}: sending wins on {np.mean(values > 0):.0%} of the map, staying on {np.mean(values < 0):.0%}"
        for payload, values in able.items()
    )
    return Drawing(
        name="decision-map",
        title="Here or there, by round trip and bandwidth",
        caption="The areas are predicted from the parts measured in this run: blue where sending an image is faster "
        "(p50), vermillion where running it here is, grey where the interval decides neither. Marks are links that "
        "were measured: ▲ send, ▼ stay, ● undecided or the same. Bandwidth is taken as the same both ways; a mark "
        "stands at its bandwidth up.",
        description=f"Map of who wins by round trip and bandwidth. {shares}.",
        draw=lambda layout: _draw(offload, assessment, able, layout),
    )


def _draw(offload: Offload, assessment: Assessment, maps: dict[str, Any], layout: Layout) -> Any:
    count = len(maps)
    rows, columns = (count, 1) if layout.narrow else (1, count)
    height = 2.3 * count if layout.narrow else 2.7
    figure, panels = new_figure(layout, height, rows, columns, sharex=True, sharey=True)
    for number, (payload, values) in enumerate(maps.items()):
        panel = panels[number]
        panel.contourf(
            _RTTS_S * 1e3, _RATES / 1e6, values, levels=[-1.5, -0.5, 0.5, 1.5], colors=[_STAY, GRID, _SEND], alpha=0.55
        )
        for row in assessment.rows:
            if row.payload == payload and row.in_flight == 1 and row.link != DIRECT and row.p50:
                _mark(panel, offload, row)
        panel.set(xscale="log", yscale="log", title=payload)
        if number == 0 or layout.narrow:
            panel.set_ylabel("bandwidth, Mbit/s")
        if number == count - 1 or not layout.narrow:
            panel.set_xlabel("round trip, ms")
        for axis in (panel.xaxis, panel.yaxis):
            axis.set_major_formatter(plain)
    return figure


def _mark(panel: Any, offload: Offload, row: Row) -> None:
    link = offload.link(row.link)
    if link is None or row.p50 is None or not link.rtt_s:
        return
    marker, colour = _MARKS.get(row.p50.verdict, ("o", INK))
    rate = min(max((link.up_bps or _RATES[-1]) / 1e6, _RATES[0] / 1e6), _RATES[-1] / 1e6)
    panel.scatter(link.rtt_s * 1e3, rate, marker=marker, color=colour, edgecolors=PAPER, linewidths=0.7, s=34, zorder=3)
