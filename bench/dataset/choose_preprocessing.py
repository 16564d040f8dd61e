"""Choice of a model's preprocessing: as stated, as inferred from its file, or the one with the highest accuracy."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.bench.dataset.probe_preprocessing import PROBED, probe_candidates
from edge_bench.bench.dataset.sampling import draw_evenly
from edge_bench.bench.errors import BadInput
from edge_bench.bench.io.npy import open_npy
from edge_bench.bench.models.model_files import ModelFiles
from edge_bench.bench.preprocessing.presets import PRESETS, Preset, inferred_preset, preset_named
from edge_bench.bench.progress import Progress
from edge_bench.bench.records.manifest import Preprocessing, TensorSpec

__all__ = ["CHANNELS", "DataOptions", "apply_overrides", "channels_last_shape", "choose_by_accuracy", "select_preset"]

CHANNELS = (1, 3)


@dataclass(frozen=True)
class DataOptions:
    """The user's options about the data; None means not stated."""

    data: Path | None = None
    labels: Path | None = None
    classes: Path | None = None
    label_names: Path | None = None
    label_offset: int | None = None
    preprocess: str | None = None
    scale: Sequence[float] | None = None
    offset: Sequence[float] | None = None
    channel_order: str | None = None
    crop: float | None = None
    interpolation: str = "bilinear"
    squash: bool = False
    image_size: tuple[int, int] | None = None
    skip_broken: bool = False
    threshold: float | None = None


def channels_last_shape(shape: tuple[int, ...]) -> tuple[int, int, int] | None:
    """Return [height, width, channels] of one image for an input of either layout; None if it is no image input."""
    if len(shape) != 3:
        return None
    if shape[2] in CHANNELS:
        return shape[0], shape[1], shape[2]
    return (shape[1], shape[2], shape[0]) if shape[0] in CHANNELS else None


def select_preset(models: ModelFiles, options: DataOptions) -> tuple[Preset | None, str]:
    """Return the stated or inferred preset, and the reason if inferred; None if there is neither."""
    if options.preprocess:
        return preset_named(options.preprocess), ""
    if options.scale is not None or options.offset is not None:
        return PRESETS["raw"], ""
    inferred = inferred_preset([variant.input for variant in models.variants])
    return inferred or (None, "")


def apply_overrides(
    preset: Preset, options: DataOptions, geometry: str, spec: TensorSpec, shape: tuple[int, ...]
) -> Preprocessing:
    """Return the preset's preprocessing with the stated values; raise BadInput if it does not fit the model."""
    base = preset.preprocessing(geometry)
    image_shape = channels_last_shape(shape)
    channels = image_shape[2] if image_shape else 1
    changes: dict[str, object] = {}
    for name, values in (("scale", options.scale), ("offset", options.offset)):
        if values is not None:
            if len(values) not in (1, channels):
                raise BadInput(f"--{name} has {len(values)} numbers; the model's input has {channels} channels")
            changes[name] = values[0] if len(values) == 1 else list(values)
    if options.channel_order:
        changes["channel_order"] = options.channel_order
    if changes:
        base = msgspec.structs.replace(base, name="", **changes)
    if channels == 1 and isinstance(base.offset, list):
        raise BadInput(
            f"preprocessing {preset.name} is for three channels; the model takes one", "say, --preprocess unit"
        )
    if spec.dtype == "uint8" and not spec.scale and (base.scale, base.offset) != (1.0, 0.0):
        raise BadInput("the model takes uint8 pixels as they are", "leave --preprocess out, or say raw")
    return base


def choose_by_accuracy(
    models: ModelFiles,
    pixels: Path,
    rows: npt.NDArray[np.int64],
    labels: npt.NDArray[np.int64] | None,
    shape: tuple[int, ...],
    timeout: float,
    progress: Progress,
) -> tuple[Preset, str]:
    """Return the preset with the highest accuracy on the images at ``rows``, and the reason for it.

    Return ``raw`` without labels, for inputs that are not images, or if probing fails, as all presets are equally fast.
    """
    raw = PRESETS["raw"]
    if labels is None:
        return raw, "nothing says how the model was trained; speed and agreement do not depend on it"
    stored = open_npy(pixels)
    if stored.dtype != np.uint8 or channels_last_shape(shape) is None:
        return raw, "the values are taken for the model's own input"
    sample = draw_evenly(labels, PROBED, 0)
    variant = models.variants[0]
    input_shape = shape if -1 in variant.input.shape[1:] else None
    probed = probe_candidates(
        models, variant, pixels.absolute(), rows[sample].tolist(), labels[sample], input_shape, timeout, progress
    )
    return probed or (raw, "nothing says how the model was trained")
