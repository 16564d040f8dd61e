"""TFLite metadata: how a model's input is normalized, and its labels.

The metadata is a Flatbuffers table in a buffer of the model (schema: tensorflow/tflite-support,
tensorflow_lite_support/metadata/metadata_schema.fbs, version 1.1). The files that it names are members of a zip at the
end of the .tflite file. All of it is untrusted.
"""

import io
import math
import mmap
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from edge_bench.bench.io.archives import ARCHIVE_ERRORS, open_member
from edge_bench.bench.io.files import mapped, open_regular_file, why_unreadable
from edge_bench.bench.model_formats.flatbuffer import FlatTable, root_table
from edge_bench.bench.model_formats.tflite import MAX_FILE_BYTES

__all__ = ["InputNormalization", "ModelMetadata", "parse_metadata", "read_metadata"]

#: Limit on the uncompressed size of a label file. ImageNet's 21,843 classes take about 1 MB.
MAX_LABEL_BYTES = 4 << 20
MAX_MEMBERS = 10_000

# Numbers of the fields in each table
_MODEL_BUFFERS, _MODEL_METADATA = 4, 6
_ENTRY_NAME, _ENTRY_BUFFER = 0, 1
_BUFFER_DATA, _BUFFER_OFFSET, _BUFFER_SIZE = 0, 1, 2
_METADATA_SUBGRAPHS = 3
_SUBGRAPH_INPUTS, _SUBGRAPH_OUTPUTS = 2, 3
_TENSOR_CONTENT, _TENSOR_UNITS, _TENSOR_FILES = 3, 4, 6
_CONTENT_TYPE, _CONTENT_PROPERTIES, _IMAGE_COLOR_SPACE, _SOUND_RATE = 0, 1, 0, 0
_UNIT_TYPE, _UNIT_OPTIONS, _MEAN, _STD = 0, 1, 0, 1
_FILE_NAME, _FILE_TYPE, _FILE_LOCALE = 0, 2, 3
# Values of enumerations and types of unions
_IMAGE_PROPERTIES, _BOXES, _SOUND, _NORMALIZATION = 2, 3, 4, 1
_AXIS_LABELS, _VALUE_LABELS = 2, 3
_COLOR_SPACES = {1: "rgb", 2: "grayscale"}


@dataclass(frozen=True)
class InputNormalization:
    """How pixels are converted to the model's real input: (pixel - mean) / std, one value or one per channel."""

    mean: tuple[float, ...]
    std: tuple[float, ...]


@dataclass(frozen=True)
class ModelMetadata:
    """The parts of a model's metadata that describe the preparation of its inputs and the meaning of its outputs."""

    normalization: InputNormalization | None  # of the only input; None if there are several
    labels: tuple[str, ...] | None  # None if no output has a label file, or the file is missing
    color_space: str  # of the only input: rgb, grayscale, or empty
    label_file: str  # name of the associated file; empty if there is none
    has_boxes: bool = False  # whether an output has bounding boxes
    sample_rate: int = 0  # of the only input, if it takes sounds: samples per second; 0 if not stated


def read_metadata(path: Path) -> ModelMetadata | None:
    """Return the metadata of a .tflite file, None if it has none. Raise ValueError if it is damaged."""
    try:
        with mapped(path, MAX_FILE_BYTES) as content, open_regular_file(path) as file:
            return parse_metadata(content, file)
    except OSError as cause:
        raise ValueError(f"cannot be read: {why_unreadable(cause)}") from None


def parse_metadata(content: bytes | mmap.mmap, file: BinaryIO | None = None) -> ModelMetadata | None:
    """Return the metadata in the bytes of a .tflite file, None if it has none. Raise ValueError if it is damaged.

    ``file`` has the same bytes, if they are not in memory.
    """
    buffer = _metadata_buffer(content)
    if buffer is None:
        return None
    subgraph = next(iter(root_table(buffer, b"M001").tables(_METADATA_SUBGRAPHS)), None)
    if subgraph is None:
        return ModelMetadata(normalization=None, labels=None, color_space="", label_file="")
    inputs, outputs = list(subgraph.tables(_SUBGRAPH_INPUTS)), list(subgraph.tables(_SUBGRAPH_OUTPUTS))
    only_input = inputs[0] if len(inputs) == 1 else None
    label_file = _label_file(outputs)
    return ModelMetadata(
        normalization=None if only_input is None else _normalization(only_input),
        labels=_labels(file or io.BytesIO(content), label_file) if label_file else None,
        color_space="" if only_input is None else _color_space(only_input),
        label_file=label_file,
        has_boxes=any(_content_type(output) == _BOXES for output in outputs),
        sample_rate=0 if only_input is None else _sample_rate(only_input),
    )


