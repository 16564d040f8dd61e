"""The time of each operator as bars, of one profile or of two side by side."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from edge_bench.app.figures.drawing.axes import Rows, grid, name_rows, tick_label
from edge_bench.app.figures.drawing.canvas import Drawing, colour_of, new_figure
from edge_bench.app.figures.drawing.entries import short_name
from edge_bench.app.render.formats import Layout
from edge_bench.app.render.palette import INK
from edge_bench.app.render.units import seconds as seconds_text
from edge_bench.bench.analysis.profiles.matching import Pair, matched
from edge_bench.bench.analysis.profiles.names import operator_names
from edge_bench.bench.records.profile import OperatorTime, Profile
from edge_bench.bench.wording import counted

__all__ = ["operator_times"]

#: Rows of a figure: the operators that take most time.
_MOST_ROWS = 24
_MAX_NAME = 28


class _Row(NamedTuple):
    name: str
    operators: Sequence[OperatorTime | None]  # of each profile


def operator_times(profiles: Sequence[Profile], names: Sequence[str]) -> Drawing:
    """Return a row of bars for each operator, in the order of execution, of one or two profiles with ``names``."""
    rows = _rows(profiles)
    largest = sorted(rows, key=lambda row: -_seconds(row, profiles))[:_MOST_ROWS]
    shown = [row for row in rows if row in largest]
    left_out = f" The {_MOST_ROWS} slowest of {counted(len(rows), 'operator')} are shown." if rows != shown else ""
    slowest = "; ".join(
        f"{name}: {', '.join(_described(row, number, profiles) for row in largest[:5] if row.operators[number])}"
        for number, name in enumerate(names)
    )
    return Drawing(
        name="operators",
        title="Time of each operator",
        caption=f"Operators in the order of execution. Lines are the quartiles of all profiled invocations.{left_out}",
        description=f"Time per example of {counted(len(rows), 'operator')}. Slowest of {slowest}.",
        draw=lambda layout: _draw(shown, profiles, names, layout),
    )


def _rows(profiles: Sequence[Profile]) -> list[_Row]:
    by_id = {
        id(operator): name
        for profile in profiles
        for operator, name in zip(profile.operators, operator_names(profile.operators), strict=True)
    }
    pairs: list[Pair]
    if len(profiles) == 1:
        return [_Row(by_id[id(operator)], [operator]) for operator in profiles[0].operators]
    pairs = matched(profiles[0].operators, profiles[1].operators)
    return [_Row(by_id[id(first if first is not None else second)], [first, second]) for first, second in pairs]


def _seconds(row: _Row, profiles: Sequence[Profile]) -> float:
    """Return the longest time per example of a row."""
    return max(
        operator.seconds / profile.batch_size
        for operator, profile in zip(row.operators, profiles, strict=True)
        if operator is not None
    )


def _described(row: _Row, number: int, profiles: Sequence[Profile]) -> str:
    operator = row.operators[number]
    seconds = operator.seconds / profiles[number].batch_size if operator else 0.0
    return f"{row.name} {seconds_text(seconds)}"


def _draw(shown: Sequence[_Row], profiles: Sequence[Profile], names: Sequence[str], layout: Layout) -> Any:
    rows = Rows([short_name(row.name, _MAX_NAME) for row in shown], [""] * len(shown))
    count = len(profiles)
    figure, (panel,) = new_figure(layout, 0.75 + (0.17 + 0.07 * count) * rows.height)
    name_rows(panel, rows)
    grid(panel, "x")
    height = 0.76 / count
    is_long = max(_seconds(row, profiles) for row in shown) >= 1e-3
    for number, (profile, name) in enumerate(zip(profiles, names, strict=True)):
        scale = (1e3 if is_long else 1e6) / profile.batch_size
        colour = _colour(profiles, number)
        places = [
            (y - 0.38 + height * (number + 0.5), operator)
            for row, y in zip(shown, rows.positions, strict=True)
            if (operator := row.operators[number]) is not None
        ]
        panel.barh([y for y, _ in places], [scale * each.seconds for _, each in places], height=0.9 * height,
                   color=colour, alpha=0.8, linewidth=0, label=short_name(name))  # fmt: skip
        for y, each in places:
            panel.plot([scale * each.lower_seconds, scale * each.upper_seconds], [y, y], color=INK, linewidth=0.8)
    panel.set_xlim(left=0)
    batched = any(profile.batch_size > 1 for profile in profiles)
    panel.set_xlabel(f"{'ms' if is_long else 'µs'}{' per example' if batched else ''}")
    panel.xaxis.set_major_formatter(tick_label)
    if count > 1:
        figure.legend(loc="outside lower left", ncols=1 if layout.narrow else 2, handlelength=1.0)
    return figure


def _colour(profiles: Sequence[Profile], number: int) -> str:
    """Return the colour of the variant; the second profile of the same variant is grey."""
    colour = colour_of(profiles[number].variant)
    return "#cc79a7" if number and colour == colour_of(profiles[0].variant) else colour
