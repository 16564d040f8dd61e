"""Values that a shell completes after an option."""

import json
import os
from collections.abc import Callable
from pathlib import Path

__all__ = ["DATASETS", "MODELS", "PRESETS", "RUNTIMES", "VARIANTS", "docker_contexts", "each_of", "one_of"]

# Written out, because importing the modules that define them takes longer than a user waits for a completion.
VARIANTS = ("keras", "float32", "float16", "dynamic", "int8")
RUNTIMES = ("tensorflow", "tflite-runtime", "litert", "onnxruntime")
DATASETS = ("fashion-mnist", "digits", "cifar10", "auto")
MODELS = ("paper-cnn", "resnet20")
PRESETS = ("raw", "unit", "imagenet-tf", "imagenet-caffe", "imagenet-torch")

Completion = Callable[[str], list[str]]


def one_of(*values: str) -> Completion:
    """Return a completion of one of these values."""

    def complete(incomplete: str) -> list[str]:
        return [value for value in values if value.startswith(incomplete)]

    return complete


def each_of(*values: str) -> Completion:
    """Return a completion of the last value of a list ``a,b`` that does not have it yet."""

    def complete(incomplete: str) -> list[str]:
        *before, last = incomplete.split(",")
        return [",".join([*before, value]) for value in values if value.startswith(last) and value not in before]

    return complete


def docker_contexts(incomplete: str) -> list[str]:
    """Return the names of Docker's contexts; empty if its files cannot be read."""
    folder = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker") / "contexts" / "meta"
    try:
        named = [json.loads(file.read_bytes())["Name"] for file in sorted(folder.glob("*/meta.json"))]
    except (OSError, ValueError, KeyError, TypeError, RuntimeError):
        return []
    return [name for name in named if isinstance(name, str) and name.startswith(incomplete)]
