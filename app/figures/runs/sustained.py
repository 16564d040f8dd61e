"""Time per image, temperature and clock during sustained loads."""

from collections.abc import Sequence
from typing import Any

from edge_bench.app.figures.drawing.axes import grid, scale_for, tick_label
from edge_bench.app.figures.drawing.canvas import WARNING, Drawing, colour_of, new_figure
from edge_bench.app.figures.drawing.entries import short_name
from edge_bench.app.render.formats import Layout
from edge_bench.app.render.palette import MUTED
from edge_bench.bench.analysis.sustained.load import Load
from edge_bench.bench.wording import counted

__all__ = ["sustained_loads"]

#: Configurations in a figure: more lines cannot be told apart.
MAX_LINES = 8
_STYLES = ("-", "--", ":", "-.")


def sustained_loads(loads: Sequence[Load], names: Sequence[str], unit: str, machine: str, number: int) -> Drawing:
    """Return one line per configuration of one Run; ``number`` makes file names of several Runs unique.

    There are panels of temperature and clock if they are known. ``names`` are those of the configurations, ``unit`` is
    that of one example.
    """
    shown = loads[:MAX_LINES]
    left_out = f" The first {MAX_LINES} of {counted(len(loads), 'configuration')}." if len(loads) > MAX_LINES else ""
    outcomes = "; ".join(f"{name}: {load.outcome}" for name, load in zip(names, shown, strict=False))
    return Drawing(
        name=f"sustained-{number}",
        title=f"Sustained load, {machine}",
        caption="Median time of each minute, or of each tenth of a shorter load, the highest temperature and the clock "
        "of the fastest core. Each configuration ran alone, one after the other: all lines begin at 0. Dotted lines: "
        f"when the times changed. Crosses: the machine throttled.{left_out}",
        description=f"Times of {counted(len(shown), 'configuration')} during a sustained load: {outcomes}.",
        draw=lambda layout: _draw(shown, names, unit, layout),
    )


def _draw(loads: Sequence[Load], names: Sequence[str], unit: str, layout: Layout) -> Any:
    fields = [("image_ms", f"ms/{unit}"), ("temperature_c", "°C"), ("clock_mhz", "MHz")]
    known = [
        (field, label)
        for field, label in fields
        if any(getattr(each, field) is not None for load in loads for each in load.bins)
    ]
    figure, panels = new_figure(layout, 0.9 + 1.15 * len(known), rows=len(known), sharex=True)
    last = max(load.seconds for load in loads)
    scale, time_unit = (60.0, "minutes") if last > 150 else (1.0, "seconds")
    for panel, (field, label) in zip(panels, known, strict=True):
        _draw_panel(panel, loads, names, field, scale)
        panel.set_ylabel(label)
    panels[0].legend(loc="best")
    panels[-1].set(xlabel=f"{time_unit} since the configuration began", xlim=(0, last / scale))
    return figure


def _draw_panel(panel: Any, loads: Sequence[Load], names: Sequence[str], field: str, scale: float) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    variants: dict[str, int] = {}
    drawn = list[float]()
    for load, name in zip(loads, names, strict=False):
        variant = load.configuration.variant
        style = variants[variant] = variants.get(variant, -1) + 1
        bins = [each for each in load.bins if getattr(each, field) is not None]
        times, values = [each.start_s / scale for each in bins], [getattr(each, field) for each in bins]
        drawn += values
        colour = colour_of(variant)
        panel.plot(times, values, color=colour, linestyle=_STYLES[style % len(_STYLES)], marker="o", markersize=2,
                   label=short_name(name))  # fmt: skip
        throttled = [number for number, each in enumerate(bins) if each.throttled and field == "image_ms"]
        panel.plot([times[number] for number in throttled], [values[number] for number in throttled], color=WARNING,
                   linestyle="none", marker="x", markersize=5)  # fmt: skip
        if load.changed_after_s is not None:
            panel.axvline(load.changed_after_s / scale, color=MUTED, linewidth=0.6, linestyle=(0, (1, 2.5)))
    grid(panel, "y")
    if field == "image_ms":
        scale_for(panel.yaxis, min(drawn), max(drawn))
    else:
        panel.yaxis.set_major_locator(MaxNLocator(4))
        panel.yaxis.set_major_formatter(FuncFormatter(tick_label))
