"""Options about inputs that have no effect on the given data and models."""

from collections.abc import Sequence

from edge_bench.bench.dataset.options import DataOptions
from edge_bench.bench.errors import BadInput
from edge_bench.bench.interpretation.graphs.feeding.examples import TaskExamples
from edge_bench.bench.interpretation.graphs.graph_model import GraphModel

__all__ = ["refuse_unused_options"]

_OF_IMAGE_FILES = ("letterbox", "squash", "crop", "exif_orientation")
_OF_PIXELS = ("preprocess", "scale", "offset", "channel_order")


def refuse_unused_options(models: Sequence[GraphModel], examples: TaskExamples, options: DataOptions) -> None:
    """Raise BadInput for a stated option that has no effect on any model's input, since the user expects one."""
    unused = list[tuple[str, str]]()
    if examples.sizes is None:
        unused += [(name, "image files") for name in _OF_IMAGE_FILES]
    if not any(record.subject == "preprocessing" for record in examples.interpretations):
        unused += [(name, "pixels of images") for name in _OF_PIXELS]
    if not any(model.image for model in models):
        unused.append(("image_size", "models that take images"))
    if not examples.files or examples.sizes is not None:
        unused.append(("sample_rate", "sounds"))
    for name, purpose in unused:
        if getattr(options, name) not in (None, False):
            raise BadInput(f"--{name.replace('_', '-')} is for {purpose}, but {_kind(examples)}", "omit it")


def _kind(examples: TaskExamples) -> str:
    if examples.random:
        return "the inputs are random values"
    if examples.sizes is not None:
        return "the inputs are image files"
    return f"{examples.name} contains {'sounds' if examples.files else 'arrays'}"
