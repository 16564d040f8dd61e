"""Inputs of an ncnn model in its .param file, which is text."""

from collections.abc import Sequence
from pathlib import Path

from edge_bench.bench.io.files import read_bounded

__all__ = ["input_shapes", "with_input_shape"]

_MAGIC = "7767517"
_MOST_BYTES = 16 << 20
#: Keys of the layer Input: width, height, depth, channels; ncnn stores the last axis first.
_SIZES = {"2": "channels", "11": "depth", "1": "height", "0": "width"}


def input_shapes(path: Path) -> dict[str, list[int] | None]:
    """Return the shapes of the inputs of one example by name, channels first; None if the file does not state one.

    Raise ValueError if it is not an ncnn .param file.
    """
    lines = read_bounded(path, _MOST_BYTES).decode(errors="replace").splitlines()
    if not lines or lines[0].strip() != _MAGIC:
        raise ValueError("not an ncnn .param file")
    found = dict[str, list[int] | None]()
    for fields in (line.split() for line in lines[2:]):
        if len(fields) >= 5 and fields[0] == "Input":
            found[fields[4]] = _shape(dict(field.split("=", 1) for field in fields[5:] if "=" in field))
    return found


def with_input_shape(text: str, shape: Sequence[int]) -> str:
    """Return the text of a .param file with the shape of one example, channels first, in its only layer Input.

    Raise ValueError unless it has one input, of at most three axes.
    """
    if not 1 <= len(shape) <= 3:
        raise ValueError(f"an input of {len(shape)} axes")
    keys = {1: "0", 2: "10", 3: "210"}[len(shape)]
    sizes = " ".join(f"{key}={size}" for key, size in sorted(zip(keys, shape, strict=True)))
    lines = text.splitlines()
    inputs = [number for number, line in enumerate(lines) if line.split()[:1] == ["Input"]]
    if len(inputs) != 1:
        raise ValueError(f"{len(inputs)} inputs")
    lines[inputs[0]] = f"{' '.join(lines[inputs[0]].split()[:5])} {sizes}"
    return "\n".join(lines) + "\n"


def _shape(values: dict[str, str]) -> list[int] | None:
    sizes = {name: int(values.get(key, "0")) for key, name in _SIZES.items()}
    if any(size < 0 for size in sizes.values()):
        raise ValueError("an input with a negative size")
    stated = [size for size in sizes.values() if size]  # sizes of missing axes are 0
    return stated or None
