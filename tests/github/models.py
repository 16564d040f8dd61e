"""Classifiers of grey images with a known amount of work: more layers take longer and change no label."""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from PIL import Image

from tests.made.brightness import brightness_weights, level
from tests.made.tflite import TfliteBuilder

__all__ = ["CLASSES", "SIDE", "layered_tflite", "write_images"]

CLASSES = 10
#: Width and height of the images, and channels of the layers.
SIDE, _CHANNELS = 16, 32


def layered_tflite(path: Path, layers: int, order: Sequence[int] = range(CLASSES)) -> Path:
    """Write a classifier of images with values from 0 to 1, of equal convolutions that change nothing.

    Output n is the score of class ``order[n]``. Of its multiplications, 1 % are not in the ``layers``.
    """
    made = TfliteBuilder()
    image = made.tensor(1, SIDE, SIDE, 3)
    last = _convolution(made, image, 3)
    for _ in range(layers):
        last = _convolution(made, last, _CHANNELS)
    scores = made.dense(last, *brightness_weights(order, SIDE * SIDE * _CHANNELS))
    return made.save(path, [image], [scores])


def _convolution(made: TfliteBuilder, tensor: int, channels: int) -> int:
    """Add a 3 × 3 convolution whose output channels are copies of the input channels."""
    kernel = np.zeros((_CHANNELS, 3, 3, channels), np.float32)
    kernel[np.arange(_CHANNELS), 1, 1, np.arange(_CHANNELS) % channels] = 1
    weights, biases = made.tensor(*kernel.shape, data=kernel), made.tensor(_CHANNELS, data=True)
    options = schema.Conv2DOptionsT(padding=schema.Padding.SAME, strideW=1, strideH=1)
    output = made.tensor(1, SIDE, SIDE, _CHANNELS)
    return made.operator("CONV_2D", [tensor, weights, biases], [output], options)


def write_images(folder: Path, per_class: int) -> Path:
    """Write grey images with a little noise, one folder per class; return the folder."""
    generator = np.random.default_rng(1)
    for label in range(CLASSES):
        (folder / str(label)).mkdir(parents=True)
        for number in range(per_class):
            pixels = generator.integers(-5, 6, (SIDE, SIDE, 3)) + level(label)
            Image.fromarray(pixels.astype(np.uint8)).save(folder / str(label) / f"{number}.png")
    return folder


def main(folder: Path) -> None:
    """Write a model, a copy of it in base/, and images: two sides of the gate that are the same."""
    for name in ("model.tflite", "base/model.tflite"):
        layered_tflite(folder / name, 10)
    write_images(folder / "images", 10)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
