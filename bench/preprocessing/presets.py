"""Preprocessing presets, and inference of the preset from a model's quantized input."""

from collections.abc import Sequence
from dataclasses import dataclass

from edge_bench.bench.errors import BadInput
from edge_bench.bench.records.manifest import Preprocessing, TensorSpec

__all__ = ["BORDER", "INTERPOLATIONS", "PRESETS", "Geometry", "Preset", "inferred_preset", "preset_named"]

#: Pillow's names. All except nearest are antialiased when they make an image smaller.
INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "area", "lanczos")
#: Value of each channel in the borders of a letterboxed image, as in YOLOv5's and Ultralytics' ``letterbox``.
BORDER = 114


@dataclass(frozen=True)
class Preset:
    """A known preprocessing. ``crop`` is the fraction of the image's centre that is used."""

    name: str
    scale: float | list[float]
    offset: float | list[float]
    channel_order: str = "rgb"
    crop: float = 1.0
    description: str = ""

    def preprocessing(self, geometry: str = "") -> Preprocessing:
        """Return the preset as the record that is stored in a Run."""
        return Preprocessing(
            scale=self.scale, offset=self.offset, channel_order=self.channel_order, name=self.name, geometry=geometry
        )


_TORCH_MEAN, _TORCH_SD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_CAFFE_MEAN = (103.939, 116.779, 123.68)  # blue, green, red

#: The modes tf, caffe and torch of keras.applications.imagenet_utils.preprocess_input; a crop of 0.875 is 224 / 256.
PRESETS = {
    preset.name: preset
    for preset in (
        Preset("raw", 1.0, 0.0, description="0 to 255"),
        Preset("unit", 1 / 255, 0.0, description="0 to 1"),
        Preset("imagenet-tf", 1 / 127.5, -1.0, crop=0.875, description="-1 to 1"),
        Preset(
            "imagenet-caffe",
            1.0,
            [-mean for mean in _CAFFE_MEAN],
            channel_order="bgr",
            crop=0.875,
            description="BGR minus ImageNet's mean",
        ),
        Preset(
            "imagenet-torch",
            [1 / 255 / sd for sd in _TORCH_SD],
            [-mean / sd for mean, sd in zip(_TORCH_MEAN, _TORCH_SD, strict=True)],
            crop=0.875,
            description="0 to 1, minus ImageNet's mean, divided by its standard deviation",
        ),
    )
}


def preset_named(name: str) -> Preset:
    """Return the preset of that name; raise BadInput if there is none."""
    if name not in PRESETS:
        raise BadInput(f"unknown preprocessing {name!r}", f"choose from {', '.join(PRESETS)}")
    return PRESETS[name]


@dataclass(frozen=True)
class Geometry:
    """Target size of an image in pixels, number of channels, and how it is resized.

    The largest central part with the target's aspect ratio is reduced to the fraction ``crop`` and resampled once. With
    ``squash``, the whole image is. With ``letterbox`` the whole image keeps its proportions, with grey borders of
    BORDER around it. An image of the target size is not changed, unless ``crop`` is below 1.
    """

    height: int
    width: int
    channels: int
    crop: float = 1.0
    interpolation: str = "bilinear"
    squash: bool = False
    exif_orientation: bool = False  # rotate the image as its EXIF data states, before anything else
    letterbox: bool = False

    def __str__(self) -> str:
        part = "squashed" if self.squash else f"centre {self.crop:.1%}" if self.crop < 1 else "centre"
        part = f"letterboxed with {BORDER}" if self.letterbox else part
        turned = ", EXIF orientation applied" if self.exif_orientation else ""
        return f"{part} to {self.height}×{self.width}×{self.channels}, {self.interpolation}{turned}"


def inferred_preset(inputs: Sequence[TensorSpec]) -> tuple[Preset, str] | None:
    """Infer the preset from the range of a quantized input; return it and the reason, or None if no input matches.

    An 8-bit input covers the real values from (lowest - zero_point) × scale to (highest - zero_point) × scale. The
    converter chose the range to match the calibration data.
    """
    for spec in inputs:
        if spec.dtype == "uint8" and not spec.scale:
            return PRESETS["raw"], "its input is uint8 without quantization"
        if spec.dtype not in ("int8", "uint8") or not spec.scale:
            continue
        lowest = -128 if spec.dtype == "int8" else 0
        low, high = ((edge - spec.zero_point) * spec.scale for edge in (lowest, lowest + 255))
        for name, (preset_low, preset_high) in _INPUT_RANGES.items():
            tolerance = 0.06 * (preset_high - preset_low)
            if abs(low - preset_low) <= tolerance and abs(high - preset_high) <= tolerance:
                return PRESETS[name], f"its quantized input covers {low:.4g} to {high:.4g}"
    return None


#: Lowest and highest model input of each preset, over all channels.
_INPUT_RANGES = {
    "raw": (0.0, 255.0),
    "unit": (0.0, 1.0),
    "imagenet-tf": (-1.0, 1.0),
    "imagenet-caffe": (-123.68, 151.061),
    "imagenet-torch": (-2.118, 2.64),
}
