"""The models that can be trained, by name."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from edge_bench.bench.errors import BadInput

__all__ = ["MODELS", "PAPER_CNN", "RESNET20", "Trainable", "paper_cnn", "resnet20", "trainable"]

PAPER_CNN = "paper-cnn"
RESNET20 = "resnet20"
PAPER_CNN_PARAMETERS = 128_266


@dataclass(frozen=True)
class Trainable:
    """A model that can be trained."""

    build: Callable[[tuple[int, int, int], int, float], Any]  # (image shape, classes, dropout rate) → Keras model
    dropout: bool  # whether the dropout rate has an effect


def paper_cnn(shape: tuple[int, int, int], classes: int, dropout: float) -> Any:
    """Return the paper's CNN as a Keras model: input [n, *shape] in 0..1, output [n, classes] (softmax).

    Three 3×3 convolutions without padding (32, 64, 128 filters) are each followed by 2×2 max pooling. Then come
    dropout before layer 7 (Flatten) and two dense layers. There are 128,266 parameters for 28×28×1 and 10 classes.
    ``dropout=0`` is the paper's first version, which overfitted: it has no dropout layer.
    """
    import keras
    from keras import layers

    return keras.Sequential(
        [
            keras.Input(shape, name="image"),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(128, 3, activation="relu"),
            layers.MaxPooling2D(2),
            *([layers.Dropout(dropout)] if dropout else []),
            layers.Flatten(),
            layers.Dense(256, activation="relu"),
            layers.Dense(classes, activation="softmax"),
        ],
        name=PAPER_CNN.replace("-", "_"),
    )


def resnet20(shape: tuple[int, int, int], classes: int, dropout: float) -> Any:  # noqa: ARG001
    """Return ResNet-20 for CIFAR (He et al. 2016, section 4.2): input [n, *shape] in 0..1, output [n, classes].

    A 3×3 convolution is followed by three stages with 16, 32 and 64 filters: three blocks each, two 3×3 convolutions
    per block. Shortcuts are identities, subsampled and zero-padded at the start of a stage (option A), so they have no
    parameters. Global average pooling and a dense layer follow. 0.27 million parameters for 32×32×3 and 10 classes.
    """
    import keras
    from keras import layers, ops

    def convolution(x: Any, filters: int, strides: int = 1) -> Any:
        x = layers.Conv2D(
            filters, 3, strides, padding="same", use_bias=False, kernel_initializer="he_normal",
            kernel_regularizer=keras.regularizers.L2(1e-4),
        )(x)  # fmt: skip
        return layers.BatchNormalization()(x)

    image = keras.Input(shape, name="image")
    x = layers.ReLU()(convolution(image, 16))
    for stage, filters in enumerate((16, 32, 64)):
        for block in range(3):
            strides = 2 if stage and not block else 1
            y = layers.ReLU()(convolution(x, filters, strides))
            y = convolution(y, filters)
            if strides == 2:
                x = layers.MaxPooling2D(1, 2)(x)  # every other pixel
                x = ops.pad(x, [[0, 0], [0, 0], [0, 0], [filters // 4, filters // 4]])
            x = layers.ReLU()(layers.Add()([x, y]))
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(image, layers.Dense(classes, activation="softmax")(x), name=RESNET20)


MODELS = {PAPER_CNN: Trainable(paper_cnn, dropout=True), RESNET20: Trainable(resnet20, dropout=False)}


def trainable(name: str) -> Trainable:
    """Return the model of that name. Raise BadInput with the known names if there is none."""
    if name not in MODELS:
        raise BadInput(f"unknown model {name!r}", f"use one of: {', '.join(MODELS)}")
    return MODELS[name]
