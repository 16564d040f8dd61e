"""The tricks that someone may try with a bundle, a model, a Run or images: each is refused in a sentence.

What a manifest says of an altered file is altered with it: size and checksum are right, as they would be.
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
from edge_bench.bench.measure.run_builder import read_run_or_journal
from edge_bench.bench.model_formats.keras_archive import check_keras
from edge_bench.bench.models.model_files import ModelFiles
from edge_bench.bench.preprocessing.decode import decode
from edge_bench.bench.preprocessing.presets import Geometry
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.run_files import read_run
from tests.command_line import CommandLine, assert_refused
from tests.fuzz import seeds
from tests.hostile.conftest import header, with_images, write_manifest


class Payload:
    """Leaves a trace where it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.trace),)


# -- a pickle


def test_a_pickle_in_an_array_is_not_unpickled(bundle: Path, tmp_path: Path) -> None:
    trace = tmp_path / "unpickled"
    np.save(bundle / "test/images.npy", np.array([Payload(trace)] * 20, object), allow_pickle=True)
    write_manifest(bundle)
    with pytest.raises(BundleError, match="Python objects, which would have to be unpickled"):
        Bundle.open(bundle)
    archive = tmp_path / "x.npz"
    np.savez(archive, images=np.array([Payload(trace)], object))
    with pytest.raises(DatasetError, match="unpickled"):
        load_arrays(archive, None)
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
    write_manifest(bundle, images=name.replace("ABSOLUTE", str(tmp_path / "elsewhere.npy")))
    with pytest.raises(BundleError, match="outside the bundle"):
        Bundle.open(bundle)


def test_a_manifest_that_is_a_link_to_elsewhere_is_not_read(bundle: Path, tmp_path: Path) -> None:
    (bundle / "manifest.json").rename(tmp_path / "manifest.json")
    (bundle / "manifest.json").symlink_to(tmp_path / "manifest.json")
    with pytest.raises(BundleError, match="a link to outside the bundle"):
        Bundle.open(bundle)


def test_nothing_is_written_through_a_bundles_links(edge_bench: CommandLine, bundle: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (bundle / "training").symlink_to(elsewhere)
    assert_refused(edge_bench("train", "--dataset", "digits", "--bundle", bundle, "--overwrite"), "outside the bundle")
    (bundle / "training").unlink()
    (bundle / "variants" / "dynamic.tflite").unlink()
    (bundle / "variants").rmdir()
    (bundle / "variants").symlink_to(elsewhere)
    assert_refused(edge_bench("export", "mobilenetv2", "--bundle", bundle, "--overwrite"), "outside the bundle")
    assert list(elsewhere.iterdir()) == []


# -- sizes that are lies, and what grows


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (header("(1099511627776,)") + bytes(320), "its header claims 1,099,511,627,776"),
        (header("(4294967296, 4294967296, 4294967296)") + bytes(320), "its header claims"),
        (header("(20, 16)", "|V1000000") + bytes(320), "no array of plain numbers"),
        (header("(" + "(" * 4000 + ")" * 4000 + ")"), "no array of plain numbers"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\xff", "its header claims 4,294,967,295 bytes"),
        (header("(0, 999999999999999999)"), "shape"),
    ],
)
def test_an_array_is_not_believed_to_be_larger_than_its_file(bundle: Path, content: bytes, words: str) -> None:
    with_images(bundle, content)
    with pytest.raises(BundleError, match=words):
        Bundle.open(bundle)


def test_what_only_grows_when_it_is_unpacked_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGE_BENCH_CACHE", str(tmp_path / "cache"))
    zeros = bytes(40 << 20)
    bomb = tmp_path / "bomb.npz"
    bomb.write_bytes(seeds.npz(header(f"({len(zeros)},)") + zeros, seeds.npys()[1]))
    with pytest.raises(DatasetError, match="would grow from"):
        load_arrays(bomb, None)
    liar = tmp_path / "liar.npz"
    liar.write_bytes(seeds.npz(header("(1099511627776, 4)") + bytes(320), seeds.npys()[1]))
    with pytest.raises(DatasetError, match="its header claims"):
        load_arrays(liar, None)
    with zipfile.ZipFile(tmp_path / "bomb.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", "{}")
        archive.writestr("model.weights.h5", zeros)
    with pytest.raises(ValueError, match="would grow to"):
        check_keras(tmp_path / "bomb.keras")
    assert not list(tmp_path.rglob("*.npy"))


def test_an_image_of_a_few_bytes_is_not_a_hundred_megapixels(tmp_path: Path) -> None:
    Image.new("L", (2, 2)).save(tmp_path / "bomb.png")
    content = bytearray((tmp_path / "bomb.png").read_bytes())
    content[16:24] = struct.pack(">II", 20_000, 20_000)
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    (tmp_path / "bomb.png").write_bytes(content)
    with pytest.raises(DatasetError, match="more than 89 million are refused"):
        decode(tmp_path / "bomb.png", Geometry(4, 4, 1))


