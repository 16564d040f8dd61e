"""Drawings of shapes, and a Keras model with their scale as input and kind, width and box as outputs."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["KINDS", "DrawnFiles", "drawings", "drawings_model", "trained_on_drawings"]

KINDS = ("square", "disc", "cross", "triangle")
SIDE = 28
Arrays = dict[str, npt.NDArray[np.float32]]


class DrawnFiles(NamedTuple):
    """Files of a trained model: tests and calibration have an array for each input and each output."""

    model: Path
    tests: Path
    calibration: Path


def drawings(count: int, seed: int) -> Arrays:
    """Return inputs and true outputs of seeded drawings.

    ``image``: float32 [count, 28, 28, 1] from 0 to 1, a shape on a noisy background. ``number``: [count, 1], the width
    of the whole image in metres, 0.5 to 2. ``class``: [count, 4], one-hot. ``value``: [count, 1], the width of the
    shape in metres. ``box``: [count, 4], left, top, right and bottom as shares of the image's sides.
    """
    draw = np.random.default_rng(seed)
    kinds, sizes = draw.integers(0, len(KINDS), count), draw.integers(8, 19, count)
    left, top = (draw.integers(0, SIDE - sizes + 1) for _ in range(2))
    images = draw.random((count, SIDE, SIDE, 1)).astype(np.float32) * np.float32(0.1)
    for image, kind, size, x, y in zip(images, kinds, sizes, left, top, strict=True):
        image[y : y + size, x : x + size, 0] += 0.8 * _shape(KINDS[kind], int(size))
    scale = draw.uniform(0.5, 2, (count, 1))
    corners = np.stack([left, top, left + sizes, top + sizes], axis=1) / SIDE
    arrays = {
        "image": images,
        "number": scale,
        "class": np.eye(len(KINDS))[kinds],
        "value": scale * sizes[:, np.newaxis] / SIDE,
        "box": corners,
    }
    return {name: each.astype(np.float32) for name, each in arrays.items()}


def _shape(kind: str, size: int) -> npt.NDArray[np.float32]:
    """Return a filled shape that touches all sides of its square, [size, size] of 0 and 1."""
    rows, columns = np.indices((size, size)) + 0.5
    half = size / 2
    filled = {
        "square": rows >= 0,
        "disc": (rows - half) ** 2 + (columns - half) ** 2 <= half**2,
        "cross": (np.abs(rows - half) <= size / 6) | (np.abs(columns - half) <= size / 6),
        "triangle": np.abs(columns - half) <= rows / 2,
    }[kind]
    return np.asarray(filled, np.float32)


def drawings_model() -> Any:
    """Return an untrained Keras model with the inputs image and number, and the outputs class, value and box."""
    import keras

    keras.utils.set_random_seed(1)
    layers = keras.layers
    image, number = keras.Input((SIDE, SIDE, 1), name="image"), keras.Input((1,), name="number")
    features = image
    for filters in (8, 16):
        features = layers.Conv2D(filters, 3, strides=2, padding="same", activation="relu")(features)
    features = layers.Dense(64, activation="relu")(layers.Flatten()(features))
    width = layers.Dense(1)(features)
    outputs = [
        layers.Dense(len(KINDS), activation="softmax", name="class")(features),
        layers.Multiply(name="value")([width, number]),
        layers.Dense(4, name="box")(features),
    ]
    return keras.Model([image, number], outputs)


def trained_on_drawings(folder: Path, epochs: int = 8, train: int = 2000, tests: int = 100) -> DrawnFiles:
    """Train the model, which takes a few seconds, and write it as .keras, with an .npz of drawings it has not seen."""
    import keras

    model, seen = drawings_model(), drawings(train, seed=1)
    model.compile(
        optimizer=keras.optimizers.Adam(0.003),
        loss=["categorical_crossentropy", "mse", "mse"],
        loss_weights=[0.2, 1.0, 4.0],
    )
    names = ("class", "value", "box")
    model.fit([seen["image"], seen["number"]], [seen[name] for name in names], epochs=epochs, batch_size=32, verbose=0)
    files = DrawnFiles(folder / "drawings.keras", folder / "drawings.npz", folder / "calibration.npz")
    model.save(files.model)
    np.savez(files.tests, **drawings(tests, seed=2))
    np.savez(files.calibration, **{name: array[:200] for name, array in seen.items()})
    return files
