"""TFLite metadata: normalization, color space and label files."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import flatbuffers
import numpy as np

__all__ = ["LabelFile", "metadata_buffer", "with_files"]


@dataclass(frozen=True)
class LabelFile:
    """An associated file of an output: 2 are labels of an axis, 3 of values."""

    name: str
    kind: int = 2
    locale: str = ""


@dataclass
class _Tables:
    """Tables that have no generated writer."""

    builder: flatbuffers.Builder = field(default_factory=lambda: flatbuffers.Builder(256))

    def table(self, fields: Mapping[int, tuple[str, Any]]) -> int:
        """Write a table: number of the field → ``offset`` or ``byte``, and its value."""
        self.builder.StartObject(max(fields, default=-1) + 1)
        for number, (kind, value) in fields.items():
            if kind == "offset":
                self.builder.PrependUOffsetTRelativeSlot(number, value, 0)
            else:
                self.builder.PrependInt8Slot(number, value, 0)
        return int(self.builder.EndObject())

    def vector(self, tables: Sequence[int]) -> tuple[str, int]:
        """Write a vector of tables, as a field."""
        self.builder.StartVector(4, len(tables), 4)
        for each in reversed(tables):
            self.builder.PrependUOffsetTRelative(each)
        return "offset", int(self.builder.EndVector())

    def floats(self, values: Sequence[float]) -> tuple[str, int]:
        """Write a vector of float32, as a field."""
        return "offset", int(self.builder.CreateNumpyVector(np.array(values, np.float32)))

    def text(self, value: str) -> tuple[str, int]:
        """Write a string, as a field."""
        return "offset", int(self.builder.CreateString(value))


def metadata_buffer(
    normalizations: Sequence[tuple[Sequence[float], Sequence[float]]] = (),
    outputs: Sequence[Sequence[LabelFile]] = ((),),
    color_space: int = 0,
    inputs: int = 1,
) -> bytes:
    """Return TFLITE_METADATA: mean and std of each normalization, and the label files of each output.

    ``color_space`` is 1 for RGB, 2 for grayscale. The field numbers are those of metadata_schema.fbs.
    """
    tables = _Tables()
    units = []
    for mean, std in normalizations:
        options = tables.table({0: tables.floats(mean), 1: tables.floats(std)})
        units.append(tables.table({0: ("byte", 1), 1: ("offset", options)}))
    image = tables.table({0: ("byte", color_space)})
    content = tables.table({0: ("byte", 2), 1: ("offset", image)})
    taken = [tables.table({3: ("offset", content), 4: tables.vector(units)}) for _ in range(inputs)]
    given = []
    for files in outputs:
        written = [
            tables.table({0: tables.text(each.name), 2: ("byte", each.kind), 3: tables.text(each.locale)})
            for each in files
        ]
        given.append(tables.table({6: tables.vector(written)}))
    subgraph = tables.table({2: tables.vector(taken), 3: tables.vector(given)})
    tables.builder.Finish(tables.table({3: tables.vector([subgraph])}), b"M001")
    return bytes(tables.builder.Output())


def with_files(model: bytes, files: Mapping[str, bytes]) -> bytes:
    """Return a .tflite file with associated files in a zip at its end."""
    whole = io.BytesIO(model)
    with zipfile.ZipFile(whole, "a", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return whole.getvalue()