def test_a_picture_by_its_name_is_not_what_starts_a_program(tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 4 4\n%%EndComments\n(x) run\n%%EOF\n"
    )
    with pytest.raises(DatasetError, match="none of JPEG"):
        decode(tmp_path / "x.png", Geometry(4, 4, 1))


def test_a_run_whose_arrays_inflate_is_refused(tmp_path: Path) -> None:
    whole = json.loads(encode_record(seeds.runs()[0]))
    zeros = base64.b64encode(zlib.compress(bytes(16_000_000))).decode()
    for where, words in (
        (whole["images"]["indices"], "not in order"),
        (whole["results"][0]["trials"][0]["latencies"], "latencies"),
    ):
        kept = dict(where)
        where |= {"dtype": "uint8", "length": 16_000_000, "data": zeros}
        (tmp_path / "run-x.json").write_text(json.dumps(whole))
        with pytest.raises(ResultsError, match=words):
            read_run(tmp_path / "run-x.json")
        where.update(kept)
    whole["images"]["indices"]["length"] = 1 << 40
    (tmp_path / "run-x.json").write_text(json.dumps(whole))
    with pytest.raises(ResultsError, match="not a whole run"):
        read_run(tmp_path / "run-x.json")


# -- JSON that is deep, or huge


@pytest.mark.parametrize("depth", [2_000, 2_000_000])
def test_deep_json_is_refused(bundle: Path, depth: int) -> None:
    content = (bundle / "manifest.json").read_bytes().rstrip()[:-1]
    (bundle / "manifest.json").write_bytes(content + b',"more":' + b"[" * depth + b"]" * depth + b"}")
    with pytest.raises(BundleError, match="not a"):
        Bundle.open(bundle)
    (bundle / "model.keras").write_bytes(seeds.kerases(b'{"a":' * depth + b"1" + b"}" * depth))
    with pytest.raises(ValueError, match=r"config\.json"):
        check_keras(bundle / "model.keras")


def test_huge_json_is_not_read(bundle: Path, tmp_path: Path) -> None:
    for path, read, error in (
        (bundle / "manifest.json", lambda _: Bundle.open(bundle), BundleError),
        (tmp_path / "run-x.json", read_run, ResultsError),
    ):
        with path.open("ab") as file:
            file.truncate(1 << 40)  # a terabyte that takes no room on the disk
        with pytest.raises(error, match="larger than"):
            read(path)


# -- what is no file


@pytest.mark.parametrize("name", ["manifest.json", "test/images.npy", "test/labels.npy", "variants/dynamic.tflite"])
def test_a_pipe_in_place_of_a_file_is_not_waited_for(bundle: Path, name: str) -> None:
    (bundle / name).unlink()
    os.mkfifo(bundle / name)
    refused(lambda: (opened := Bundle.open(bundle)).checked(opened.variant("dynamic")))


def refused(call: Callable[[], object]) -> None:
    with pytest.raises(EdgeBenchError, match="ordinary file"):
        call()


def test_pipes_and_devices_in_place_of_anything_else_are_refused(tmp_path: Path) -> None:
    for name in ("x.tflite", "x.keras", "x.onnx", "x.npy", "x.npz", "x.png", "run-x.json", "run-x.journal"):
        os.mkfifo(tmp_path / name)
    (tmp_path / "zero.json").symlink_to("/dev/zero")
    refused(lambda: read_run(tmp_path / "run-x.json"))
    refused(lambda: read_run(tmp_path / "zero.json"))
    refused(lambda: read_run_or_journal(tmp_path / "run-x.journal"))
    refused(lambda: load_arrays(tmp_path / "x.npy", None))
    refused(lambda: load_arrays(tmp_path / "x.npz", None))
    refused(lambda: decode(tmp_path / "x.png", Geometry(4, 4, 1)))
    for kind in ("tflite", "keras", "onnx"):
        refused(lambda kind=kind: ModelFiles.open([tmp_path / f"x.{kind}"], 10))  # type: ignore[misc]


def test_an_archive_of_a_data_set_is_not_unpacked_for_ever(tmp_path: Path) -> None:
    from edge_bench.app.training.data.datasets import load_dataset

    with tarfile.open(tmp_path / "cifar-10-binary.tar.gz", "w:gz") as archive:
        member = tarfile.TarInfo("../data_batch_1.bin")
        member.size = 40 << 20
        archive.addfile(member, io.BytesIO(bytes(member.size)))
    with pytest.raises(DatasetError, match="has 41,943,040 bytes"):
        load_dataset("cifar10", tmp_path)
