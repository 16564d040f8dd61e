"""Images whose class is their brightness."""

from collections.abc import Iterable
from pathlib import Path

from PIL import Image

from tests.made.brightness import level

__all__ = ["SIDE", "class_folders", "image"]

SIDE = 8


def image(path: Path, label: int = 0, shift: int = 0, *, size: int = SIDE, mode: str = "RGB") -> Path:
    """Write an image of one colour: the grey level of a class, plus ``shift``. The suffix is its format."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (size, size), (level(label) + shift,) * 3).convert(mode).save(path)
    return path


def class_folders(
    folder: Path,
    labels: Iterable[int] = range(10),
    each: int = 4,
    *,
    name: str = "{}",
    suffix: str = "png",
    size: int = SIDE,
    mode: str = "RGB",
) -> Path:
    """Write ``each`` images of every class into a folder per class, called ``name`` with its number; return the folder.

    The images of a class differ by up to two grey levels.
    """
    for label in labels:
        for number in range(each):
            path = folder / name.format(label) / f"{number}.{suffix}"
            image(path, label, number % 5 - 2, size=size, mode=mode)
    return folder
