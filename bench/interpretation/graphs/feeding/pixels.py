"""How a model gets pixels: stated, read from its file, or required if a measure of quality depends on it."""

from collections.abc import Callable

from edge_bench.bench.dataset.options import DataOptions
from edge_bench.bench.errors import BadInput
from edge_bench.bench.interpretation.candidates import Candidate, ImageFacts, preprocessing_candidates
from edge_bench.bench.interpretation.graphs.graph_model import GraphModel
from edge_bench.bench.records.interpretation import Interpretation, Source
from edge_bench.bench.records.manifest import Preprocessing

__all__ = ["pixel_preprocessing"]

_SHOWN = 6


def pixel_preprocessing(
    model: GraphModel,
    options: DataOptions,
    geometry: str,
    is_grey: Callable[[], bool],
    *,
    scored: bool,
) -> tuple[Preprocessing, Interpretation]:
    """Return how uint8 pixels become the model's input.

    is_grey: whether the channels of all images are equal; scored: whether there are true values
    Raise BadInput if several preprocessings are possible and there are true values, unless ``options.assume``.
    """
    channels = model.known_image[2]

    def candidates(*, grey: bool) -> tuple[tuple[Candidate, ...], Source, str]:
        facts = ImageFacts(pixels=True, channels=channels, grey=grey, geometry=geometry)
        found = preprocessing_candidates(model.input_spec, model.metadata, options, facts)
        return found.options, found.source, found.reason

    possible, source, reason = candidates(grey=False)
    if len(possible) > 1 and channels == 3 and is_grey():
        possible, source, reason = candidates(grey=True)
    chosen = possible[0]
    if len(possible) > 1:
        if scored and not options.assume:
            raise _unclear(model, possible)
        source = Source.ASSUMED if scored else Source.DEFAULT
        reason = "one of several" if scored else "one of several; there are no true values"
    return chosen.preprocessing, Interpretation(
        subject="preprocessing",
        value=chosen.text,
        source=source,
        reason=reason,
        option=chosen.option,
        variant=model.about,
    )


def _unclear(model: GraphModel, possible: tuple[Candidate, ...]) -> BadInput:
    if all(each.option.startswith("--channel-order") for each in possible):
        return BadInput(
            f"{model.variant.name}: its file does not state whether it takes RGB or BGR images",
            "set --channel-order rgb or --channel-order bgr",
        )
    options = list(dict.fromkeys(each.option.partition(" --channel-order")[0] for each in possible))
    order = " with --channel-order rgb or bgr" if any("--channel-order" in each.option for each in possible) else ""
    return BadInput(
        f"{model.variant.name}: its file does not state the preprocessing of pixels",
        f"use one of: {', '.join(options[:_SHOWN])}{order}; --assume uses the first and marks the result",
    )