def _metadata_buffer(content: bytes | mmap.mmap) -> bytes | None:
    model = root_table(content, b"TFL3")
    numbers = [
        entry.integer(_ENTRY_BUFFER, "<I")
        for entry in model.tables(_MODEL_METADATA)
        if entry.text(_ENTRY_NAME) == "TFLITE_METADATA"
    ]
    if not numbers:
        return None
    buffer = next((each for number, each in enumerate(model.tables(_MODEL_BUFFERS)) if number == numbers[0]), None)
    if buffer is None:
        raise ValueError(f"its metadata is in buffer {numbers[0]}, which does not exist")
    if data := buffer.data(_BUFFER_DATA):
        return data
    start, size = buffer.integer(_BUFFER_OFFSET, "<Q"), buffer.integer(_BUFFER_SIZE, "<Q")  # in files above 2 GB
    return content[start : start + size] if 0 < start < len(content) else b""


def _normalization(tensor: FlatTable) -> InputNormalization | None:
    found = [
        options
        for unit in tensor.tables(_TENSOR_UNITS)
        if unit.integer(_UNIT_TYPE) == _NORMALIZATION and (options := unit.table(_UNIT_OPTIONS)) is not None
    ]
    if not found:
        return None
    if len(found) > 1:
        raise ValueError(f"its metadata has {len(found)} normalizations for one input")
    mean, std = found[0].floats(_MEAN), found[0].floats(_STD)
    if not mean and not std:
        return None
    fits = mean and std and (len(mean) == len(std) or 1 in (len(mean), len(std)))
    if not fits or not all(map(math.isfinite, (*mean, *std))) or min(std) <= 0:
        raise ValueError(f"its metadata has an invalid normalization: mean {mean[:4]}, std {std[:4]}")
    return InputNormalization(mean=mean, std=std)


def _color_space(tensor: FlatTable) -> str:
    content = tensor.table(_TENSOR_CONTENT)
    if content is None or content.integer(_CONTENT_TYPE) != _IMAGE_PROPERTIES:
        return ""
    image = content.table(_CONTENT_PROPERTIES)
    return "" if image is None else _COLOR_SPACES.get(image.integer(_IMAGE_COLOR_SPACE), "")


def _content_type(tensor: FlatTable) -> int:
    content = tensor.table(_TENSOR_CONTENT)
    return 0 if content is None else content.integer(_CONTENT_TYPE)


def _sample_rate(tensor: FlatTable) -> int:
    content = tensor.table(_TENSOR_CONTENT)
    if content is None or content.integer(_CONTENT_TYPE) != _SOUND:
        return 0
    sound = content.table(_CONTENT_PROPERTIES)
    return 0 if sound is None else sound.integer(_SOUND_RATE, "<I")


def _label_file(outputs: Iterable[FlatTable]) -> str:
    """Return the name of the label file, empty if there is none.

    Axis labels name the scores of a classifier, value labels the classes of a detector. Files in English or without a
    language are preferred. Several outputs with label files are ambiguous.
    """
    candidates = []
    for output in outputs:
        files = list(output.tables(_TENSOR_FILES))
        for kind in (_AXIS_LABELS, _VALUE_LABELS):
            if of_kind := [each for each in files if each.integer(_FILE_TYPE) == kind]:
                english = [each for each in of_kind if each.text(_FILE_LOCALE).lower()[:2] in ("", "en")]
                candidates.append((english or of_kind)[0].text(_FILE_NAME))
                break
    return candidates[0] if len(candidates) == 1 else ""


def _labels(file: BinaryIO, name: str) -> tuple[str, ...] | None:
    """Return the lines of an associated file; None if it is not in the zip, or there is no zip."""
    if not zipfile.is_zipfile(file):
        return None
    try:
        with zipfile.ZipFile(file) as archive:
            if len(archive.namelist()) > MAX_MEMBERS:
                raise ValueError(f"more than {MAX_MEMBERS:,} files in it")
            if name not in archive.namelist():
                return None
            with open_member(archive, archive.getinfo(name), MAX_LABEL_BYTES) as member:
                text = member.read()
    except (OSError, *ARCHIVE_ERRORS) as cause:
        raise ValueError(f"the files in it cannot be read: {str(cause) or type(cause).__name__}") from None
    try:
        lines = text.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    except UnicodeDecodeError:
        raise ValueError(f"its label file {name[:80]!r} is not UTF-8") from None
    while lines and not lines[-1].strip():  # usually one empty line, after the last line break
        lines.pop()
    return tuple(line.strip() for line in lines)
