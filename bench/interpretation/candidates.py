"""Candidates for a model's preprocessing: stated by the user, read from its file or the data, or in common use."""

from dataclasses import dataclass, replace
from typing import Any

import msgspec
import numpy as np

from edge_bench.bench.dataset.options import DataOptions
from edge_bench.bench.errors import BadInput
from edge_bench.bench.interpretation.quantized_pixels import fits_one_step, saturates, stored_pixels
from edge_bench.bench.model_formats.tflite_metadata import InputNormalization, ModelMetadata
from edge_bench.bench.preprocessing.presets import PRESETS, Preset, preset_named
from edge_bench.bench.records.interpretation import Source
from edge_bench.bench.records.manifest import Preprocessing, TensorSpec
from edge_bench.bench.wording import counted

__all__ = ["Candidate", "Candidates", "ImageFacts", "preprocessing_candidates", "rare_candidates"]

_OTHER_ORDER = {"rgb": "bgr", "bgr": "rgb"}


@dataclass(frozen=True)
class Candidate:
    """A preprocessing, its description, and the options that state it."""

    preprocessing: Preprocessing
    text: str
    option: str


@dataclass(frozen=True)
class Candidates:
    """The possible preprocessings, the conventional one first, and the source if there is only one."""

    options: tuple[Candidate, ...]
    source: Source
    reason: str = ""


@dataclass(frozen=True)
class ImageFacts:
    """What is known of the inputs before they are preprocessed."""

    pixels: bool  # uint8 values; otherwise float values
    channels: int  # of an image; 1 for inputs that are not images
    grey: bool  # all channels of every image are equal, so their order does not matter
    geometry: str = ""  # how images were resized, as text


def preprocessing_candidates(
    spec: TensorSpec, metadata: ModelMetadata | None, options: DataOptions, facts: ImageFacts
) -> Candidates:
    """Return the candidates for one model; raise BadInput if the options do not fit it."""
    if options.preprocess is not None or options.scale is not None or options.offset is not None:
        found = Candidates((_stated(spec, options, facts),), Source.STATED)
    elif not facts.pixels:
        unchanged_values = replace(_candidate(PRESETS["raw"]), text="values unchanged")
        found = Candidates((unchanged_values,), Source.DATA, "float values are the model's own inputs")
    else:
        found = _of_pixels(spec, metadata, facts)
    if spec.dtype == "uint8" and not spec.scale and _changes_pixels(found.options[0].preprocessing):
        raise BadInput("the model takes unchanged uint8 pixels", "omit --preprocess, or use --preprocess raw")
    found = replace(found, options=_with_channel_order(found.options, options, metadata, facts))
    return replace(found, options=tuple(_with_geometry(item, facts.geometry) for item in found.options))


def _of_pixels(spec: TensorSpec, metadata: ModelMetadata | None, facts: ImageFacts) -> Candidates:
    """Return the candidates for uint8 pixels if nothing was stated."""
    if spec.dtype == "uint8" and not spec.scale:
        pixels = replace(_candidate(PRESETS["raw"]), text="pixels unchanged")
        return Candidates((pixels,), Source.MODEL, "its input is uint8 without quantization")
    stored = stored_pixels(spec)
    as_stored = [] if stored is None else [_explicit(stored, "pixels unchanged")]
    if metadata is not None and metadata.normalization is not None:
        return _by_metadata(spec, _normalized(metadata.normalization, facts), as_stored)
    if fits_one_step(spec):
        if spec.dtype == "int8" and spec.zero_point == 0:  # symmetric: values from 0 to 1 use the upper half
            return Candidates((*as_stored, _candidate(PRESETS["unit"])), Source.DEFAULT)
        reason = "the 256 steps of its quantized input are the pixel values"
        return Candidates(tuple(as_stored), Source.MODEL, reason)
    presets = [preset for preset in PRESETS.values() if facts.channels == 3 or not isinstance(preset.offset, list)]
    return Candidates((*(_candidate(preset) for preset in presets), *as_stored), Source.DEFAULT)


def _by_metadata(spec: TensorSpec, normalized: Candidate, as_stored: list[Candidate]) -> Candidates:
    if saturates(spec, normalized.preprocessing):  # some tools ignore the normalization of quantized models
        return Candidates((*as_stored, normalized), Source.DEFAULT)
    unchanged = fits_one_step(spec, [normalized.preprocessing])
    return Candidates(tuple(as_stored) if unchanged else (normalized,), Source.MODEL, "its metadata says so")


def _stated(spec: TensorSpec, options: DataOptions, facts: ImageFacts) -> Candidate:
    preset = preset_named(options.preprocess) if options.preprocess else PRESETS["raw"]
    base = preset.preprocessing()
    if facts.channels == 1 and isinstance(base.offset, list):
        raise BadInput(
            f"--preprocess {preset.name} is for three channels, but the model takes one", "use --preprocess unit or raw"
        )
    changes: dict[str, object] = {}
    for name, values in (("scale", options.scale), ("offset", options.offset)):
        if values is not None:
            if len(values) not in (1, facts.channels):
                raise BadInput(
                    f"--{name} has {counted(len(values), 'number')}, but the model's input has "
                    f"{counted(facts.channels, 'channel')}"
                )
            changes[name] = values[0] if len(values) == 1 else list(values)
    stated = _candidate(preset)
    if changes:
        stated = _explicit(msgspec.structs.replace(base, name="", **changes), "as set")
    stored = stored_pixels(spec)
    if stored is not None and facts.pixels and fits_one_step(spec, [stated.preprocessing]):
        return replace(stated, preprocessing=stored)  # without the rounding of two scales
    return stated


