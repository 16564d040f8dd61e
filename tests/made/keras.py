"""Tiny Keras models and SavedModels."""

from pathlib import Path
from typing import Any

import numpy as np

from tests.made.brightness import brightness_weights

__all__ = ["brightness_keras", "embedding_keras", "saved_model_of_running_sum", "saved_model_of_signatures"]


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


def embedding_keras() -> Any:
    """Return a model of tokens, int32 [n, 6] from 0 to 49, and two float inputs of one shape, [n, 3].

    It returns a dict, whose keys are not the names of its layers.
    """
    import keras

    keras.utils.set_random_seed(1)
    tokens = keras.Input((6,), name="tokens", dtype="int32")
    large, small = keras.Input((3,), name="large"), keras.Input((3,), name="small")
    layers = keras.layers
    words = layers.Dense(4)(layers.Flatten()(layers.Embedding(50, 4)(tokens)))
    joined = layers.Concatenate()([words, layers.Dense(4)(small)])
    outputs = {"zeta": layers.Dense(2, name="head")(joined), "alpha": layers.Dense(2)(large)}
    return keras.Model([large, tokens, small], outputs)


def saved_model_of_signatures(folder: Path) -> Path:
    """Write a SavedModel with the signatures affine (of two inputs), length (of text) and lacking, and return it.

    TFLite has no operator for ``lacking``, and none of them is called serving_default.
    """
    import tensorflow as tf

    def affine(x: Any, shift: Any) -> Any:
        return {"doubled": x * 2.0, "shifted": shift + 1}

    def length(text: Any) -> Any:
        return {"text_again": text, "one": tf.ones([1])}

    def lacking(x: Any) -> Any:
        return {"y": tf.math.lgamma(x), "same": x + 1.0}

    x = tf.TensorSpec([None, 3], tf.float32, name="x")
    specs = {
        affine: [x, tf.TensorSpec([None, 1], tf.int64, name="shift")],
        length: [tf.TensorSpec([None], tf.string, name="text")],
        lacking: [x],
    }
    signatures = {each.__name__: tf.function(each).get_concrete_function(*own) for each, own in specs.items()}
    tf.saved_model.save(tf.Module(), str(folder), signatures=signatures)
    return folder
