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

import msgspec
import numpy as np
import pytest
from PIL import Image

from app.console import comparison_tables
from app.presentation.formats import Format
from app.presentation.run_table import run_table
from app.presentation.tables import render
from app.training.source import source_named
from bench.assembly import read_run_or_journal
from bench.bundle import Bundle, File
from bench.codec import encode_record
from bench.compare import compare
from bench.data.arrays import load_arrays
from bench.data.decode import decode
from bench.data.preprocess import Geometry
from bench.errors import BadInput, BundleError, DatasetError, EdgeBenchError, ResultsError
from bench.files import sha256_of
from bench.keras_file import check_keras
from bench.model_files import ModelFiles
from bench.plan import Selection, plan
from bench.results import read_run
from bench.tflite_file import read_tflite
from tests.conftest import CommandLine, assert_refused
from tests.fuzz import seeds

QUICK = ("--trials", 2, "--processes", 1, "--format", "json")


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A whole bundle of sixteen numbers an image, small and made without TensorFlow."""
    folder = tmp_path / "bundle"
    images = np.arange(320, dtype=np.uint8).reshape(20, 16)
    for name, content in {
        "variants/dynamic.tflite": seeds.tflites()[0], "model.keras": seeds.kerases(),
        "test/labels.npy": seeds.npys()[1], "test/images.npy": b"",
    }.items():  # fmt: skip
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    np.save(folder / "test/images.npy", images, allow_pickle=False)
    write_manifest(folder)
    Bundle.open(folder)
    return folder


def write_manifest(folder: Path, **other: str) -> None:
    """As whoever made the bundle would: with the right sizes and checksums. ``other``: names for images or labels."""
    files = {
        path.relative_to(folder).as_posix(): File(
            file=path.relative_to(folder).as_posix(), bytes=path.stat().st_size, sha256=sha256_of(path)
        )
        for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "manifest.json"
    }  # fmt: skip
    for part, name in other.items():
        key = f"test/{part}.npy"
        there = (folder / name).resolve()
        files[key] = File(file=name, bytes=there.stat().st_size, sha256=sha256_of(there))
    (folder / "manifest.json").write_bytes(seeds.manifest(files))


def with_images(folder: Path, content: bytes) -> None:
    (folder / "test/images.npy").write_bytes(content)
    write_manifest(folder)


def header(shape: str, descr: str = "|u1") -> bytes:
    text = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


class Payload:
    """Leaves a trace where it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.trace),)


# -- 1: a pickle


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


# -- 2: code in a model


def keras_with(layer: dict[str, Any]) -> bytes:
    config = {"module": "keras", "class_name": "Sequential", "config": {"name": "m", "layers": [layer]}}
    return seeds.kerases(json.dumps(config).encode())


CODE = base64.b64encode(b"marshalled").decode()
HOSTILE_LAYERS: dict[str, dict[str, Any]] = {
    "a Lambda": {
        "module": "keras.layers",
        "class_name": "Lambda",
        "config": {"function": {"class_name": "__lambda__"}},
    },
    "a __lambda__": {"class_name": "__lambda__", "config": {"value": CODE}},
    "'system' of 'os'": {"module": "os", "class_name": "system", "config": {}, "registered_name": "system"},
    "'mine>Layer'": {"module": None, "class_name": "Layer", "config": {}, "registered_name": "mine>Layer"},
    "a TFSMLayer": {"module": "keras.layers", "class_name": "TFSMLayer", "config": {"filepath": "/elsewhere"}},
}


@pytest.mark.parametrize("what", HOSTILE_LAYERS)
def test_code_in_a_keras_file_is_a_row_and_keras_never_sees_it(bundle: Path, what: str) -> None:
    (bundle / "model.keras").write_bytes(keras_with(HOSTILE_LAYERS[what]))
    write_manifest(bundle)
    (planned,) = plan(Bundle.open(bundle), Selection(variants=["model"]))
    assert planned.failure is not None
    assert planned.failure.kind == "bad file"
    assert what in planned.failure.message
    assert planned.file is None
    with pytest.raises(BadInput, match="Keras is not shown it"):
        ModelFiles.open([bundle / "model.keras"], 10)


@pytest.mark.slow
def test_code_in_a_keras_file_is_not_exported(bundle: Path) -> None:
    (bundle / "model.keras").write_bytes(keras_with(HOSTILE_LAYERS["a Lambda"]))
    with (
        pytest.raises(BadInput, match="it holds code"),
        source_named(str(bundle / "model.keras"), "none", 120),
    ):
        pass


