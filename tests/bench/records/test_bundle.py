"""A bundle that is not what it says is refused, with what is wrong and what to do."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pytest

from edge_bench.bench.errors import BundleError
from edge_bench.bench.io.files import sha256_of
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.manifest import File, Manifest


def change_manifest(folder: Path, **changes: object) -> None:
    path = folder / "manifest.json"
    manifest = msgspec.json.decode(path.read_bytes()) | changes
    path.write_bytes(msgspec.json.encode(manifest))


def replace_array(folder: Path, name: str, array: npt.NDArray[Any]) -> None:
    """An altered array whose checksum the manifest knows: what someone would send who means harm."""
    path = folder / "test" / f"{name}.npy"
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    path.write_bytes(buffer.getvalue())
    entry = File(file=f"test/{name}.npy", bytes=path.stat().st_size, sha256=sha256_of(path))
    change_manifest(folder, **{f"test_{name}": msgspec.to_builtins(entry)})


def test_a_whole_bundle_opens_and_holds_every_variant(digits_bundle: Bundle) -> None:
    bundle = Bundle.open(digits_bundle.folder)
    names = [variant.name for variant in bundle.manifest.variants]
    assert names == ["keras", "float32", "float16", "dynamic", "int8"]
    for variant in bundle.manifest.variants:
        bundle.checked(variant)
    assert bundle.manifest.model.parameters == 128_266
    images, labels = bundle.test_set()
    assert labels is not None
    assert images.shape == (300, 28, 28, 1)
    assert labels.shape == (300,)


def test_the_dynamic_variant_asks_for_no_operator_that_tflite_runtime_2_14_lacks(digits_bundle: Bundle) -> None:
    dense = [op for op in digits_bundle.variant("dynamic").operators if op.name == "FULLY_CONNECTED"]
    assert [op.count for op in dense] == [2]
    assert dense[0].version < 12


def test_the_int8_variant_takes_and_gives_uint8(digits_bundle: Bundle) -> None:
    variant = digits_bundle.variant("int8")
    assert (variant.input.dtype, variant.output.dtype) == ("uint8", "uint8")
    assert variant.input.scale == pytest.approx(1 / 255, rel=0.01)


def test_a_missing_folder_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="there is no bundle") as caught:
        Bundle.open(tmp_path / "nowhere")
    assert "edge-bench train" in caught.value.remedy


def test_an_empty_folder_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"no manifest\.json"):
        Bundle.open(tmp_path)


def test_an_unfinished_training_is_no_bundle(tmp_path: Path) -> None:
    (tmp_path / "training").mkdir()
    with pytest.raises(BundleError, match="not finished") as caught:
        Bundle.open(tmp_path)
    assert "--resume" in caught.value.remedy


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda f: (f / "manifest.json").write_text("{"), "not a manifest"),
        (lambda f: change_manifest(f, schema_version="3.0"), "newer"),
        (lambda f: (f / "test/images.npy").unlink(), "not there"),
        (lambda f: (f / "test/images.npy").write_bytes(b"\x93NUMPY"), "bytes, the manifest says"),
        (lambda f: (f / "test/labels.npy").write_bytes(b"x" * 428), "altered"),
        (lambda f: replace_array(f, "labels", np.full(300, 200, np.uint8)), "only 10 classes"),
        (lambda f: replace_array(f, "labels", np.zeros(299, np.uint8)), "do not fit"),
        (lambda f: replace_array(f, "images", np.zeros((300, 28, 28, 1), np.float64)), "uint8"),
        (lambda f: replace_array(f, "labels", np.array([print] * 300, dtype=object)), "not an array"),
    ],
)
def test_a_spoiled_bundle_is_refused(bundle_copy: Path, spoil: Callable[[Path], object], words: str) -> None:
    spoil(bundle_copy)
    with pytest.raises(BundleError, match=words) as caught:
        Bundle.open(bundle_copy)
    assert caught.value.remedy


@pytest.mark.parametrize("name", ["../images.npy", "/etc/passwd", "test/link.npy"])
def test_a_manifest_cannot_name_files_outside_the_bundle(bundle_copy: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "images.npy").write_bytes((bundle_copy / "test/images.npy").read_bytes())
    (bundle_copy / "test/link.npy").symlink_to(tmp_path / "images.npy")
    manifest = msgspec.json.decode((bundle_copy / "manifest.json").read_bytes(), type=Manifest)
    entry = msgspec.to_builtins(msgspec.structs.replace(manifest.test_images, file=name))
    change_manifest(bundle_copy, test_images=entry)
    with pytest.raises(BundleError, match="outside the bundle"):
        Bundle.open(bundle_copy)
