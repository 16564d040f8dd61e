"""Tiny Keras models and SavedModels."""

from pathlib import Path
from typing import Any

import numpy as np

from tests.made.brightness import brightness_weights

__all__ = ["brightness_keras", "saved_model_of_running_sum"]


def brightness_keras(wrap: str = "plain", size: int = 2, classes: int = 5) -> Any:
    """Return a classifier of images, [n, size, size, 3], with values from 0 to 1.

    ``wrap`` is the structure of its only input and output: plain, dict, list or nested.
    """
    import keras

    image = keras.Input((size, size, 3), name="image")
    layer = keras.layers.Dense(classes, name="scores")
    scores = layer(keras.layers.Flatten()(image))
    inputs, outputs = {
        "dict": (image, {"scores": scores}),
        "list": ([image], [scores]),
        "nested": ({"image": image}, {"a": [scores]}),
        "plain": (image, scores),
    }[wrap]
    model = keras.Model(inputs, outputs)
    layer.set_weights(list(brightness_weights(range(classes), size * size * 3)))
    return model


def saved_model_of_running_sum(folder: Path) -> Path:
    """Write a SavedModel that adds its input [1, 3] to a variable that begins at 2, and returns it."""
    import tensorflow as tf

    class Sum(tf.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.total = tf.Variable(np.full((1, 3), 2, np.float32))

        @tf.function(input_signature=[tf.TensorSpec([1, 3])])  # type: ignore[untyped-decorator]
        def __call__(self, values: Any) -> Any:
            self.total.assign_add(values)
            return {"scores": self.total + 0.0}

    module = Sum()
    tf.saved_model.save(module, str(folder), signatures=module.__call__)
    return folder
