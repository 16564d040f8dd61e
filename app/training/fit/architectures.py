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
    """How a model is built, and whether --dropout means anything to it."""

    build: Callable[[tuple[int, int, int], int, float], Any]  # (shape of an image, classes, dropout)
    dropout: bool


def paper_cnn(shape: tuple[int, int, int], classes: int, dropout: float) -> Any:
    """The paper's CNN as a Keras model: input [n, *shape] in 0..1, output [n, classes] (softmax).

    Three 3×3 convolutions without padding (32, 64, 128 filters), each followed by 2×2 max pooling, then dropout
    before layer 7 (Flatten) and two dense layers: 128,266 parameters for 28×28×1 and 10 classes. ``dropout=0`` is
    the paper's first version, which overfitted; a layer with rate 0 would change nothing, so there is none.
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
    """ResNet-20 in its CIFAR form (He et al. 2016, section 4.2): input [n, *shape] in 0..1, output [n, classes].

    A 3×3 convolution, then three stages of three blocks with 16, 32 and 64 filters, two 3×3 convolutions a block;
    shortcuts are identities, subsampled and padded with zeros where a stage begins (option A), so they have no
    parameters; global average pooling and a dense layer: 0.27 million parameters for 32×32×3 and 10 classes.
    """
    import keras
    from keras import layers, ops

    def convolved(x: Any, filters: int, strides: int = 1) -> Any:
        x = layers.Conv2D(
            filters, 3, strides, padding="same", use_bias=False, kernel_initializer="he_normal",
            kernel_regularizer=keras.regularizers.L2(1e-4),
        )(x)  # fmt: skip
        return layers.BatchNormalization()(x)

    image = keras.Input(shape, name="image")
    x = layers.ReLU()(convolved(image, 16))
    for stage, filters in enumerate((16, 32, 64)):
        for block in range(3):
            strides = 2 if stage and not block else 1
            y = layers.ReLU()(convolved(x, filters, strides))
            y = convolved(y, filters)
            if strides == 2:
                x = layers.MaxPooling2D(1, 2)(x)  # every other pixel
                x = ops.pad(x, [[0, 0], [0, 0], [0, 0], [filters // 4, filters // 4]])
            x = layers.ReLU()(layers.Add()([x, y]))
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(image, layers.Dense(classes, activation="softmax")(x), name=RESNET20)


MODELS = {PAPER_CNN: Trainable(paper_cnn, dropout=True), RESNET20: Trainable(resnet20, dropout=False)}


def trainable(name: str) -> Trainable:
    """The model of that name; BadInput lists them."""
    if name not in MODELS:
        raise BadInput(f"no model is called {name!r}", f"there are: {', '.join(MODELS)}")
    return MODELS[name]
