"""The images on which variants, runtimes or machines disagree, with every label they got."""

from collections import Counter
from collections.abc import Sequence

from edge_bench.app.figures.drawing.labels import Entry
from edge_bench.app.render.html.elements import Html, element, fragment
from edge_bench.app.render.html.table import with_badges
from edge_bench.app.report.chapter import Chapter
from edge_bench.app.report.png import png_address
from edge_bench.bench.analysis.disagreement import Disagreement, Predictions, find_disagreements

__all__ = ["disagreements"]

_MOST = 18
_NAMES = 5


def disagreements(chapter: Chapter) -> Html:
    """Within each Run between its configurations, then between Runs about the same variant."""
    able = [entry for entry in chapter.entries if entry.result.predictions is not None]
    parts = [
        _within(chapter, [entry for entry in able if entry.run is run], chapter.machines[run.run_id])
        for run in chapter.runs
    ]
    return fragment(*parts, _between(chapter, able))


def _voters(entries: Sequence[Entry], *, machine: bool) -> list[Predictions]:
    return [
        Predictions(
            entry.full_name if machine else entry.name,
            entry.variant,
            entry.indices,
            entry.labels,
        )
        for entry in entries
    ]


def _within(chapter: Chapter, entries: Sequence[Entry], machine: str) -> Html | None:
    if len(entries) < 2:
        return None
    differing, total = find_disagreements(_voters(entries, machine=False))
    said = (
        f"All {len(entries)} configurations give the same label for each of the {total:,} images."
        if not differing
        else f"On {len(differing):,} of {total:,} images the {len(entries)} configurations do not all give the same "
        f"label{_shown(chapter, differing)}."
    )
    return fragment(
        element("h3", with_badges(f"Between configurations on {machine}")),
        element("p", said),
        _gallery(chapter, differing, entries, machine=False),
    )


def _between(chapter: Chapter, entries: Sequence[Entry]) -> Html | None:
    variants = {
        variant
        for variant in (entry.variant for entry in entries)
        if len({entry.run.run_id for entry in entries if entry.variant == variant}) > 1
    }
    several = [entry for entry in entries if entry.variant in variants]
    if not several:
        return None
    everything, total = find_disagreements(_voters(several, machine=True))
    differing = [item for item in everything if item.within_group]
    if not total:
        said = "The machines classified no image in common."
    elif not differing:
        said = f"Every machine gives the same label to the same variant for each of the {total:,} images all saw."
    else:
        said = (
            f"On {len(differing):,} of the {total:,} images that all machines saw, one and the same variant gets "
            f"different labels on different machines or runtimes{_shown(chapter, differing)}."
        )
    return fragment(
        element("h3", "Between machines, the same variant"),
        element("p", said),
        _gallery(chapter, differing, several, machine=True),
    )


def _shown(chapter: Chapter, differing: Sequence[Disagreement]) -> str:
    if chapter.bundle is None:
        return "; to see them, give the bundle with --bundle"
    return f"; these are the first {_MOST}" if len(differing) > _MOST else ""


def _gallery(
    chapter: Chapter, differing: Sequence[Disagreement], entries: Sequence[Entry], *, machine: bool
) -> Html | None:
    if chapter.bundle is None or not differing:
        return None
    images, labels = chapter.bundle.test_set()
    if labels is None or images.dtype != "uint8" or images.ndim != 4:
        return None
    # voter → what names it together with its kin
    kin = {
        entry.full_name if machine else entry.name: f"{entry.variant} on {entry.machine}" if machine else entry.variant
        for entry in entries
    }
    return element(
        "ul",
        *(
            _card(chapter, item, png_address(images[item.image]), int(labels[item.image]), kin)
            for item in differing[:_MOST]
        ),
        class_="gallery",
    )


def _card(chapter: Chapter, item: Disagreement, address: str, truth: int, kin: dict[str, str]) -> Html:
    name = _class(chapter, truth)
    votes = [
        fragment(
            element("dt", _class(chapter, label), class_="right" if label == truth else None),
            element("dd", with_badges(_names(who, kin))),
        )
        for label, who in item.votes.items()
    ]
    image = element("img", src=address, alt=f"Test image {item.image}, truly {name}")
    return element("li", image, element("p", f"no. {item.image}, truly {name}", class_="small"), element("dl", *votes))


def _names(who: Sequence[str], kin: dict[str, str]) -> str:
    """One name for all runtimes of a variant where they vote together, else each its own."""
    everyone, here = Counter(kin.values()), Counter(kin[name] for name in who)
    names = [kin[name] if here[kin[name]] == everyone[kin[name]] else name for name in who]
    names = list(dict.fromkeys(names))
    more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
    return ", ".join(names[:_NAMES]) + more


def _class(chapter: Chapter, label: int) -> str:
    classes = chapter.identity.classes
    return classes[label] if label < len(classes) else f"class {label}"
