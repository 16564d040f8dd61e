"""Damaged and hostile files are refused with an EdgeBenchError, without any other effect.

`make fuzz` runs ten thousand cases. Here are a few hundred of them, properties tested with Hypothesis, and the cases
that once failed.
"""

import ast
import base64
import json
import string
import unicodedata
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_bench.app.render.escaping import one_line, visible
from edge_bench.bench.analysis.comparison.comparison import compare
from edge_bench.bench.dataset.image_list import list_images
from edge_bench.bench.errors import BundleError, DatasetError, ResultsError
from edge_bench.bench.io.npy import NotAnArray, open_npy
from edge_bench.bench.io.record_codec import PackedArray, encode_record, pack, unpack
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.journal.journal import read_journal
from edge_bench.bench.records.manifest import Manifest
from edge_bench.bench.records.run_files import read_run
from tests.command_line import REPOSITORY
from tests.fuzz import seeds
from tests.fuzz.__main__ import fuzzed
from tests.fuzz.targets import targets

KINDS = [
    "manifest", "history", "state", "run", "offload", "journal", "labels", "npy", "npz", "tflite", "metadata", "onnx",
    "ncnn",
    "savedmodel", "keras", "kerasconfig", "h5", "names", "registry", "states", "cache", "image", "http", "body",
    "archive", "saved", "fleet", "device", "settings", "night", "tuned", "coco", "yolo", "classes", "boxes",
    "mask", "maskvalues", "inputs", "wav", "segmentation", "outputs", "taskrun",
]  # fmt: skip
EXAMPLES = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.slow
def test_damaged_files_of_every_kind_are_refused() -> None:
    tally = fuzzed(KINDS, seed=7, first=0, cases=20)
    assert tally.findings == []
    assert tally.cases == 20 * len(KINDS)
    # some damage is in unused bytes; if nearly all files or none were refused, the cases would test nothing
    assert 0.1 < tally.accepted / tally.cases < 0.7


@pytest.mark.slow
def test_every_seed_is_a_valid_file(tmp_path: Path) -> None:
    kinds = targets(tmp_path)
    assert [kind.name for kind in kinds] == KINDS
    for kind in kinds:
        for content in kind.seeds:
            path = tmp_path / kind.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            if kind.name not in ("npy", "image", "labels"):  # these have seeds of several shapes
                kind.use(path)


@EXAMPLES
@given(
    st.sampled_from(["uint8", "uint16", "uint32", "uint64", "float64", "O"]),
    st.integers(-5, 2**40),
    st.binary(max_size=64),
)
def test_a_packed_array_has_its_stated_length_and_type_or_is_refused(dtype: str, length: int, data: bytes) -> None:
    try:
        values = unpack(PackedArray(dtype=dtype, length=length, data=base64.b64encode(data).decode()))
    except ValueError:
        return
    assert (len(values), values.dtype.name) == (length, dtype)


@EXAMPLES
@given(st.lists(st.integers(0, 2**64 - 1), max_size=50))
def test_a_packed_array_is_unpacked_unchanged(values: list[int]) -> None:
    assert unpack(pack(np.array(values, np.uint64))).tolist() == values


@pytest.mark.slow
@EXAMPLES
@given(st.one_of(
    st.text(string.printable, max_size=120),
    st.builds(
        "{{'descr': {!r}, 'fortran_order': {}, 'shape': {!r}, }}".format,
        st.sampled_from(["|u1", "<f4", "|O", "<u2", "<M8", [("a", "<f4")], "|V9", "<f4;import os"]),
        st.booleans(),
        st.lists(st.integers(-1, 2**40), max_size=4).map(tuple),
    ),
))  # fmt: skip
def test_the_header_of_an_array_must_match_its_file(tmp_path: Path, header: str) -> None:
    path, encoded = tmp_path / "x.npy", header.encode("latin-1") + b"\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(encoded).to_bytes(2, "little") + encoded + bytes(24))
    try:
        array = open_npy(path)
    except NotAnArray:
        return
    assert array.nbytes == 24
    expected = np.load(path, allow_pickle=False)
    assert (array.shape, array.dtype) == (expected.shape, expected.dtype)


@EXAMPLES
@given(st.lists(st.binary(max_size=60), max_size=6), st.booleans())
def test_arbitrary_lines_are_not_a_journal(tmp_path: Path, lines: list[bytes], sound: bool) -> None:
    path = tmp_path / "run-x.journal"
    path.write_bytes(b"".join(seeds.line(each) if sound else each + b"\n" for each in lines))
    with pytest.raises(ResultsError):
        read_journal(path)


@EXAMPLES
@given(st.text(st.characters(codec="utf-8"), max_size=200))
def test_labels_are_in_range_or_refused(tmp_path: Path, text: str) -> None:
    folder = tmp_path / "images"
    folder.mkdir(exist_ok=True)
    for name in ("a.png", "b.png"):
        (folder / name).touch()
    (tmp_path / "labels.txt").write_text(text, encoding="utf-8", newline="")
    try:
        listed = list_images(folder, tmp_path / "labels.txt")
    except DatasetError:
        return
    assert listed.labels is not None
    assert 0 <= listed.labels.min() <= listed.labels.max() < (len(listed.classes) or 65_535)


