"""Hostile bundles, data, Runs and images: each is refused with an error.

The manifest fits the changed files: sizes and checksums are right, as an attacker would make them.
"""

import base64
import io
import json
import os
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edge_bench.bench.dataset.arrays import load_arrays
from edge_bench.bench.errors import BundleError, DatasetError, EdgeBenchError, ResultsError
from edge_bench.bench.io.record_codec import encode_record
from edge_bench.bench.measure.recording.run_builder import read_run_or_journal
from edge_bench.bench.model_formats.keras_archive import check_keras
from edge_bench.bench.models.model_files import ModelFiles
from edge_bench.bench.preprocessing.decode import decode
from edge_bench.bench.preprocessing.presets import Geometry
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.run_files import read_run
from tests.command_line import Refuses
from tests.fuzz import seeds
from tests.hostile.conftest import header, with_images, write_manifest


class Payload:
    """Makes a folder when it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.trace),)


# -- a pickle


def test_a_pickle_in_an_array_is_not_unpickled(bundle: Path, tmp_path: Path) -> None:
    trace = tmp_path / "unpickled"
    np.save(bundle / "test/images.npy", np.array([Payload(trace)] * 20, object), allow_pickle=True)
    write_manifest(bundle)
    with pytest.raises(BundleError) as caught:
        Bundle.open(bundle)
    assert "images.npy" in caught.value.problem
    archive = tmp_path / "x.npz"
    np.savez(archive, images=np.array([Payload(trace)], object))
    with pytest.raises(DatasetError) as refused:
        load_arrays(archive, None)
    assert "x.npz" in refused.value.problem
    assert not trace.exists()


# -- names that lead out of the bundle


@pytest.mark.parametrize(
    "name", ["../elsewhere.npy", "ABSOLUTE", "test/link.npy", "linked/elsewhere.npy", "test/../../x"]
)
def test_no_name_or_link_leads_out_of_the_bundle(bundle: Path, tmp_path: Path, name: str) -> None:
    for place in (tmp_path / "elsewhere.npy", tmp_path / "x"):
        place.write_bytes((bundle / "test/images.npy").read_bytes())
    (bundle / "test/link.npy").symlink_to(tmp_path / "elsewhere.npy")
    (bundle / "linked").symlink_to(tmp_path)
    name = name.replace("ABSOLUTE", str(tmp_path / "elsewhere.npy"))
    write_manifest(bundle, images=name)
    with pytest.raises(BundleError) as caught:
        Bundle.open(bundle)
    assert repr(name) in caught.value.problem


def test_a_manifest_that_links_out_of_the_bundle_is_refused(bundle: Path, tmp_path: Path) -> None:
    (bundle / "manifest.json").rename(tmp_path / "manifest.json")
    (bundle / "manifest.json").symlink_to(tmp_path / "manifest.json")
    with pytest.raises(BundleError) as caught:
        Bundle.open(bundle)
    assert str(bundle / "manifest.json") in caught.value.problem


def test_nothing_is_written_through_a_bundles_links(refuses: Refuses, bundle: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (bundle / "training").symlink_to(elsewhere)
    refused = refuses("train", "--dataset", "digits", "--bundle", bundle, "--overwrite", kind=BundleError)
    assert str(bundle / "training") in refused.problem
    (bundle / "training").unlink()
    (bundle / "variants" / "dynamic.tflite").unlink()
    (bundle / "variants").rmdir()
    (bundle / "variants").symlink_to(elsewhere)
    refused = refuses("export", "mobilenetv2", "--bundle", bundle, "--overwrite", kind=BundleError)
    assert str(bundle / "variants") in refused.problem
    assert list(elsewhere.iterdir()) == []


# -- false sizes, and archives that grow


@pytest.mark.parametrize(
    ("content", "number"),
    [
        (header("(1099511627776,)") + bytes(320), f"{1 << 40:,}"),
        (header("(4294967296, 4294967296, 4294967296)") + bytes(320), f"{1 << 96:,}"),
        (header("(20, 16)", "|V1000000") + bytes(320), ""),
        (header("(" + "(" * 4000 + ")" * 4000 + ")"), ""),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\xff", f"{(1 << 32) - 1:,}"),
        (header("(0, 999999999999999999)"), ""),
    ],
)
def test_an_array_with_a_false_size_is_refused(bundle: Path, content: bytes, number: str) -> None:
    with_images(bundle, content)
    with pytest.raises(BundleError) as caught:
        Bundle.open(bundle)
    assert str(bundle) in caught.value.problem
    assert number in caught.value.problem


def test_archives_that_grow_when_unpacked_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGE_BENCH_CACHE", str(tmp_path / "cache"))
    zeros = bytes(40 << 20)
    bomb = tmp_path / "bomb.npz"
    images = header(f"({len(zeros)},)") + zeros
    bomb.write_bytes(seeds.npz(images, seeds.npys()[1]))
    with pytest.raises(DatasetError) as caught:
        load_arrays(bomb, None)
    assert f"{len(images):,}" in caught.value.problem  # bytes
    liar = tmp_path / "liar.npz"
    liar.write_bytes(seeds.npz(header("(1099511627776, 4)") + bytes(320), seeds.npys()[1]))
    with pytest.raises(DatasetError) as refused:
        load_arrays(liar, None)
    assert f"{1 << 42:,}" in refused.value.problem  # bytes
    with zipfile.ZipFile(tmp_path / "bomb.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", "{}")
        archive.writestr("model.weights.h5", zeros)
    with pytest.raises(ValueError, match=f"{len(zeros):,}"):
        check_keras(tmp_path / "bomb.keras")
    assert not list(tmp_path.rglob("*.npy"))


def test_a_small_image_file_with_too_many_pixels_is_refused(tmp_path: Path) -> None:
    Image.new("L", (2, 2)).save(tmp_path / "bomb.png")
    content = bytearray((tmp_path / "bomb.png").read_bytes())
    content[16:24] = struct.pack(">II", 20_000, 20_000)
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    (tmp_path / "bomb.png").write_bytes(content)
    with pytest.raises(DatasetError) as caught:
        decode(tmp_path / "bomb.png", Geometry(4, 4, 1))
    for value in ("bomb.png", "20,000×20,000", "89"):  # 89 million pixels are accepted
        assert value in caught.value.problem


def test_postscript_named_like_an_image_starts_no_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[object] = []
    monkeypatch.setattr("subprocess.Popen", lambda *command, **_: started.append(command))
    (tmp_path / "x.png").write_bytes(
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 4 4\n%%EndComments\n(x) run\n%%EOF\n"
    )
    with pytest.raises(DatasetError) as caught:
        decode(tmp_path / "x.png", Geometry(4, 4, 1))
    assert "x.png" in caught.value.problem
    assert "JPEG" in caught.value.problem  # one of the formats that are decoded
    assert not started


def test_a_run_whose_arrays_inflate_is_refused(tmp_path: Path) -> None:
    whole = json.loads(encode_record(seeds.runs()[0]))
    zeros = base64.b64encode(zlib.compress(bytes(16_000_000))).decode()
    path = tmp_path / "run-x.json"
    path.write_text(json.dumps(whole))
    read_run(path)
    for array in (whole["images"]["indices"], whole["results"][0]["trials"][0]["latencies"]):
        kept = dict(array)
        array |= {"dtype": "uint8", "length": 16_000_000, "data": zeros}
        path.write_text(json.dumps(whole))
        with pytest.raises(ResultsError) as caught:
            read_run(path)
        assert str(path) in caught.value.problem
        array.update(kept)
    whole["images"]["indices"]["length"] = 1 << 40
    path.write_text(json.dumps(whole))
    with pytest.raises(ResultsError) as refused:
        read_run(path)
    assert str(path) in refused.value.problem


# -- JSON that is deep, or huge


@pytest.mark.parametrize("depth", [2_000, 2_000_000])
def test_deep_json_is_refused(bundle: Path, depth: int) -> None:
    content = (bundle / "manifest.json").read_bytes().rstrip()[:-1]
    (bundle / "manifest.json").write_bytes(content + b',"more":' + b"[" * depth + b"]" * depth + b"}")
    with pytest.raises(BundleError) as caught:
        Bundle.open(bundle)
    assert str(bundle / "manifest.json") in caught.value.problem
    (bundle / "model.keras").write_bytes(seeds.kerases(b'{"a":' * depth + b"1" + b"}" * depth))
    with pytest.raises(ValueError, match=r"config\.json"):
        check_keras(bundle / "model.keras")


def test_huge_json_is_not_read(bundle: Path, tmp_path: Path) -> None:
    for path, read, error in (
        (bundle / "manifest.json", lambda _: Bundle.open(bundle), BundleError),
        (tmp_path / "run-x.json", read_run, ResultsError),
    ):
        with path.open("ab") as file:
            file.truncate(1 << 40)  # a terabyte that occupies no space on the disk
        with pytest.raises(error) as caught:
            read(path)
        assert str(path) in caught.value.problem


# -- pipes and devices


@pytest.mark.parametrize("name", ["manifest.json", "test/images.npy", "test/labels.npy", "variants/dynamic.tflite"])
def test_a_pipe_in_place_of_a_file_is_not_waited_for(bundle: Path, name: str) -> None:
    (bundle / name).unlink()
    os.mkfifo(bundle / name)
    refused(bundle / name, lambda: (opened := Bundle.open(bundle)).checked(opened.variant("dynamic")))


def refused(path: Path, call: Callable[[], object]) -> None:
    """Assert that a call raises an error that names the path."""
    with pytest.raises(EdgeBenchError) as caught:
        call()
    assert str(path) in caught.value.problem


def test_pipes_and_devices_in_place_of_other_files_are_refused(tmp_path: Path) -> None:
    for name in ("x.tflite", "x.keras", "x.onnx", "x.npy", "x.npz", "x.png", "run-x.json", "run-x.journal"):
        os.mkfifo(tmp_path / name)
    (tmp_path / "zero.json").symlink_to("/dev/zero")
    readers: dict[str, Callable[[Path], object]] = {
        "run-x.json": read_run,
        "zero.json": read_run,
        "run-x.journal": read_run_or_journal,
        "x.npy": lambda path: load_arrays(path, None),
        "x.npz": lambda path: load_arrays(path, None),
        "x.png": lambda path: decode(path, Geometry(4, 4, 1)),
        **{f"x.{kind}": lambda path: ModelFiles.open([path], 10) for kind in ("tflite", "keras", "onnx")},
    }
    for name, read in readers.items():
        path = tmp_path / name
        refused(path, lambda read=read, path=path: read(path))  # type: ignore[misc]


def test_a_data_set_archive_with_large_files_is_refused(tmp_path: Path) -> None:
    from edge_bench.app.training.data.datasets import load_dataset

    with tarfile.open(tmp_path / "cifar-10-binary.tar.gz", "w:gz") as archive:
        member = tarfile.TarInfo("../data_batch_1.bin")
        member.size = 40 << 20
        archive.addfile(member, io.BytesIO(bytes(member.size)))
    with pytest.raises(DatasetError) as caught:
        load_dataset("cifar10", tmp_path)
    assert f"{member.size:,}" in caught.value.problem
    assert [path.name for path in tmp_path.iterdir()] == ["cifar-10-binary.tar.gz"]
