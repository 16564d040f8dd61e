"""The examples whose numbers differ most between two configurations, as tables."""

import math

import numpy as np
import numpy.typing as npt

from edge_bench.app.figures.drawing.entries import Entry
from edge_bench.app.render.html.elements import Html, fragment
from edge_bench.app.render.html.table import html_table
from edge_bench.app.render.table import Table
from edge_bench.app.report.pictures.pair import MAX_SHOWN, Compared, Pair, class_name
from edge_bench.bench.io.record_codec import unpack
from edge_bench.bench.records.outputs.scores import FlagTruth, ScoreTable, ValueTruth
from edge_bench.bench.records.outputs.tensors import unpack_values
from edge_bench.bench.records.outputs.union import TensorOutputs
from edge_bench.bench.tasks.tensors.agreement import OutputsAgreement, output_agreements
from edge_bench.bench.tasks.tensors.differences import TensorDifference
from edge_bench.bench.wording import counted

__all__ = ["compare_outputs", "compare_scores", "show_outputs", "show_scores"]

Values = npt.NDArray[np.float64]


def compare_outputs(pair: Pair) -> Compared:
    """Return the agreement of all outputs; raise ValueError if a record is damaged."""
    found = _agreements(pair).outputs
    worst = max(found, key=lambda each: _relative(each.difference), default=None)
    if worst is None:
        return Compared("no outputs", -1)
    if not any(each.compared for each in found):
        return Compared("no example whose values both store", -1)
    largest = f"largest difference {_number(worst.difference.max_abs)}"
    mismatched = (
        f", {counted(worst.difference.mismatched, 'value')} finite in one only" if worst.difference.mismatched else ""
    )
    distance = _relative(worst.difference)
    text = f"{largest}, SNR {_decibels(worst.difference)}, in output {worst.name}{mismatched}"
    return Compared(text if distance else "equal values", distance)


def show_outputs(pair: Pair, compared: Compared) -> Html | None:
    """Return a row for each output: all examples together, and the worst one."""
    if compared.distance <= 0:
        return None
    rows = []
    for each in _agreements(pair).outputs:
        worst = each.worst or TensorDifference(values=0, mismatched=0, max_abs=None, rms=None, cosine=None, snr_db=None)
        rows.append(
            [
                each.name or "output",
                f"{each.compared:,} of {each.total_examples:,}{' (sampled)' if each.sampled else ''}",
                "" if each.identical is None else f"{each.identical:,}",
                _number(each.difference.max_abs),
                _number(each.difference.rms),
                "" if each.difference.cosine is None else f"{each.difference.cosine:.6f}",
                _decibels(each.difference),
                "" if each.worst_example is None or worst.same else pair.example_name(each.worst_example),
                "" if worst.same else _number(worst.max_abs),
                "" if worst.same else _number(worst.rms),
            ]
        )
    header = ["output", "examples\ncompared", "same bytes", "max |Δ|", "RMS", "cosine", "SNR",
              "worst example", "its\nmax |Δ|", "its\nRMS"]  # fmt: skip
    return html_table(Table("Differences of each output", header, rows, keys=1))


def compare_scores(pair: Pair) -> Compared:
    """Return how far the values of two configurations differ; raise ValueError if a record is damaged."""
    differences = _differences(pair).max(axis=1, initial=0)
    differing = int(np.count_nonzero(differences))
    order = np.argsort(-differences, kind="stable")[: min(MAX_SHOWN, differing)]
    largest = float(differences.max(initial=0))
    text = f"{len(differences) - differing:,} of {counted(len(differences), 'example')} have equal values"
    if differing:
        text += f", largest difference {_number(largest)}"
    return Compared(text, largest, tuple(order.tolist()))


def show_scores(pair: Pair, compared: Compared) -> Html | None:
    """Return the worst examples: the value with the largest difference of each, and the true one if it is known."""
    if not compared.worst:
        return None
    first, second = (_values(entry) for entry in (pair.first, pair.second))
    differences, truth = _differences(pair), _truth(pair.first)
    names = {}
    if isinstance(pair.first.run.truth, FlagTruth):
        names = dict(enumerate(pair.first.run.truth.classes))
    rows = []
    for place in compared.worst:
        column = int(differences[place].argmax())
        ours, theirs = (int(side[place]) for side in pair.common)
        row = [pair.example_name(place), _number(float(first[ours, column])), _number(float(second[theirs, column]))]
        row += [] if truth is None else [_number(float(truth[ours, column]))]
        row.append(_number(float(differences[place, column])))
        if first.shape[1] > 1:
            row.insert(1, class_name(pair.section, column, names) if names else f"{column:,}")
        rows.append(row)
    header = ["example", *(["value"] if first.shape[1] > 1 else []), *pair.names]
    header += [*(["true"] if truth is not None else []), "|Δ|"]
    return fragment(html_table(Table("Examples with the largest differences", header, rows, keys=1)))


def _agreements(pair: Pair) -> OutputsAgreement:
    sides = []
    for entry in (pair.first, pair.second):
        outputs = entry.result.outputs
        count = entry.run.images.indices.length
        if not isinstance(outputs, TensorOutputs) or any(each.examples != count for each in outputs.outputs):
            raise ValueError("the outputs are of other examples")
        sides.append(outputs.outputs)
    return output_agreements(sides[0], sides[1], pair.common)


def _relative(difference: TensorDifference) -> float:
    """Return the root of the noise's share of the signal: 0 for equal values, infinite without a common scale."""
    if difference.same:
        return 0.0
    if difference.mismatched or difference.snr_db is None:
        return math.inf
    return float(10 ** (-difference.snr_db / 20))


def _values(entry: Entry) -> Values:
    outputs = entry.result.outputs
    if not isinstance(outputs, ScoreTable):
        raise ValueError("the outputs are of another task")
    return _table(unpack_values(outputs.values), outputs.columns, entry)


def _truth(entry: Entry) -> Values | None:
    """Return the true values, one row for each example; None if they are unknown or do not fit."""
    match entry.run.truth:
        case ValueTruth(columns=columns, values=values):
            found = _table(unpack_values(values), columns, entry)
        case FlagTruth(columns=columns, flags=flags):
            found = _table(unpack(flags), columns, entry)
        case _:
            return None
    return found if found.shape == _values(entry).shape else None


def _table(values: npt.NDArray[np.generic], columns: int, entry: Entry) -> Values:
    if len(values) != columns * entry.run.images.indices.length:
        raise ValueError("the values are of other examples")
    return values.astype(np.float64).reshape(-1, columns)


def _differences(pair: Pair) -> Values:
    """Return |first - second| of common examples, [examples, columns]; infinite if only one is finite."""
    first, second = (_values(entry)[side] for entry, side in zip((pair.first, pair.second), pair.common, strict=True))
    if first.shape != second.shape:
        raise ValueError(f"{first.shape[1]:,} and {second.shape[1]:,} values of an example")
    same = (first == second) | (np.isnan(first) & np.isnan(second))
    with np.errstate(invalid="ignore", over="ignore"):
        found: Values = np.where(same, 0.0, np.abs(first - second))
    found[~np.isfinite(found)] = np.inf
    return found


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _decibels(difference: TensorDifference) -> str:
    if difference.snr_db is not None:
        return f"{difference.snr_db:.1f} dB"
    return "∞" if difference.same else ""
