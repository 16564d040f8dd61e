"""The class of each value of a true mask, and the values that are not scored."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_bench.bench.errors import BadInput, DatasetError
from edge_bench.bench.io.files import read_bounded, why_unreadable
from edge_bench.bench.records.outputs.masks import MAX_CLASSES
from edge_bench.bench.wording import counted

__all__ = ["IGNORED", "MaskValues", "parse_ignored", "read_mask_values"]

#: In a true mask: a pixel that is not scored.
IGNORED = (1 << 16) - 1
_UNKNOWN = IGNORED - 1
_VALUES = 1 << 16
_MAX_FILE = 4 << 20


class MaskValues:
    """A class, IGNORED, or nothing for each of the 65,536 values that a mask can have."""

    def __init__(
        self,
        classes: int,
        ignored: Iterable[int] = (),
        by_value: Mapping[int, int] | None = None,
        other: int | None = None,
    ) -> None:
        """Set the meaning of values. Nothing is assumed about 0 and 255.

        classes: the model's; by_value: the class of each value, by default the value itself; ignored: values that are
        not scored, even if ``by_value`` has them; other: class of all values that are not named, or IGNORED
        Raise BadInput for values and classes that do not exist.
        """
        if not 0 < classes <= MAX_CLASSES:
            raise BadInput(f"masks with {counted(classes, 'class')}: 1 to {MAX_CLASSES:,} are supported")
        self.classes = classes
        self._table = np.full(_VALUES, _UNKNOWN, np.uint16)
        if other is not None:
            self._table[:] = self._known(other)
        if by_value is None:
            self._table[:classes] = np.arange(classes)
        for value, number in (by_value or {}).items():
            self._table[self._value(value)] = self._known(number)
        for value in ignored:
            self._table[self._value(value)] = IGNORED

    def _known(self, number: int) -> int:
        if number != IGNORED and not 0 <= number < self.classes:
            raise BadInput(f"a mask has class {number}, but the classes are 0 to {self.classes - 1}")
        return number

    @staticmethod
    def _value(value: int) -> int:
        if not 0 <= value < _VALUES:
            raise BadInput(f"invalid mask value {value}: values are from 0 to {_VALUES - 1:,}")
        return value

    def classes_of(self, mask: npt.NDArray[Any], path: Path) -> npt.NDArray[np.uint16]:
        """Return the class of each pixel, or IGNORED; raise DatasetError for the first value that is neither."""
        found: npt.NDArray[np.uint16] = self._table[mask]
        unknown = found == _UNKNOWN
        if unknown.any():
            row, column = (int(index) for index in np.unravel_index(int(unknown.argmax()), mask.shape))
            raise DatasetError(
                f"{path}: value {int(mask[row, column])} in row {row:,}, column {column:,} is not one of the "
                f"{counted(self.classes, 'class')}",
                "set its class with --mask-values FILE, or exclude it with --ignore-mask-values",
            )
        return found


def parse_ignored(text: str) -> tuple[int, ...]:
    """Return the values of a text such as ``0,255``; raise BadInput if it is not a list of values from 0 to 65535."""
    values = []
    for part in map(str.strip, text.split(",")):
        if not (part.isascii() and part.isdigit()) or len(part) > 5 or int(part) >= _VALUES:
            raise BadInput(f"{part[:40]!r} is not a mask value", "use values from 0 to 65535, such as 0,255")
        values.append(int(part))
    return tuple(values)


def read_mask_values(path: Path, class_names: Sequence[str], ignored: Iterable[int] = ()) -> MaskValues:
    """Read a text file with one ``VALUE CLASS`` per line, in UTF-8.

    CLASS is the name of one of the model's classes, or its number if no class has this name, or ``ignore`` for a value
    that is not scored. ``*`` instead of VALUE means all other values. Lines that begin with # are comments. Raise
    DatasetError for the first line that is none of these or contradicts another.
    """
    try:
        text = read_bounded(path, _MAX_FILE).decode("utf-8-sig")
    except (OSError, ValueError) as cause:
        raise DatasetError(f"{path}: cannot be read: {why_unreadable(cause)}") from None
    by_value, other = dict[int, int](), None
    for number, line in enumerate(text.split("\n"), start=1):
        parts = line.split(maxsplit=1)
        if not parts or parts[0].startswith("#"):
            continue
        found = _class_number(parts[1].strip(), class_names) if len(parts) == 2 else None
        if found is None or not (parts[0] == "*" or _is_value(parts[0])):
            raise DatasetError(
                f"{path}: line {number:,}: {line.strip()[:80]!r}",
                "write VALUE CLASS, VALUE ignore or * CLASS, with one of the model's classes",
            )
        if parts[0] == "*":
            known, other = other, found
        else:
            known = by_value.setdefault(int(parts[0]), found)
        if known not in (None, found):
            raise DatasetError(
                f"{path}: line {number:,}: {parts[0]} has another class above", "remove one of the lines"
            )
    return MaskValues(len(class_names), ignored, by_value, other)


def _is_value(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 5 and int(text) < _VALUES


def _class_number(text: str, class_names: Sequence[str]) -> int | None:
    """Return the number of a class by name or number, IGNORED for ``ignore``; None if there is no such class."""
    if text == "ignore":
        return IGNORED
    if class_names.count(text) == 1:
        return class_names.index(text)
    return int(text) if _is_value(text) and int(text) < len(class_names) else None
