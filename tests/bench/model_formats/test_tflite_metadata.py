"""TFLite metadata: normalization, label files and color space, and damaged ones."""

import contextlib
import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from edge_bench.bench.model_formats.tflite_metadata import (
    MAX_LABEL_BYTES,
    InputNormalization,
    ModelMetadata,
    parse_metadata,
    read_metadata,
)
from tests.made.tflite import TfliteBuilder
from tests.made.tflite_metadata import LabelFile, metadata_buffer, with_files


def model(metadata: bytes | None, files: Mapping[str, bytes] | None = None) -> bytes:
    made = TfliteBuilder()
    taken, given = made.tensor(1, 4, 4, 3), made.tensor(1, 2)
    made.metadata("min_runtime_version", b"1.5.0\0")
    if metadata is not None:
        made.metadata("TFLITE_METADATA", metadata)
    content = made.content([taken], [given])
    return with_files(content, files) if files else content


def labels_of(outputs: Sequence[Sequence[LabelFile]], files: Mapping[str, bytes]) -> tuple[str, ...] | None:
    found = parse_metadata(model(metadata_buffer(outputs=outputs), files))
    assert found is not None
    return found.labels


def test_a_file_without_metadata_has_none(tmp_path: Path) -> None:
    (tmp_path / "x.tflite").write_bytes(model(None))
    assert read_metadata(tmp_path / "x.tflite") is None


def test_normalization_labels_and_color_space_are_read(tmp_path: Path) -> None:
    buffer = metadata_buffer([([127.5], [127.5])], [[LabelFile("labels.txt")]], color_space=1)
    (tmp_path / "x.tflite").write_bytes(model(buffer, {"labels.txt": "cat\nKätzchen\n".encode()}))
    assert read_metadata(tmp_path / "x.tflite") == ModelMetadata(
        normalization=InputNormalization((127.5,), (127.5,)),
        labels=("cat", "Kätzchen"),
        color_space="rgb",
        label_file="labels.txt",
    )


def test_normalization_may_have_a_value_per_channel() -> None:
    found = parse_metadata(model(metadata_buffer([([123.5, 116.25, 103.5], [58.5, 57.25, 57.5])], color_space=2)))
    assert found == ModelMetadata(
        InputNormalization((123.5, 116.25, 103.5), (58.5, 57.25, 57.5)), None, "grayscale", ""
    )


def test_several_inputs_have_no_normalization() -> None:
    found = parse_metadata(model(metadata_buffer([([0.0], [255.0])], inputs=2)))
    assert found is not None
    assert found.normalization is None


@pytest.mark.parametrize(
    ("content", "labels"),
    [
        (b"a\r\nb\r\n", ("a", "b")),
        (b"\xef\xbb\xbfa\nb", ("a", "b")),
        (b"a\n\nc\n\n", ("a", "", "c")),
        (" two words \nb\u2028c\n".encode(), ("two words", "b\u2028c")),
        (b"", ()),
    ],
)
def test_lines_are_labels(content: bytes, labels: tuple[str, ...]) -> None:
    assert labels_of([[LabelFile("l.txt")]], {"l.txt": content}) == labels


@pytest.mark.parametrize(
    ("outputs", "chosen"),
    [
        ([[LabelFile("a"), LabelFile("b")]], ("a",)),
        ([[LabelFile("a", locale="de"), LabelFile("b")]], ("b",)),
        ([[LabelFile("a", locale="de"), LabelFile("b", locale="en-US")]], ("b",)),
        ([[LabelFile("a", locale="de"), LabelFile("b", locale="fr")]], ("a",)),
        ([[LabelFile("a", kind=3), LabelFile("b")]], ("b",)),
        ([[LabelFile("a", kind=3), LabelFile("b", kind=1)]], ("a",)),
        ([[LabelFile("a", kind=5)]], None),
        ([[], [LabelFile("b", kind=3)]], ("b",)),
        ([[LabelFile("a")], [LabelFile("b")]], None),
        ([[LabelFile("gone")]], None),
    ],
)
def test_the_label_file_is_chosen_by_kind_and_language(
    outputs: list[list[LabelFile]], chosen: tuple[str, ...] | None
) -> None:
    assert labels_of(outputs, {"a": b"a\n", "b": b"b\n"}) == chosen


def test_a_label_file_that_is_missing_is_still_named() -> None:
    found = parse_metadata(model(metadata_buffer(outputs=[[LabelFile("gone")]])))
    assert found == ModelMetadata(None, None, "", "gone")


@pytest.mark.parametrize(
    "normalizations",
    [
        [([0.0], [0.0])],
        [([0.0], [-1.0])],
        [([float("nan")], [1.0])],
        [([0.0], [float("inf")])],
        [([0.0, 0.0], [1.0, 1.0, 1.0])],
        [([], [1.0])],
        [([0.0], [1.0]), ([1.0], [2.0])],
    ],
)
def test_a_normalization_without_one_meaning_is_refused(normalizations: list[tuple[list[float], list[float]]]) -> None:
    with pytest.raises(ValueError, match="normalization"):
        parse_metadata(model(metadata_buffer(normalizations)))


def test_label_files_that_are_no_text_or_too_large_are_refused() -> None:
    named = metadata_buffer(outputs=[[LabelFile("l.txt")]])
    for content in (b"\xff\xfe\0", b"a\n" * (MAX_LABEL_BYTES // 2 + 1)):
        with pytest.raises(ValueError, match=r"l\.txt"):
            parse_metadata(model(named, {"l.txt": content}))
    whole = io.BytesIO(model(named))
    with zipfile.ZipFile(whole, "a", zipfile.ZIP_LZMA) as archive:
        archive.writestr("l.txt", "a")
    with pytest.raises(ValueError, match=r"l\.txt"):
        parse_metadata(whole.getvalue())


def test_damaged_metadata_raises_value_error_only() -> None:
    buffer = metadata_buffer([([127.5], [127.5])], [[LabelFile("labels.txt")]], color_space=1)
    content = model(buffer, {"labels.txt": b"a\nb\n"})
    generator = np.random.default_rng(0)
    for size in (8, 12, 40, len(content) // 2, len(content) - 5):
        with contextlib.suppress(ValueError):
            parse_metadata(content[:size])
    for _ in range(2000):
        damaged = bytearray(content)
        for place in generator.integers(0, len(content), 6):
            damaged[place] = generator.integers(0, 256)
        with contextlib.suppress(ValueError):
            parse_metadata(bytes(damaged))


@pytest.mark.parametrize(
    "wrong", [bytes(1), bytes(8), b"\x08\0\0\0M002" + bytes(20), b"\xff" * 4 + b"M001" + bytes(20)]
)
def test_metadata_of_another_format_is_refused(wrong: bytes) -> None:
    with pytest.raises(ValueError, match=r"identifier|outside|longer"):
        parse_metadata(model(wrong))
