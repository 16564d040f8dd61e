"""The shape of one example, with open axes filled by ``--image-size``."""

from edge_bench.bench.errors import BadInput
from edge_bench.bench.preprocessing.shapes import CHANNELS
from edge_bench.bench.records.manifest import Variant

__all__ = ["example_shape"]


def example_shape(variant: Variant, stated: tuple[int, int] | None) -> tuple[int, ...]:
    """Return the shape of one example in the model's own layout.

    The stated height and width fill open axes (-1). Raise BadInput if axes remain open, or if the model takes only
    another size.
    """
    sizes = variant.input.shape[1:]
    if len(sizes) != 3:
        if -1 in sizes:
            raise BadInput(
                f"{variant.name} takes inputs of shape {_shown(sizes)}, with more open axes than the batch",
                "export it with fixed sizes",
            )
        if stated is not None and tuple(sizes) != stated:
            raise BadInput(f"{variant.name} takes only inputs of {_shown(sizes)}", "omit --image-size")
        return tuple(sizes)
    channels_first = sizes[0] in CHANNELS and sizes[2] not in CHANNELS
    channels = sizes[0] if channels_first else sizes[2]
    height, width = sizes[1:] if channels_first else sizes[:2]
    if stated is None and -1 in (height, width):
        raise BadInput(
            f"{variant.name} takes images of any size: {_shown(sizes)}", "set one, for example --image-size 224x224"
        )
    if stated is not None:
        if height not in (-1, stated[0]) or width not in (-1, stated[1]):
            raise BadInput(f"{variant.name} takes only inputs of {_shown(sizes)}", "omit --image-size")
        height, width = stated
    channels = 3 if channels == -1 else channels
    return (channels, height, width) if channels_first else (height, width, channels)


def _shown(sizes: list[int]) -> str:
    return "×".join("?" if size == -1 else str(size) for size in sizes)
