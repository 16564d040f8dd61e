"""Models of keras.applications that can be exported, with ImageNet, random or the user's weights."""

import contextlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_bench.bench.errors import BadInput, EdgeBenchError

__all__ = ["KERAS_APPLICATIONS", "KerasApplication", "build_application"]


@dataclass(frozen=True)
class KerasApplication:
    """A model of keras.applications."""

    preprocess: str  # name of the preprocessing that its weights were trained with
    build: Callable[[str | None], Any]  # (weights: imagenet, a file, or None for random ones) → Keras model


def _resnet50(weights: str | None) -> Any:
    import keras

    return keras.applications.ResNet50(weights=weights)


def _mobilenet_v2(weights: str | None) -> Any:
    import keras

    return keras.applications.MobileNetV2(weights=weights)


#: Preprocessings as in keras.applications.resnet and .mobilenet_v2.
KERAS_APPLICATIONS = {
    "resnet50": KerasApplication("imagenet-caffe", _resnet50),
    "mobilenetv2": KerasApplication("imagenet-tf", _mobilenet_v2),
}


def build_application(name: str, weights: str) -> Any:
    """Return the Keras model. ``weights`` is imagenet (downloaded by Keras into its cache), none (random), or a file.

    Raise BadInput if the file does not fit the model, EdgeBenchError if the weights cannot be downloaded.
    """
    import keras

    keras.utils.set_random_seed(42)  # makes random weights reproducible
    if weights == "none":
        return KERAS_APPLICATIONS[name].build(None)
    if weights != "imagenet" and not Path(weights).is_file():
        raise BadInput(f"{weights}: no such weights file", "use --weights imagenet, --weights none or --weights FILE")
    try:
        with contextlib.redirect_stdout(sys.stderr):  # Keras prints its progress bar to stdout
            return KERAS_APPLICATIONS[name].build(weights)
    except (OSError, ValueError) as cause:
        reason = (str(cause).strip().splitlines() or [type(cause).__name__])[0][:160]
        if weights == "imagenet":
            raise EdgeBenchError(
                f"the ImageNet weights of {name} cannot be downloaded: {reason}",
                "use --weights FILE, or --weights none for random weights (speed only)",
            ) from None
        raise BadInput(f"{weights}: not weights for {name}: {reason}") from None
    except Exception as cause:  # Keras raises a bare Exception for network errors
        raise EdgeBenchError(
            f"the ImageNet weights of {name} cannot be downloaded: {str(cause).splitlines()[0][:160]}",
            "use --weights FILE, or --weights none for random weights (speed only)",
        ) from None