def _candidate(preset: Preset) -> Candidate:
    return Candidate(preset.preprocessing(), f"{preset.name} ({preset.description})", f"--preprocess {preset.name}")


def _explicit(preprocessing: Preprocessing, text: str) -> Candidate:
    """Return a candidate that is described only by numbers."""
    options = [f"--{name}={_numbers(getattr(preprocessing, name))}" for name in ("scale", "offset")]
    return Candidate(preprocessing, text, " ".join(options))


def _numbers(values: float | list[float]) -> str:
    return ",".join(f"{value + 0.0:.9g}" for value in (values if isinstance(values, list) else [values]))


def _normalized(normalization: InputNormalization, facts: ImageFacts) -> Candidate:
    """Return the preprocessing of TFLite's NormalizationOptions: (pixel - mean) / std, by channel."""
    mean, std = normalization.mean, normalization.std
    if len(mean) not in (1, facts.channels) or len(std) not in (1, facts.channels) or not all(std):
        raise BadInput(
            f"the model's metadata has {len(mean)} means and {len(std)} standard deviations for {facts.channels} "
            "channels",
            "set --preprocess, or --scale and --offset",
        )
    means, stds = np.broadcast_arrays(np.array(mean, float), np.array(std, float))
    scale, offset = (1 / stds).tolist(), (-means / stds).tolist()
    single = len(scale) == 1
    preprocessing = Preprocessing(scale=scale[0] if single else scale, offset=offset[0] if single else offset)
    return _explicit(preprocessing, "normalized")


#: Mean and standard deviation of pixels from 0 to 1 that models in the field use, in addition to the presets.
_RARE = [(0.5, 1.0), (0.5, 0.25), (0.1307, 0.3081), (0.5, 1 / 255), (128 / 255, 1 / 255)]
_RARE_BY_COLOUR = [((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616))]


def rare_candidates(adopted: Candidate, facts: ImageFacts) -> list[Candidate]:
    """Return uncommon preprocessings, in the adopted order of channels, which are only used to refute the common ones.

    If one of them is clearly better than the best of the common ones, none of those is right.
    """
    order = adopted.preprocessing.channel_order
    known: list[tuple[Any, Any]] = [*_RARE, *(_RARE_BY_COLOUR if facts.channels == 3 else [])]
    found = []
    for mean, std in known:
        scale, offset = 1 / 255 / np.array(std), -np.array(mean) / np.array(std)
        values = Preprocessing(scale=scale.tolist(), offset=offset.tolist(), channel_order="rgb")
        found.append(_with_geometry(_ordered(_explicit(values, "as numbers"), order), adopted.preprocessing.geometry))
    return found


def _with_channel_order(
    candidates: tuple[Candidate, ...], options: DataOptions, metadata: ModelMetadata | None, facts: ImageFacts
) -> tuple[Candidate, ...]:
    """Return the candidates with the stated order of channels, or with both orders if it is unknown and matters."""
    if options.channel_order:
        return tuple(_ordered(item, options.channel_order) for item in candidates)
    # ImageNet's presets include the order of their origin; raw and unit have none
    in_preset = (options.preprocess or "").startswith("imagenet-")
    known = facts.channels != 3 or facts.grey or not facts.pixels or in_preset
    if known or (metadata is not None and metadata.color_space == "rgb"):
        return candidates
    swapped = [_ordered(item, _OTHER_ORDER[item.preprocessing.channel_order]) for item in candidates]
    if len(candidates) == 1:  # only the order is in question
        both = (*candidates, *swapped)
        return tuple(replace(item, option=f"--channel-order {item.preprocessing.channel_order}") for item in both)
    return (*candidates, *swapped)


def _ordered(candidate: Candidate, order: str) -> Candidate:
    """Return the candidate with this order of channels. Values that belong to a colour keep their colour."""
    base = candidate.preprocessing
    if base.channel_order == order:
        return candidate
    scale, offset = base.scale, base.offset
    if base.name:  # a preset's values belong to colours, stated ones to the model's channels
        scale = scale[::-1] if isinstance(scale, list) else scale
        offset = offset[::-1] if isinstance(offset, list) else offset
    changed = msgspec.structs.replace(base, channel_order=order, scale=scale, offset=offset)
    return Candidate(changed, f"{candidate.text} in {order.upper()}", f"{candidate.option} --channel-order {order}")


def _with_geometry(candidate: Candidate, geometry: str) -> Candidate:
    return replace(candidate, preprocessing=msgspec.structs.replace(candidate.preprocessing, geometry=geometry))


def _changes_pixels(preprocessing: Preprocessing) -> bool:
    return (preprocessing.scale, preprocessing.offset) != (1.0, 0.0)
