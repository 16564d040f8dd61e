"""Weights of trained bundles, compared exactly."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_bench.app.training.fit.checkpoints import TrainingSettings

__all__ = ["SHORT", "assert_same_weights", "weights"]

SHORT = TrainingSettings(dataset="digits", epochs=3, batch_size=32)


def weights(folder: Path) -> list[npt.NDArray[Any]]:
    import keras

    return [np.asarray(value) for value in keras.models.load_model(folder / "model.keras").get_weights()]


def assert_same_weights(first: Path, second: Path) -> None:
    for a, b in zip(weights(first), weights(second), strict=True):
        np.testing.assert_array_equal(a, b)
