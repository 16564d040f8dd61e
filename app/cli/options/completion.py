"""Values that a shell completes after an option."""

import json
import os
from collections.abc import Callable
from pathlib import Path

__all__ = ["DATASETS", "MODELS", "PRESETS", "RUNTIMES", "VARIANTS", "docker_contexts", "each_of", "one_of"]

# Written out, because importing the modules that define them takes longer than a user waits for a completion.
VARIANTS = ("keras", "float32", "float16", "dynamic", "int8")
RUNTIMES = ("tensorflow", "tflite-runtime", "litert", "onnxruntime", "openvino", "ncnn")
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
    """Return the names of Docker's contexts; files that cannot be read are left out."""
    try:
        folder = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker") / "contexts" / "meta"
        files = sorted(folder.glob("*/meta.json"))
    except (OSError, RuntimeError):  # no home
        return []
    names = [_context_name(file) for file in files]
    return [name for name in names if name and name.startswith(incomplete)]


def _context_name(file: Path) -> str:
    try:
        return str(json.loads(file.read_bytes())["Name"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
