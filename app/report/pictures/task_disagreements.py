"""What configurations of one task disagree on: within each Run, and the same variant on different machines."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from edge_bench.app.figures.drawing.entries import Entry, entries_by_run
from edge_bench.app.render.html.elements import Html, element, fragment
from edge_bench.app.render.html.table import html_table, with_badges
from edge_bench.app.render.table import Table
from edge_bench.app.report.bundle_section import BundleSection
from edge_bench.app.report.disagreements import how_to_see
from edge_bench.app.report.pictures.boxes import compare_boxes, show_boxes
from edge_bench.app.report.pictures.masks import compare_masks, show_masks
from edge_bench.app.report.pictures.numbers import compare_outputs, compare_scores, show_outputs, show_scores
from edge_bench.app.report.pictures.pair import Compared, Pair
from edge_bench.bench.analysis.labels.same_images import comparable_predictions
from edge_bench.bench.errors import BadInput
from edge_bench.bench.records.outputs.boxes import Detections
from edge_bench.bench.records.outputs.masks import Segmentation
from edge_bench.bench.records.outputs.scores import ScoreTable
from edge_bench.bench.records.outputs.union import TensorOutputs
from edge_bench.bench.wording import counted

__all__ = ["task_disagreements"]

#: Pairs that are compared for one heading. Most configurations of a Run have the outputs of another one.
_MAX_PAIRS = 20


class _Kind(NamedTuple):
    """How two outputs of one type are compared and shown."""

    compare: Callable[[Pair], Compared]
    show: Callable[[Pair, Compared], Html | None]
    has_images: bool


_KINDS: dict[type, _Kind] = {
    Detections: _Kind(compare_boxes, show_boxes, has_images=True),
    Segmentation: _Kind(compare_masks, show_masks, has_images=True),
    ScoreTable: _Kind(compare_scores, show_scores, has_images=False),
    TensorOutputs: _Kind(compare_outputs, show_outputs, has_images=False),
}


def task_disagreements(section: BundleSection) -> Html:
    """Return the disagreements between the configurations of each Run, then between machines on the same variant."""
    recorded = [entry for entry in section.entries if entry.result.outputs is not None]
    return fragment(
        *(_between_configurations(section, entries) for entries in entries_by_run(recorded)),
        _between_machines(section, recorded),
    )


def _between_configurations(section: BundleSection, entries: Sequence[Entry]) -> Html | None:
    if len(entries) < 2:
        return None
    baseline = section.comparison.baseline if section.comparison else None
    first = next((entry for entry in entries if entry.result.configuration == baseline), entries[0])
    pairs = [Pair(section, first, entry) for entry in _distinct([first, *entries])[1:]]
    heading = element("h3", with_badges(f"Between configurations on {first.machine}"))
    if not pairs:
        count = first.run.images.indices.length
        same = f"All {len(entries)} configurations have the same outputs on all {count:,} examples."
        return fragment(heading, element("p", same))
    return fragment(heading, _pairs(section, pairs))


def _between_machines(section: BundleSection, entries: Sequence[Entry]) -> Html | None:
    by_variant: dict[str, list[list[Entry]]] = {}
    for of_run in entries_by_run(entries):
        for variant in dict.fromkeys(entry.variant for entry in of_run):
            by_variant.setdefault(variant, []).append([entry for entry in of_run if entry.variant == variant])
    shared = [groups for groups in by_variant.values() if len(groups) > 1]
    if not shared:
        return None
    pairs = [_same_runtime(section, groups[0], others) for groups in shared for others in groups[1:]]
    pairs = [pair for pair in pairs if comparable_predictions(pair.first.run, pair.second.run)]
    differing = [pair for pair in pairs if not _equal(pair)]
    heading = element("h3", "The same variant on different machines")
    if not any(len(pair.numbers) for pair in pairs):
        return fragment(heading, element("p", "The machines have no examples in common."))
    if not differing:
        return fragment(heading, element("p", "Each variant has the same outputs on all machines."))
    return fragment(heading, _pairs(section, differing))


def _same_runtime(section: BundleSection, first: Sequence[Entry], others: Sequence[Entry]) -> Pair:
    """Return a configuration of each side, with the same runtime if there is one."""
    runtimes = {entry.result.configuration.runtime: entry for entry in reversed(others)}
    one = next((entry for entry in first if entry.result.configuration.runtime in runtimes), first[0])
    return Pair(section, one, runtimes.get(one.result.configuration.runtime, others[0]))


def _distinct(entries: Sequence[Entry]) -> list[Entry]:
    """Return the first entry of each different record of outputs, in their order."""
    found: list[Entry] = []
    for entry in entries:
        if all(entry.result.outputs != other.result.outputs for other in found):
            found.append(entry)
    return found


def _equal(pair: Pair) -> bool:
    same_examples = pair.first.run.images.indices == pair.second.run.images.indices
    return same_examples and pair.first.result.outputs == pair.second.result.outputs


def _pairs(section: BundleSection, pairs: Sequence[Pair]) -> Html:
    """Return the agreement of each pair, and what the one with the largest disagreement disagrees on."""
    compared = [_compared(pair) for pair in pairs[:_MAX_PAIRS]]
    rows = [[*pair.names, found.text] for pair, found in zip(pairs, compared, strict=False)]
    left_out = len(pairs) - len(rows)
    table = html_table(Table("Agreement of outputs", ["configuration", "and", "agreement"], rows, keys=2))
    number = max(range(len(compared)), key=lambda each: compared[each].distance)
    more = f"The first {len(rows)} of {counted(len(pairs), 'pair')} with different outputs." if left_out else None
    return fragment(
        table, element("p", more, class_="small") if more else None, _shown(section, pairs[number], compared[number])
    )


def _compared(pair: Pair) -> Compared:
    outputs = pair.first.result.outputs, pair.second.result.outputs
    if type(outputs[0]) is not type(outputs[1]):
        return Compared("not comparable: outputs of different kinds", -1)
    try:
        return _KINDS[type(outputs[0])].compare(pair)
    except (BadInput, ValueError) as cause:  # of other shapes, or of a damaged Run
        return Compared(f"not comparable: {cause}", -1)


def _shown(section: BundleSection, pair: Pair, compared: Compared) -> Html | None:
    kind = _KINDS[type(pair.first.result.outputs)]
    if compared.distance < 0:
        return None
    try:
        shown = kind.show(pair, compared)
    except ValueError as cause:  # true values of a damaged Run
        return element("p", f"The examples cannot be shown: {cause}.")
    if shown is None:
        return None
    first, second = pair.names
    remark = f" {how_to_see(section)}" if kind.has_images and section.images is None else ""
    heading = f"Examples with the largest differences between {first} and {second}.{remark}"
    return fragment(element("p", with_badges(heading)), shown)
