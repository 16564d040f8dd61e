"""A bundle with inputs by name: its test set is checked as that of images is."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pytest

from edge_bench.bench.errors import BundleError
from edge_bench.bench.io.files import sha256_of
from edge_bench.bench.io.record_codec import encode_record, pack
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.manifest import (
    DatasetInfo,
    File,
    Manifest,
    ModelInfo,
    Preprocessing,
    Split,
    TensorSpec,
    Variant,
)
from edge_bench.bench.records.outputs.boxes import BoxTruth, CategoryRecord
from edge_bench.bench.records.outputs.decoding import ScoreDecoding
from edge_bench.bench.records.outputs.scores import FlagTruth, ValueTruth
from edge_bench.bench.records.outputs.tensors import pack_values
from edge_bench.bench.records.outputs.truth import check_truth, decode_truth, encode_truth
from edge_bench.bench.records.outputs.union import TaskTruth

EXAMPLES = 3
INPUTS: dict[str, npt.NDArray[Any]] = {
    "in/a b": np.arange(12, dtype=np.float32).reshape(EXAMPLES, 4),
    "tokens": np.zeros((EXAMPLES, 2), np.int32),
}
SPECS = [
    TensorSpec(dtype="float32", shape=[-1, 4], name="in/a b"),
    TensorSpec(dtype="int32", shape=[1, -1], name="tokens"),
]
OUTPUT = TensorSpec(dtype="float32", shape=[-1, 2], name="y")
VALUES = ValueTruth(columns=2, values=pack_values(np.arange(6, dtype=np.float64)))


def entry(folder: Path, name: str) -> File:
    path = folder / name
    return File(file=name, bytes=path.stat().st_size, sha256=sha256_of(path))


def graph_bundle(
    folder: Path,
    arrays: dict[str, npt.NDArray[Any]] = INPUTS,
    truth: bytes = encode_truth(VALUES),
    change: Callable[[Manifest], Manifest] = lambda manifest: manifest,
) -> Path:
    """Write a bundle with these files and right checksums; return its folder."""
    (folder / "test").mkdir(parents=True)
    for number, array in enumerate(arrays.values()):
        np.save(folder / f"test/input-{number}.npy", array)
    (folder / "test/truth.json").write_bytes(truth)
    (folder / "m.tflite").write_bytes(b"model")
    variant = Variant(
        name="float32", precision="float32", input=SPECS[0], output=OUTPUT, inputs=SPECS, outputs=[OUTPUT],
        **msgspec.structs.asdict(entry(folder, "m.tflite")),
    )  # fmt: skip
    manifest = Manifest(
        created="2026-01-01T00:00:00+00:00",
        dataset=DatasetInfo(name="d", sha256="0" * 64, classes=[]),
        split=Split(train=0, validation=0, test=EXAMPLES),
        seed=1,
        model=ModelInfo(name="m", parameters=1),
        hyper_parameters={},
        preprocessing=Preprocessing(scale=1.0, offset=0.0),
        versions={},
        variants=[variant],
        task="regress",
        test_inputs={name: entry(folder, f"test/input-{number}.npy") for number, name in enumerate(arrays)},
        decodings={"float32": ScoreDecoding()},
        truth=entry(folder, "test/truth.json"),
    )
    (folder / "manifest.json").write_bytes(encode_record(change(manifest)))
    return folder


def test_inputs_and_true_values_are_read_back(tmp_path: Path) -> None:
    bundle = Bundle.open(graph_bundle(tmp_path / "b"))
    assert bundle.manifest.is_graph
    assert {name: np.load(path).tolist() for name, path in bundle.test_inputs().items()} == {
        name: array.tolist() for name, array in INPUTS.items()
    }
    assert bundle.truth() == VALUES
    assert bundle.manifest.decodings == {"float32": ScoreDecoding()}
    with pytest.raises(BundleError):
        bundle.test_set()


def test_a_bundle_without_true_values_has_none(tmp_path: Path) -> None:
    folder = graph_bundle(tmp_path / "b", change=lambda manifest: msgspec.structs.replace(manifest, truth=None))
    assert Bundle.open(folder).truth() is None


@pytest.mark.parametrize("name", ["test/input-1.npy", "test/truth.json"])
def test_an_altered_file_is_refused(tmp_path: Path, name: str) -> None:
    folder = graph_bundle(tmp_path / "b")
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[:-2] + bytes([content[-2] ^ 1]) + content[-1:])
    with pytest.raises(BundleError) as caught:
        Bundle.open(folder)
    assert name in caught.value.problem


@pytest.mark.parametrize(
    "arrays",
    [
        {"in/a b": INPUTS["in/a b"]},
        INPUTS | {"more": np.zeros((EXAMPLES, 1), np.float32)},
        INPUTS | {"in/a b": np.zeros((EXAMPLES, 5), np.float32)},
        INPUTS | {"in/a b": np.zeros((EXAMPLES, 2, 4), np.float32)},
        INPUTS | {"in/a b": np.zeros((EXAMPLES + 1, 4), np.float32)},
        INPUTS | {"in/a b": np.zeros((EXAMPLES, 4), np.float64)},
        INPUTS | {"in/a b": np.zeros((EXAMPLES, 4), "S3")},
        INPUTS | {"in/a b": np.float32(3)},
    ],
)
def test_inputs_that_do_not_fit_the_variants_are_refused(tmp_path: Path, arrays: dict[str, npt.NDArray[Any]]) -> None:
    with pytest.raises(BundleError):
        Bundle.open(graph_bundle(tmp_path / "b", arrays))


@pytest.mark.parametrize(
    "truth",
    [
        b"nothing",
        b"{}",
        encode_truth(ValueTruth(columns=3, values=VALUES.values)),
        encode_truth(ValueTruth(columns=2, values=pack_values(np.full(6, np.nan)))),
        encode_truth(FlagTruth(columns=1, flags=pack([0, 1, 2]))),
        encode_truth(FlagTruth(columns=1, flags=pack([0, 1]))),
    ],
)
def test_damaged_true_values_are_refused(tmp_path: Path, truth: bytes) -> None:
    with pytest.raises(BundleError) as caught:
        Bundle.open(graph_bundle(tmp_path / "b", truth=truth))
    assert "truth.json" in caught.value.problem


def test_a_file_outside_of_the_bundle_is_refused(tmp_path: Path) -> None:
    def outside(manifest: Manifest) -> Manifest:
        inputs = manifest.test_inputs | {"tokens": File(file="../x.npy", bytes=1, sha256="0")}
        return msgspec.structs.replace(manifest, test_inputs=inputs)

    with pytest.raises(BundleError):
        Bundle.open(graph_bundle(tmp_path / "b", change=outside))


def test_a_bundle_without_any_test_set_is_refused(tmp_path: Path) -> None:
    folder = graph_bundle(tmp_path / "b", change=lambda manifest: msgspec.structs.replace(manifest, test_inputs={}))
    with pytest.raises(BundleError):
        Bundle.open(folder)


def boxes(images: int = 2, boxes: int = 3, categories: int = 1) -> BoxTruth:
    """Return true boxes of ``images`` images, all in the first one."""
    return BoxTruth(
        categories=[CategoryRecord(1, "a")] * categories,
        sizes=pack([10] * (2 * images)),
        counts=pack([boxes] + [0] * (images - 1)),
        corners=pack_values(np.zeros(4 * boxes)),
        box_categories=pack([0] * boxes),
        crowd=pack([0] * boxes),
    )


def test_true_boxes_are_consistent() -> None:
    truth: TaskTruth = boxes()
    assert decode_truth(encode_truth(truth)) == truth
    check_truth(truth, 2)
    for wrong in (
        boxes(images=3),
        boxes(categories=0),
        msgspec.structs.replace(boxes(), crowd=pack([0])),
        msgspec.structs.replace(boxes(), crowd=pack([0, 0, 2])),
        msgspec.structs.replace(boxes(), counts=pack([1, 1])),
        msgspec.structs.replace(boxes(), corners=pack_values(np.full(12, np.inf))),
    ):
        with pytest.raises(ValueError, match=r"instead|number|finite|crowd"):
            check_truth(wrong, 2)