@pytest.fixture(scope="module")
def small_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fuzz")
    manifest = next(kind for kind in targets(folder) if kind.name == "manifest").seeds[0]
    (folder / "bundle" / "manifest.json").write_bytes(manifest)
    return folder / "bundle"


@EXAMPLES
@given(st.one_of(
    st.text(max_size=30),
    st.lists(st.sampled_from(["..", ".", "", "test", "images.npy", "~", "a\0", "\\..", "/"]), max_size=6).map("/".join),
))  # fmt: skip
def test_no_name_in_a_manifest_leads_out_of_the_bundle(small_bundle: Path, name: str) -> None:
    bundle = Bundle.open(small_bundle)
    entry = msgspec.structs.replace(bundle.test_images, file=name)
    try:
        path = bundle.checked(entry)
    except BundleError:
        return
    assert path.resolve().is_relative_to(small_bundle.resolve())


@EXAMPLES
@given(st.text(max_size=60))
def test_untrusted_text_cannot_control_a_terminal(text: str) -> None:
    shown = one_line(text)
    assert not [each for each in shown if unicodedata.category(each) in ("Cc", "Cs")]
    assert "\u202e" not in shown
    assert json.loads(f'"{visible(text)}"') == text if text.isprintable() and not set(text) & {'"', "\\"} else True


# -- cases that once ended in a traceback, hung or used a GiB of memory


@pytest.mark.parametrize(
    "change",
    [
        pytest.param((b'"desk"', b'"\xff\xfe"'), id="not UTF-8"),
        pytest.param((b'"passes": 1', b'"passes": 0'), id="no passes"),
        pytest.param((b'"elapsed_ns": ', b'"elapsed_ns": -'), id="a negative time"),
        pytest.param((b'"began": "2026-01-01T00:00:00+00:00"', b'"began": "2026-01-01"'), id="a date without a time"),
        pytest.param((b'"batch_size": 1', b'"batch_size": 0'), id="a batch size of 0"),
    ],
)
def test_a_run_with_impossible_values_is_refused(tmp_path: Path, change: tuple[bytes, bytes]) -> None:
    path = tmp_path / "run-x.json"
    valid = encode_record(seeds.runs()[0])
    path.write_bytes(valid)
    read_run(path)
    path.write_bytes(valid.replace(*change, 1))
    with pytest.raises(ResultsError) as caught:
        read_run(path)
    assert "run-x.json" in caught.value.problem


def test_a_journal_line_that_is_not_utf_8_is_refused_despite_its_checksum(tmp_path: Path) -> None:
    path = tmp_path / "run-x.journal"
    lines = [seeds.line(msgspec.json.encode(entry)) for entry in seeds.journals()[0]]
    path.write_bytes(b"".join([*lines[:3], seeds.line(lines[3][9:-1].replace(b'"TrialMade"', b'"\xff"'))]))
    with pytest.raises(ResultsError) as caught:
        read_journal(path)
    assert "run-x.journal" in caught.value.problem


def test_a_history_with_lists_of_different_lengths_is_refused(small_bundle: Path, tmp_path: Path) -> None:
    kind = next(kind for kind in targets(tmp_path) if kind.name == "history")
    path = tmp_path / kind.file
    path.write_bytes(b'{"schema_version": "1.2", "loss": [0.5, 0.25], "accuracy": [0.5]}')
    with pytest.raises(BundleError) as caught:
        kind.use(path)
    assert "history.json" in caught.value.problem


def test_an_unknown_runtime_is_compared_like_any_other() -> None:
    run = seeds.runs()[0]
    unknown = msgspec.structs.replace(run.results[1].configuration, runtime="uint8")
    results = [run.results[0], msgspec.structs.replace(run.results[1], configuration=unknown)]
    assert len(compare([msgspec.structs.replace(run, results=results)]).rows) == 2


@pytest.mark.slow
def test_readers_cannot_unpickle_or_execute_their_input() -> None:
    """The code uses no pickle, marshal or eval, and calls numpy and Keras with their safe options."""
    for path in [*(REPOSITORY / "app").rglob("*.py"), *(REPOSITORY / "bench").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {"pickle", "marshal", "shelve", "dill", "joblib", "cloudpickle"} & set(names), path
            if isinstance(node, ast.Call):
                name = ast.unparse(node.func)
                options = {each.arg: ast.unparse(each.value) for each in node.keywords}
                assert name not in ("eval", "exec", "compile"), path
                if name in ("np.load", "np.save", "numpy.load"):
                    assert options.get("allow_pickle") == "False", (path, node.lineno)
                if name.endswith("load_model") and not name.startswith("net."):  # ncnn's reads numbers only
                    assert options.get("safe_mode") == "True", (path, node.lineno)


def test_the_manifests_schema_has_bounds() -> None:
    definitions = msgspec.json.schema(Manifest)["$defs"]
    assert definitions["DatasetInfo"]["properties"]["classes"]["maxItems"] == 65_536
    assert definitions["Variant"]["properties"]["bytes"]["minimum"] == 0
