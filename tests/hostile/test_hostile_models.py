"""Models that hold code, reach out, crash or grow: refused, or a row with its reason."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from edge_bench.app.conversion.convertible import open_convertible
from edge_bench.bench.errors import BadInput
from edge_bench.bench.measure.plan import Selection, plan
from edge_bench.bench.model_formats.tflite import read_tflite
from edge_bench.bench.models.model_files import ModelFiles
from edge_bench.bench.records.bundle import Bundle
from tests.command_line import CommandLine
from tests.fuzz import seeds
from tests.hostile.conftest import write_manifest

QUICK = ("--trials", 2, "--processes", 1, "--format", "json")


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
        open_convertible(str(bundle / "model.keras"), "none", 120),
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