def test_a_saved_model_that_reaches_out_is_refused(tmp_path: Path) -> None:
    saved = tmp_path / "saved"
    saved.mkdir()
    (saved / "saved_model.pb").write_bytes(b"\x12\x09WriteFile")
    with pytest.raises(BadInput, match="WriteFile"):
        ModelFiles.open([saved], 10)
    (saved / "saved_model.pb").write_bytes(b"")
    (saved / "assets").symlink_to("/etc")
    with pytest.raises(BadInput, match="a link to outside the SavedModel"):
        ModelFiles.open([saved], 10)


# -- 3: names that lead out of the bundle


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


# -- 4: sizes that are lies, and what grows


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


def test_a_tflite_that_points_to_one_part_again_and_again_is_refused(tmp_path: Path) -> None:
    """A quarter of a million buffers that are all one; a hundred times as many would take no larger a file each."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    builder = flatbuffers.Builder(1 << 20)
    schema.BufferStart(builder)
    one = schema.BufferEnd(builder)
    schema.ModelStartBuffersVector(builder, 250_000)
    for _ in range(250_000):
        builder.PrependUOffsetTRelative(one)
    buffers = builder.EndVector()
    schema.ModelStart(builder)
    schema.ModelAddBuffers(builder, buffers)
    builder.Finish(schema.ModelEnd(builder), b"TFL3")
    (tmp_path / "x.tflite").write_bytes(bytes(builder.Output()))
    with pytest.raises(BadInput, match="more than 200,000 parts"):
        read_tflite(tmp_path / "x.tflite")


# -- 5: JSON that is deep, or huge


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


# -- 6: a model that crashes native code


def test_a_model_that_crashes_native_code_is_a_row_and_the_others_are_measured(
    edge_bench: CommandLine, bundle: Path
) -> None:
    (bundle / "variants/crasher.tflite").write_bytes(seeds.crasher())
    write_manifest(bundle)
    done = edge_bench("run", bundle, "--variant", "dynamic,crasher", "--runtime", "litert", *QUICK)
    assert done.returncode == 0, done.stderr
    rows = {row["variant"]: row for row in json.loads(done.stdout)}
    assert rows["dynamic"]["failure"] is None
    assert "SIGSEGV" in json.dumps(rows["crasher"]["failure"])


# -- 7: what is no file


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


# -- 8: names that a terminal obeys, and pages


def test_names_of_others_reach_a_terminal_and_a_page_as_text(edge_bench: CommandLine, tmp_path: Path) -> None:
    evil = "\x1b]0;owned\x07\x1b[2J\u202egnp.exe\x9b31m[/red]<script>alert(1)</script>\nrun trusted: yes"
    first = seeds.runs()[0]
    run = msgspec.structs.replace(
        first,
        machine=msgspec.structs.replace(first.machine, hostname=evil, cpu=evil),
        bundle=msgspec.structs.replace(first.bundle, model=evil, dataset=evil, note=evil, classes=[evil] * 10),
        stopped=evil,
    )
    (tmp_path / "results").mkdir()
    (tmp_path / "results/run-x.json").write_bytes(encode_record(run))
    done = edge_bench("compare", "results")
    assert done.returncode == 0, done.stderr
    assert "\\u001b" in done.stdout
    shown = {Format.TABLE: done.stdout + done.stderr}
    for form in Format:
        shown[form] = "\n".join(render(table, form) for table in (run_table(run), *comparison_tables(compare([run]))))
    for form, text in shown.items():
        for obeyed in ("\x1b", "\x07", "\x9b", "\u202e"):
            assert obeyed not in text, form
        assert "<script" not in text or form is not Format.HTML
        assert form is Format.CSV or not any(line.startswith("run trusted") for line in text.splitlines()), form
    done = edge_bench("report", "results", "-o", "page.html")
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert_refused(edge_bench("compare", f"no\x1b[2J{evil[:9]}.json"), "\\u001b")


def test_an_archive_of_a_data_set_is_not_unpacked_for_ever(tmp_path: Path) -> None:
    from app.training.datasets import load_dataset

    with tarfile.open(tmp_path / "cifar-10-binary.tar.gz", "w:gz") as archive:
        member = tarfile.TarInfo("../data_batch_1.bin")
        member.size = 40 << 20
        archive.addfile(member, io.BytesIO(bytes(member.size)))
    with pytest.raises(DatasetError, match="has 41,943,040 bytes"):
        load_dataset("cifar10", tmp_path)
