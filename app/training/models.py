"""The models that can be trained, by name."""

from typing import Any

__all__ = ["MODELS", "PAPER_CNN", "paper_cnn"]

PAPER_CNN = "paper-cnn"
PAPER_CNN_PARAMETERS = 128_266


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


MODELS = {PAPER_CNN: paper_cnn}
