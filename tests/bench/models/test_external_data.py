"""Tensors that an .onnx file stores in other files: accepted where ONNX Runtime takes them, otherwise refused."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from onnx import TensorProto

from edge_bench.bench.errors import BadInput
from edge_bench.bench.model_formats import onnx_graph, protobuf
from edge_bench.bench.model_formats.onnx_graph import ExternalTensor, external_tensors
from edge_bench.bench.models.model_identity import size_and_sha256
from tests.made.onnx import brightness_onnx, external_tensor, onnx_with, placed_tensor

IN_FILE = ("location", "w.bin")


@pytest.mark.parametrize(
    ("entries", "offset", "length"),
    [
        ([IN_FILE], 0, None),
        ([("length", "16"), ("offset", "16"), IN_FILE], 16, 16),
        ([IN_FILE, ("length", "0")], 0, None),  # ONNX Runtime takes 0 as not stated
        ([IN_FILE, ("offset", "3"), ("checksum", "abc")], 3, None),
        ([IN_FILE, ("offset", "48"), ("offset", "8")], 8, None),
        ([("location", "./w.bin")], 0, None),
    ],
)
def test_locations_that_onnx_runtime_accepts_are_accepted(
    tmp_path: Path, entries: Sequence[tuple[str, str]], offset: int, length: int | None
) -> None:
    (tmp_path / "w.bin").write_bytes(bytes(32))
    path = onnx_with(tmp_path / "m.onnx", placed_tensor(entries))
    assert list(external_tensors(path)) == [ExternalTensor("w", dict(entries)["location"], offset, length, 16)]
    assert size_and_sha256(path)[0] == path.stat().st_size + 32


@pytest.mark.parametrize(
    ("kind", "dims", "size"),
    [
        (TensorProto.FLOAT16, [3, 5], 30), (TensorProto.INT4, [5], 3), (TensorProto.UINT4, [2, 2], 2),
        (TensorProto.COMPLEX128, [2], 32), (TensorProto.BOOL, [7], 7), (TensorProto.INT64, [], 8),
        (TensorProto.FLOAT, [0, 4], 0), (99, [4], None),
    ],
)  # fmt: skip
def test_sizes_of_all_types_are_known(tmp_path: Path, kind: int, dims: Sequence[int], size: int | None) -> None:
    (tensor,) = external_tensors(onnx_with(tmp_path / "m.onnx", placed_tensor([IN_FILE], dims, kind)))
    assert tensor.size == size


@pytest.mark.parametrize(
    "entries",
    [
        [("offset", "17")], [("offset", "16"), ("length", "17")], [("length", "15")], [("length", "32")],
        [("offset", "-4")], [("offset", "x")], [("offset", " 4")], [("offset", "0x4")], [("offset", "")],
        [("offset", "18446744073709551616")], [("length", "-1")], [("offset", "9" * 19)], [("location", "w.bin")],
    ],
)  # fmt: skip
def test_places_that_do_not_fit_the_file_or_the_tensor_are_refused(
    tmp_path: Path, entries: Sequence[tuple[str, str]]
) -> None:
    (tmp_path / "w.bin").write_bytes(bytes(32))
    with pytest.raises(BadInput) as caught:
        size_and_sha256(onnx_with(tmp_path / "m.onnx", placed_tensor([IN_FILE, *entries])))
    assert str(tmp_path / "m.onnx") in caught.value.problem


def test_a_file_of_weights_that_is_cut_off_is_refused_by_name(tmp_path: Path) -> None:
    path = brightness_onnx(tmp_path / "m.onnx", range(4), location="weights.bin")
    weights = tmp_path / "weights.bin"
    weights.write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(BadInput) as caught:
        size_and_sha256(path)
    assert "weights.bin" in caught.value.problem


def test_names_of_external_tensors_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "w.bin").write_bytes(bytes(16))
    with pytest.raises(BadInput):
        size_and_sha256(onnx_with(tmp_path / "m.onnx", external_tensor("x" * 5000)))
    path = onnx_with(tmp_path / "m.onnx", *(external_tensor("w.bin", str(number)) for number in range(10)))
    assert size_and_sha256(path)
    monkeypatch.setattr(onnx_graph, "MAX_TEXTS", 40)
    with pytest.raises(BadInput):
        size_and_sha256(path)


def test_a_file_above_the_limit_of_the_format_is_refused(tmp_path: Path) -> None:
    path = brightness_onnx(tmp_path / "m.onnx", range(4))
    os.truncate(path, protobuf.MAX_FILE_BYTES + 1)
    with pytest.raises(BadInput) as caught:
        size_and_sha256(path)
    assert "external data" in caught.value.remedy
