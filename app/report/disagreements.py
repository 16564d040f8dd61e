"""The test images on which variants, runtimes or machines disagree, with all predicted labels."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from edge_bench.app.figures.drawing.entries import Entry, entries_by_run
from edge_bench.app.render.html.elements import Html, element, fragment
from edge_bench.app.render.html.table import with_badges
from edge_bench.app.report.bundle_section import BundleSection
from edge_bench.app.report.image_source import Picture
from edge_bench.bench.analysis.labels.disagreement import Disagreement, Predictions, find_disagreements
from edge_bench.bench.io.record_codec import unpack
from edge_bench.bench.records.run import UNSEEN
from edge_bench.bench.wording import counted

__all__ = ["disagreements", "how_to_see"]

_MAX_IMAGES = 18
_MAX_NAMES = 5
#: Pixels per side of a thumbnail; larger images are subsampled.
_MAX_SIDE = 96
#: Name of a classifier → name of the group of classifiers that should agree with it.
_Groups = Mapping[str, str]


def disagreements(section: BundleSection) -> Html:
    """Return the disagreements between the configurations of each Run, then between machines on the same variant."""
    predicted = [entry for entry in section.entries if entry.result.predictions is not None]
    return fragment(
        *(_between_configurations(section, entries) for entries in entries_by_run(predicted)),
        _between_machines(section, predicted),
    )


def _predictions(entries: Sequence[Entry], *, machine: bool) -> list[Predictions]:
    return [_prediction(entry, entry.full_name if machine else entry.name) for entry in entries]


def _prediction(entry: Entry, name: str) -> Predictions:
    labels, indices = entry.result.labels(), unpack(entry.run.images.indices).astype(np.int64)
    seen = labels != UNSEEN
    return Predictions(name, entry.variant, indices[seen], labels[seen])


def _between_configurations(section: BundleSection, entries: Sequence[Entry]) -> Html | None:
    if len(entries) < 2:
        return None
    differing, total = find_disagreements(_predictions(entries, machine=False))
    summary = (
        f"All {len(entries)} configurations give the same labels on all {total:,} images."
        if not differing
        else f"The {counted(len(entries), 'configuration')} give different labels on {len(differing):,} "
        f"of {counted(total, 'image')}."
        f"{_remark(section, differing)}"
    )
    return fragment(
        element("h3", with_badges(f"Between configurations on {entries[0].machine}")),
        element("p", summary),
        _gallery(section, differing, {entry.name: entry.variant for entry in entries}),
    )


def _between_machines(section: BundleSection, entries: Sequence[Entry]) -> Html | None:
    run_counts = Counter(variant for _, variant in {(entry.run.run_id, entry.variant) for entry in entries})
    shared = [entry for entry in entries if run_counts[entry.variant] > 1]
    if not shared:
        return None
    found, total = find_disagreements(_predictions(shared, machine=True))
    differing = [disagreement for disagreement in found if disagreement.within_group]
    if not total:
        summary = "The machines have no images in common."
    elif not differing:
        summary = f"Each variant gives the same labels on all machines, on all {total:,} common images."
    else:
        summary = (
            f"The same variant gives different labels on different machines or runtimes on {len(differing):,} of "
            f"{total:,} common images.{_remark(section, differing)}"
        )
    return fragment(
        element("h3", "The same variant on different machines"),
        element("p", summary),
        _gallery(section, differing, {entry.full_name: f"{entry.variant} on {entry.machine}" for entry in shared}),
    )


def _remark(section: BundleSection, differing: Sequence[Disagreement]) -> str:
    if section.images is None:
        return f" {how_to_see(section)}" if section.bundle is None else ""
    return f" The first {_MAX_IMAGES} are shown." if len(differing) > _MAX_IMAGES else ""


def how_to_see(section: BundleSection) -> str:
    """Return a sentence about the option that shows the images."""
    if section.identity.created:
        return "To see the images, name the bundle with --bundle."
    return "To see the images, name their folder with --data."


def _gallery(section: BundleSection, differing: Sequence[Disagreement], groups: _Groups) -> Html | None:
    """Return the images with their true and predicted labels; None without the images."""
    if section.images is None or not differing:
        return None
    truth = _true_labels(section)
    cards = [
        _card(section, item, section.images.picture(item.image, _MAX_SIDE), truth.get(item.image), groups)
        for item in differing[:_MAX_IMAGES]
    ]
    return element("ul", *cards, class_="gallery")


def _true_labels(section: BundleSection) -> dict[int, int]:
    """Return the true label of each image by its number, as far as they are known."""
    found: dict[int, int] = {}
    for run in section.shown_runs.values():
        if run.labelled:
            found |= zip(unpack(run.images.indices).tolist(), unpack(run.images.labels).tolist(), strict=True)
    return found


def _card(
    section: BundleSection, disagreement: Disagreement, picture: Picture, truth: int | None, groups: _Groups
) -> Html:
    number = disagreement.image
    known = "" if truth is None else f", true class {_class_name(section, truth)}"
    votes = [
        fragment(
            element("dt", _class_name(section, label), class_="right" if label == truth else None),
            element("dd", with_badges(_classifiers(names, groups))),
        )
        for label, names in disagreement.votes.items()
    ]
    image = element("img", src=picture.address, alt=f"Test image {number}{known}")
    return element("li", image, element("p", f"no. {number}{known}", class_="small"), element("dl", *votes))


def _classifiers(names: Sequence[str], groups: _Groups) -> str:
    """Return the names as a list; a group of which all classifiers are named appears as its name."""
    members, named = Counter(groups.values()), Counter(groups[name] for name in names)
    short = list(dict.fromkeys(groups[n] if named[groups[n]] == members[groups[n]] else n for n in names))
    more = f" and {len(short) - _MAX_NAMES} more" if len(short) > _MAX_NAMES else ""
    return ", ".join(short[:_MAX_NAMES]) + more


def _class_name(section: BundleSection, label: int) -> str:
    if label < 0:
        return "no finite scores"
    classes = section.identity.classes
    return classes[label] if label < len(classes) else f"class {label}"
