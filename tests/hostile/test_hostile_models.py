"""Models that contain code, access files, crash or grow: refused, or reported as a failure."""

import base64
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_bench.app.conversion.convertible import open_convertible
from edge_bench.bench.errors import BadInput
from edge_bench.bench.measure.plan import Selection, plan
from edge_bench.bench.model_formats.reading_budget import MAX_BYTES, MAX_TABLES
from edge_bench.bench.model_formats.tflite import read_tflite
from edge_bench.bench.models.model_files import ModelFiles
from edge_bench.bench.records.bundle import Bundle
from tests.command_line import CommandLine
from tests.fuzz import seeds
from tests.hostile.conftest import write_manifest
from tests.made.saved_models import node, ordinary
from tests.made.tflite import TfliteBuilder

QUICK = ("--trials", 2, "--processes", 1, "--format", "json")


def keras_with(layer: dict[str, Any]) -> bytes:
    config = {"module": "keras", "class_name": "Sequential", "config": {"name": "m", "layers": [layer]}}
    return seeds.kerases(json.dumps(config).encode())


CODE = base64.b64encode(b"marshalled").decode()
#: What the error must name → a layer.
HOSTILE_LAYERS: dict[str, dict[str, Any]] = {
    "Lambda": {
        "module": "keras.layers",
        "class_name": "Lambda",
        "config": {"function": {"class_name": "__lambda__"}},
    },
    "__lambda__": {"class_name": "__lambda__", "config": {"value": CODE}},
    "system": {"module": "os", "class_name": "system", "config": {}, "registered_name": "system"},
    "mine>Layer": {"module": None, "class_name": "Layer", "config": {}, "registered_name": "mine>Layer"},
    "TFSMLayer": {"module": "keras.layers", "class_name": "TFSMLayer", "config": {"filepath": "/elsewhere"}},
    "get_file": {
        "module": "keras.utils",
        "class_name": "function",
        "config": "get_file",
        "registered_name": "get_file",
    },
    "enable_unsafe_deserialization": {
        "module": "keras.config",
        "class_name": "function",
        "config": "enable_unsafe_deserialization",
    },
    "config.enable_unsafe_deserialization": {
        "module": "keras",
        "class_name": "function",
        "config": "config.enable_unsafe_deserialization",
    },
    "src.utils.Layer": {"module": "keras", "class_name": "src.utils.Layer", "config": {}},
    "MobileNet": {"module": "keras.applications", "class_name": "MobileNet", "config": {}},
    "theirs>Dense": {"module": "keras.layers", "class_name": "Dense", "config": {}, "registered_name": "theirs>Dense"},
    "RaggedTensorSpec": {"class_name": "__typespec__", "config": {"module": "os", "spec_name": "RaggedTensorSpec"}},
    "['os']": {"module": ["os"], "class_name": "system", "config": {}},
    "/etc/passwd": {"module": "keras.layers", "class_name": "StringLookup", "config": {"vocabulary": "/etc/passwd"}},
    "TFOpLambda": {"class_name": "TFOpLambda", "config": {"function": "io.write_file"}},
}


@pytest.mark.parametrize("name", HOSTILE_LAYERS)
def test_code_in_a_keras_file_is_reported_and_never_loaded(
    bundle: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[object] = []
    for module, name_in_it in (("classifier_files", "describe_model"), ("graph_files", "describe_graph")):
        monkeypatch.setattr(f"edge_bench.bench.models.{module}.{name_in_it}", lambda *file, **_: loaded.append(file))
    (bundle / "model.keras").write_bytes(keras_with(HOSTILE_LAYERS[name]))
    write_manifest(bundle)
    (planned,) = plan(Bundle.open(bundle), Selection(variants=["model"]))
    assert planned.failure is not None
    assert planned.failure.kind == "bad file"
    assert name in planned.failure.message
    assert planned.file is None
    with pytest.raises(BadInput) as caught:
        ModelFiles.open([bundle / "model.keras"], 10)
    assert str(bundle / "model.keras") in caught.value.problem
    assert name in caught.value.problem
    assert not loaded


@pytest.mark.slow
def test_a_keras_file_with_a_custom_class_is_not_exported(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "foreign.py").write_text(f"open({str(tmp_path / 'imported')!r}, 'w')\nclass Layer: pass\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    layer: dict[str, Any] = {"module": "foreign", "class_name": "Layer", "config": {}, "registered_name": None}
    (bundle / "model.keras").write_bytes(keras_with(layer))
    with pytest.raises(BadInput) as caught, open_convertible(str(bundle / "model.keras"), "none", 120):
        pass
    assert str(bundle / "model.keras") in caught.value.problem
    assert "foreign" in caught.value.problem
    assert not (tmp_path / "imported").exists()


def test_a_saved_model_that_accesses_files_is_refused(tmp_path: Path) -> None:
    saved = tmp_path / "saved"
    saved.mkdir()
    (saved / "saved_model.pb").write_bytes(ordinary(serving=[node("w", "WriteFile")]))
    with pytest.raises(BadInput) as caught:
        ModelFiles.open([saved], 10)
    assert "WriteFile" in caught.value.problem
    (saved / "saved_model.pb").write_bytes(ordinary())
    (saved / "assets").symlink_to("/etc")
    with pytest.raises(BadInput) as refused:
        ModelFiles.open([saved], 10)
    assert str(saved / "assets") in refused.value.problem


@pytest.mark.slow
def test_a_model_that_crashes_native_code_is_reported_and_the_others_are_measured(
    edge_bench_here: CommandLine, bundle: Path
) -> None:
    (bundle / "variants/crasher.tflite").write_bytes(seeds.crasher())
    write_manifest(bundle)
    done = edge_bench_here("run", bundle, "--variant", "dynamic,crasher", "--runtime", "litert", *QUICK)
    assert done.returncode == 0, done.stderr
    rows = {row["variant"]: row for row in json.loads(done.stdout)}
    assert rows["dynamic"]["failure"] is None
    assert "SIGSEGV" in json.dumps(rows["crasher"]["failure"])


def test_a_tflite_with_many_offsets_to_one_part_is_refused(tmp_path: Path) -> None:
    """A quarter of a million offsets point to one buffer; each further one takes four bytes."""
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
    with pytest.raises(BadInput) as caught:
        read_tflite(tmp_path / "x.tflite")
    assert f"{MAX_TABLES:,}" in caught.value.problem


def test_shapes_of_a_large_tflite_file_take_no_memory_as_large(tmp_path: Path) -> None:
    made = TfliteBuilder()
    taken = made.tensor(1, data=np.array([7], np.int32), kind="INT32")
    made.graph.tensors[taken].shape = np.zeros(MAX_BYTES // 4 + 1, np.int32)
    path = made.save(tmp_path / "x.tflite", [taken], [taken])
    os.truncate(path, 8 * MAX_BYTES)
    with pytest.raises(BadInput):
        read_tflite(path)
