"""A damaged or altered bundle is refused with a remedy."""

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
from edge_bench.bench.models.model_identity import size_and_sha256
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.manifest import File
from edge_bench.bench.records.ncnn_files import weights_of


def change_manifest(folder: Path, **changes: object) -> None:
    path = folder / "manifest.json"
    manifest = msgspec.json.decode(path.read_bytes()) | changes
    path.write_bytes(msgspec.json.encode(manifest))


def replace_array(folder: Path, name: str, array: npt.NDArray[Any]) -> None:
    """Replace an array and its checksum in the manifest, as an attacker would."""
    path = folder / "test" / f"{name}.npy"
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    path.write_bytes(buffer.getvalue())
    entry = File(file=f"test/{name}.npy", bytes=path.stat().st_size, sha256=sha256_of(path))
    change_manifest(folder, **{f"test_{name}": msgspec.to_builtins(entry)})


def change_last_byte(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


def test_both_files_of_an_ncnn_model_are_checked(bundle_copy: Path, tmp_path: Path) -> None:
    param = bundle_copy / "variants" / "ncnn.param"
    weights = weights_of(param)
    param.write_text("7767517\n")
    weights.write_bytes(b"weights")
    bundle = Bundle.open(bundle_copy)
    size, digest = size_and_sha256(param)
    entry = msgspec.structs.replace(
        bundle.variants[1], name="ncnn", file="variants/ncnn.param", bytes=size, sha256=digest
    )
    assert size == 8 + 7
    assert bundle.checked(entry) == param
    change_last_byte(weights)
    outside = tmp_path / "outside.bin"
    outside.write_bytes(b"weights")
    damages: list[Callable[[], object]] = [lambda: None, weights.unlink, lambda: weights.symlink_to(outside)]
    for damage in damages:
        damage()
        with pytest.raises(BundleError):
            bundle.checked(entry)


def test_a_complete_bundle_opens_with_every_variant(digits_bundle: Bundle) -> None:
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


def test_the_dynamic_variant_needs_no_operator_that_tflite_runtime_2_14_lacks(digits_bundle: Bundle) -> None:
    dense = [op for op in digits_bundle.variant("dynamic").operators if op.name == "FULLY_CONNECTED"]
    assert [op.count for op in dense] == [2]
    assert dense[0].version < 12


def test_the_int8_variant_has_uint8_input_and_output(digits_bundle: Bundle) -> None:
    variant = digits_bundle.variant("int8")
    assert (variant.input.dtype, variant.output.dtype) == ("uint8", "uint8")
    assert variant.input.scale == pytest.approx(1 / 255, rel=0.01)


def test_a_missing_folder_is_refused_with_the_command_that_makes_one(tmp_path: Path) -> None:
    with pytest.raises(BundleError) as caught:
        Bundle.open(tmp_path / "nowhere")
    assert str(tmp_path / "nowhere") in caught.value.problem
    assert "edge-bench train" in caught.value.remedy


def test_an_empty_folder_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(BundleError) as caught:
        Bundle.open(tmp_path)
    assert "manifest.json" in caught.value.problem


def test_an_unfinished_training_is_no_bundle(tmp_path: Path) -> None:
    (tmp_path / "training").mkdir()
    with pytest.raises(BundleError) as caught:
        Bundle.open(tmp_path)
    assert "--resume" in caught.value.remedy


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (lambda f: (f / "manifest.json").write_text("{"), "manifest.json"),
        (lambda f: change_manifest(f, schema_version="3.0"), "3.0"),
        (lambda f: (f / "test/images.npy").unlink(), "images.npy"),
        (lambda f: (f / "test/images.npy").write_bytes(bytes(77_777)), "77777"),
        (lambda f: change_last_byte(f / "test/labels.npy"), "labels.npy"),
        (lambda f: replace_array(f, "labels", np.full(300, 200, np.uint8)), "200"),
        (lambda f: replace_array(f, "labels", np.zeros(299, np.uint8)), "299"),
        (lambda f: replace_array(f, "images", np.zeros((300, 28, 28, 1), np.float64)), "float64"),
        (lambda f: replace_array(f, "labels", np.array([print] * 300, dtype=object)), "labels.npy"),
    ],
)
def test_a_damaged_bundle_is_refused(bundle_copy: Path, damage: Callable[[Path], object], named: str) -> None:
    damage(bundle_copy)
    with pytest.raises(BundleError) as caught:
        Bundle.open(bundle_copy)
    assert named in caught.value.problem.replace(",", "")
    assert caught.value.remedy


@pytest.mark.parametrize("name", ["../images.npy", "{outside}/images.npy", "test/link.npy"])
def test_a_manifest_cannot_name_files_outside_the_bundle(bundle_copy: Path, tmp_path: Path, name: str) -> None:
    """Its checksum is right, so only its location is wrong."""
    name = name.format(outside=tmp_path)
    (tmp_path / "images.npy").write_bytes((bundle_copy / "test/images.npy").read_bytes())
    (bundle_copy / "test/link.npy").symlink_to(tmp_path / "images.npy")
    entry = msgspec.json.decode((bundle_copy / "manifest.json").read_bytes())["test_images"] | {"file": name}
    change_manifest(bundle_copy, test_images=entry)
    with pytest.raises(BundleError) as caught:
        Bundle.open(bundle_copy)
    assert name in caught.value.problem
