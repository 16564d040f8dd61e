"""Size and checksum of a model cover all of its files, and a model never refers to files of others."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from edge_bench.bench.errors import BadInput
from edge_bench.bench.io.files import sha256_of
from edge_bench.bench.model_formats import protobuf
from edge_bench.bench.model_formats.onnx_graph import (
    TensorSizes,
    external_locations,
    stated_sizes,
)
from edge_bench.bench.models import model_identity
from edge_bench.bench.models.model_identity import model_files, size_and_sha256
from edge_bench.bench.progress import Silent
from tests.made.onnx import brightness_onnx, external_tensor, onnx_with
from tests.made.tflite_models import brightness_tflite


def test_a_model_of_one_file_has_its_size_and_checksum(tmp_path: Path) -> None:
    for path in (brightness_tflite(tmp_path / "m.tflite", range(4)), brightness_onnx(tmp_path / "m.onnx", range(4))):
        assert size_and_sha256(path) == (path.stat().st_size, sha256_of(path))


def test_weights_in_another_file_are_part_of_an_onnx_model(tmp_path: Path) -> None:
    path = brightness_onnx(tmp_path / "m.onnx", range(4), location="weights.bin")
    (tmp_path / "unrelated.bin").write_bytes(b"not referred to")
    size, digest = size_and_sha256(path)
    assert size == path.stat().st_size + (tmp_path / "weights.bin").stat().st_size
    graph = sha256_of(path)
    brightness_onnx(path, [3, 2, 1, 0], location="weights.bin")
    assert sha256_of(path) == graph
    assert size_and_sha256(path) == (size, size_and_sha256(path)[1])
    assert size_and_sha256(path)[1] != digest
    brightness_onnx(path, range(4), location="weights.bin")
    assert size_and_sha256(path) == (size, digest)


def test_every_file_of_a_saved_model_counts(tmp_path: Path) -> None:
    (tmp_path / "variables").mkdir()
    variables = tmp_path / "variables" / "variables.data-00000-of-00001"
    (tmp_path / "saved_model.pb").write_bytes(b"graph")
    variables.write_bytes(b"weights")
    first = size_and_sha256(tmp_path)
    variables.write_bytes(b"WEIGHTS")
    assert size_and_sha256(tmp_path)[0] == first[0] == 12
    assert size_and_sha256(tmp_path)[1] != first[1]


def in_graph(tensor: TensorProto, attribute: str) -> onnx.ModelProto:
    node = helper.make_node("Any", [], ["y"], **{attribute: tensor})
    return helper.make_model(helper.make_graph([node], "g", [], []))


def in_subgraph(tensor: TensorProto) -> onnx.ModelProto:
    branch = helper.make_graph([helper.make_node("Constant", [], ["c"], value=tensor)], "branch", [], [])
    node = helper.make_node("If", ["x"], ["y"], then_branch=branch, else_branch=helper.make_graph([], "g", [], []))
    return helper.make_model(helper.make_graph([node], "g", [], []))


def in_sparse(tensor: TensorProto) -> onnx.ModelProto:
    sparse = helper.make_sparse_tensor(tensor, numpy_helper.from_array(np.zeros(2, np.int64), "i"), [4])
    return helper.make_model(helper.make_graph([], "g", [], [], sparse_initializer=[sparse]))


def in_function(tensor: TensorProto) -> onnx.ModelProto:
    node = helper.make_node("Constant", [], ["c"], value=tensor)
    function = helper.make_function("domain", "F", [], ["c"], [node], [helper.make_opsetid("", 17)])
    return helper.make_model(helper.make_graph([], "g", [], []), functions=[function])


@pytest.mark.parametrize(
    "model_of",
    [lambda tensor: in_graph(tensor, "value"), lambda tensor: in_graph([tensor], "values"), in_subgraph, in_sparse,
     in_function],
    ids=["attribute", "list attribute", "subgraph", "sparse", "function"],
)  # fmt: skip
def test_external_tensors_are_found_everywhere(
    tmp_path: Path, model_of: Callable[[TensorProto], onnx.ModelProto]
) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(model_of(external_tensor("deep.bin")).SerializeToString())
    assert external_locations(path) == ["deep.bin"]


def test_a_location_counts_once_and_only_for_an_external_tensor(tmp_path: Path) -> None:
    inside = external_tensor("never.bin", "inside")
    inside.data_location = TensorProto.DEFAULT
    tensors = [external_tensor("b", "1"), inside, external_tensor("a", "2"), external_tensor("b", "3")]
    path = onnx_with(tmp_path / "m.onnx", *tensors)
    assert external_locations(path) == ["b", "a"]
    (tmp_path / "a").write_bytes(bytes(16))
    (tmp_path / "b").write_bytes(bytes(16))
    assert list(model_files(path)) == ["a", "b", "m.onnx"]


def test_progress_is_shown_for_large_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.tflite"
    path.write_bytes(bytes(3_500_000))
    small, large = Counted(), Counted()
    assert size_and_sha256(path, small) == size_and_sha256(path)
    monkeypatch.setattr(model_identity, "LARGE", 3_000_000)
    assert size_and_sha256(path, large) == size_and_sha256(path)
    assert (small.steps, small.done, large.steps, large.done) == (0, 0, 3, 3)


class Counted(Silent):
    """Counts the steps of all tasks."""

    steps = done = 0

    def start(self, what: str, steps: int, done: int = 0) -> None:
        self.steps += steps

    def advance(self, steps: int = 1, note: str = "") -> None:
        self.done += steps


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    path = onnx_with(tmp_path / "m.onnx", external_tensor("gone.bin"))
    with pytest.raises(BadInput) as caught:
        size_and_sha256(path)
    assert "gone.bin" in caught.value.problem
    assert str(tmp_path) in caught.value.remedy


@pytest.mark.parametrize("location", ["../secret", "{outside}/secret", "link", "linked/secret"])
def test_files_outside_the_models_folder_are_refused(tmp_path: Path, location: str) -> None:
    (tmp_path / "secret").write_bytes(b"weights")
    location = location.format(outside=tmp_path)
    path = onnx_with(tmp_path / "model" / "m.onnx", external_tensor(location))
    (path.parent / "link").symlink_to("../secret")
    (path.parent / "linked").symlink_to("..")
    with pytest.raises(BadInput) as caught:
        size_and_sha256(path)
    assert location in caught.value.problem


def test_links_to_a_store_of_both_files_are_followed_as_onnx_runtime_does(tmp_path: Path) -> None:
    brightness_onnx(tmp_path / "store" / "1a2b", range(4), location="3c4d")
    path = onnx_with(tmp_path / "snapshot" / "m.onnx", external_tensor("weights.bin"))
    (tmp_path / "store" / "model").write_bytes(path.read_bytes())
    path.unlink()
    path.symlink_to("../store/model")
    (path.parent / "weights.bin").symlink_to("../store/3c4d")
    assert list(model_files(path)) == ["m.onnx", "weights.bin"]


@pytest.mark.parametrize("content", [b"", b"\x00", b"\x3a\xff\xff\xff\xff\x0f", b"\x3b", b"\xff" * 11])
def test_a_file_that_is_no_protobuf_message_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(content)
    with pytest.raises(BadInput) as caught:
        size_and_sha256(path)
    assert str(path) in caught.value.problem


def test_a_truncated_model_and_a_tensor_without_location_are_refused(tmp_path: Path) -> None:
    whole = brightness_onnx(tmp_path / "m.onnx", range(4)).read_bytes()
    (tmp_path / "m.onnx").write_bytes(whole[:-10])
    for path in (tmp_path / "m.onnx", onnx_with(tmp_path / "n.onnx", external_tensor(""))):
        with pytest.raises(BadInput):
            size_and_sha256(path)


def test_an_address_in_memory_in_place_of_a_file_is_refused(tmp_path: Path) -> None:
    location = "*/_ORT_MEM_ADDR_/*"
    (tmp_path / location).parent.mkdir(parents=True)
    (tmp_path / location).write_bytes(bytes(16))
    with pytest.raises(BadInput) as caught:
        size_and_sha256(onnx_with(tmp_path / "m.onnx", external_tensor(location)))
    assert "m.onnx" in caught.value.problem


def test_sizes_that_a_file_states_are_read(tmp_path: Path) -> None:
    path = onnx_with(
        tmp_path / "m.onnx", numpy_helper.from_array(np.zeros((3, 5), np.float64), "a"), external_tensor("w.bin")
    )
    assert stated_sizes(path) == TensorSizes(constants=3 * 5 * 8 + 2 * 2 * 4, largest_value=0)
    packed = TensorProto(name="p", data_type=TensorProto.INT8, dims=[1 << 20, 1 << 20])
    assert stated_sizes(onnx_with(path, packed)).constants == 1 << 40
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT16, ["batch", -1, 1000, 3])
    nested = helper.make_graph([], "inner", [], [], value_info=[value])
    graph = helper.make_graph([helper.make_node("If", ["c"], ["y"], then_branch=nested)], "g", [], [])
    path.write_bytes(helper.make_model(graph).SerializeToString())
    assert stated_sizes(path) == TensorSizes(constants=0, largest_value=2 * 1000 * 3)


def test_deep_nesting_and_many_parts_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = b""
    for depth in reversed(range(6_000)):  # graphs in attributes of nodes in graphs
        number = (1, 5, 6)[depth % 3]
        content = bytes([number << 3 | 2]) + varint(len(content)) + content
    path = tmp_path / "m.onnx"
    path.write_bytes(b"\x3a" + varint(len(content)) + content)
    assert external_locations(path) == []
    monkeypatch.setattr(protobuf, "MAX_FIELDS", 1000)
    with pytest.raises(ValueError, match="1,000"):
        external_locations(path)


def varint(number: int) -> bytes:
    digits = []
    while number > 0x7F:
        digits.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*digits, number])
