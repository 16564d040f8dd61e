"""Delegates that work, are slow, refuse, crash, take nothing or cannot be loaded, in real workers."""

import _ctypes
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from edge_bench.bench.errors import BadInput
from edge_bench.bench.measure.plan import Selection, plan
from edge_bench.bench.models.delegates import delegates
from edge_bench.bench.models.model_files import ModelFiles
from edge_bench.bench.records.delegate import DelegateSetting, Delegation
from edge_bench.bench.runtimes import RUNTIMES, graph_loader, installed_version
from edge_bench.bench.runtimes.graphs.base import GraphFile
from edge_bench.bench.runtimes.tflite_delegate import delegations_of
from tests.command_line import CommandLine, Refuses
from tests.made.brightness import bright_inputs
from tests.made.delegate import FULLY_CONNECTED, SOFTMAX, built_delegate
from tests.made.delegate.matrix import LABELS, assert_outcomes, matrix
from tests.made.onnx import brightness_onnx
from tests.made.tflite import TfliteBuilder
from tests.made.tflite_models import brightness_tflite
from tests.measured import arrays, run_files

TFLITE_RUNTIMES = [name for name, runtime in RUNTIMES.items() if runtime.has_interpreter and installed_version(runtime)]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The test delegate for this machine."""
    return built_delegate(tmp_path_factory.mktemp("delegate"))


@pytest.mark.slow
@pytest.mark.parametrize("runtime", TFLITE_RUNTIMES)
def test_a_delegate_that_fails_leaves_the_other_configurations_unhurt(
    runtime: str, library: Path, tmp_path: Path
) -> None:
    model = brightness_tflite(tmp_path / "bright.tflite", range(13))
    data = arrays(tmp_path, bright_inputs(LABELS, 8, 8, 3), LABELS)
    selection = Selection(runtimes=[runtime], delegates=delegates(matrix(str(library))))
    assert_outcomes(run_files([model], selection, **data).results, library)


def two_dense_layers(path: Path) -> Path:
    """Write a graph of dense, softmax, dense, softmax, without a batch axis that is open."""
    made, generator = TfliteBuilder(), np.random.default_rng(0)
    taken = last = made.tensor(1, 4)
    for _ in range(2):
        scores = made.dense(last, generator.random((4, 4)), generator.random(4))
        last = made.operator("SOFTMAX", [scores], [made.tensor(1, 4)], schema.SoftmaxOptionsT(beta=1.0))
    return made.save(path, [taken], [last])


@pytest.mark.parametrize(
    ("options", "nodes", "parts"),
    [("", 2, 2), (f",operator={FULLY_CONNECTED}", 2, 2), (",operator=none", 0, 0), (",operator=22", 2, 2)],
)
def test_nodes_that_a_delegate_replaced_are_counted(
    options: str, nodes: int, parts: int, library: Path, tmp_path: Path
) -> None:
    file = two_dense_layers(tmp_path / "m.tflite")
    load, values = graph_loader(RUNTIMES["litert"]), np.ones((1, 4), np.float32)
    own = load(GraphFile(file, 1, None))
    session = load(GraphFile(file, 1, None, delegate=DelegateSetting(f"{library.name}{options}", library)))
    np.testing.assert_allclose(session.invoke([values])[0], own.invoke([values])[0], atol=1e-6)
    taken, *rest = delegations_of(session)
    assert taken == Delegation(name=library.name, nodes=nodes, total_nodes=6, parts=parts)
    assert [(each.name, each.nodes) for each in rest] == [("XNNPACK", 6 - nodes)]
    assert [(each.name, each.nodes, each.parts) for each in delegations_of(own)] == [("XNNPACK", 6, 1)]


def test_a_delegate_that_refuses_other_shapes_is_named(library: Path, tmp_path: Path) -> None:
    file = two_dense_layers(tmp_path / "m.tflite")
    setting = DelegateSetting(f"{library.name},operator={SOFTMAX},static=1", library)
    load = graph_loader(RUNTIMES["litert"])
    session = load(GraphFile(file, 1, 1, delegate=setting))
    with pytest.raises(ValueError, match=library.name):
        session.prepare([[2, 4]])  # type: ignore[attr-defined]


def damaged(library: Path, folder: Path) -> Path:
    """A library for a processor that no machine has."""
    content = bytearray(library.read_bytes())
    content[18:20] = b"\x01\x02"
    path = folder / "other.so"
    path.write_bytes(content)
    return path


def text(_: Path, folder: Path) -> Path:
    (folder / "text.so").write_text("tflite_plugin_create_delegate")
    return folder / "text.so"


def other_library(_: Path, folder: Path) -> Path:
    """A library without a delegate's function."""
    shutil.copy(_ctypes.__file__, folder / "ctypes.so")
    return folder / "ctypes.so"


@pytest.mark.parametrize(
    "make",
    [damaged, text, other_library, lambda *_: "missing.so", lambda *_: "/nowhere/x.so", lambda _, folder: folder],
)
def test_what_cannot_be_a_delegate_here_is_refused_before_anything_is_measured(
    make: Callable[[Path, Path], Path], library: Path, tmp_path: Path, refuses: Refuses
) -> None:
    brightness_tflite(tmp_path / "m.tflite", range(3))
    stated = make(library, tmp_path)
    error = refuses("run", "m.tflite", "--delegate", stated)
    assert str(stated) in error.problem
    assert error.remedy


@pytest.mark.parametrize(
    "options", [["", "a"], ["none,a=1"], ["default,"], ["{}, ,"], ["{},key"], ["{},a=1,a=2"], ["{},=1"]]
)
def test_options_are_pairs(options: Sequence[str], library: Path) -> None:
    with pytest.raises(BadInput):
        delegates([each.format(library) for each in options])


def test_two_libraries_of_one_name_would_be_one_configuration(library: Path, tmp_path: Path) -> None:
    shutil.copy(library, tmp_path)
    with pytest.raises(BadInput):
        delegates([str(library), str(tmp_path / library.name)])
    assert len(delegates([str(library), str(library), f"{library},a=1", "none", "none"])) == 3


def test_a_library_without_a_folder_is_found_where_the_linker_looks(
    library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    versioned = tmp_path / "libx.so.2.1"
    shutil.copy(library, versioned)
    (tmp_path / "libx.so").symlink_to(versioned)
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path))
    (found,) = delegates("libx.so,a=b=c/d")
    assert found.text == "libx.so,a=b=c/d"
    assert DelegateSetting(found.text, found.library).options == {"a": "b=c/d"}
    assert found.library == tmp_path / "libx.so"
    assert found.record is not None
    assert found.record.version == "2.1"


def test_other_runtimes_are_measured_without_the_delegate_or_refused_alone(library: Path, tmp_path: Path) -> None:
    onnx = brightness_onnx(tmp_path / "n.onnx", range(3))
    models = ModelFiles.open([brightness_tflite(tmp_path / "m.tflite", range(3)), onnx], 60)
    chosen = delegates([str(library), "none"])
    found = [
        (each.configuration.runtime, each.configuration.delegate) for each in plan(models, Selection(delegates=chosen))
    ]
    assert {delegate for runtime, delegate in found if runtime == "litert"} == {library.name, "none"}
    assert {delegate for runtime, delegate in found if not RUNTIMES[runtime].has_interpreter} <= {""}
    with pytest.raises(BadInput) as refused:
        plan(models, Selection(runtimes=["onnxruntime"], delegates=chosen))
    assert "onnxruntime" in refused.value.problem
    assert plan(models, Selection(runtimes=["onnxruntime"], delegates=delegates("default")))


def test_a_model_for_the_edge_tpu_needs_its_delegate(library: Path, tmp_path: Path) -> None:
    made = TfliteBuilder()
    taken, scores = made.tensor(1, 4), made.tensor(1, 4)
    made.operator("CUSTOM", [taken], [scores], custom="edgetpu-custom-op")
    models = ModelFiles.open([made.save(tmp_path / "m_edgetpu.tflite", [taken], [scores])], 60)
    chosen = delegates(["default", "none", str(library)])
    default, none, with_library = plan(models, Selection(runtimes=["litert"], delegates=chosen))
    for each in (default, none):
        assert each.failure is not None
        assert each.failure.kind == "cannot load"
        assert "--delegate libedgetpu.so.1" in each.failure.remedy
    assert with_library.failure is None


@pytest.mark.slow
def test_a_run_is_reused_only_with_the_same_delegate_and_library(
    library: Path, tmp_path: Path, edge_bench_here: CommandLine, measure_here: None
) -> None:
    del measure_here
    brightness_tflite(tmp_path / "m.tflite", range(3))
    own = tmp_path / "liby.so"
    shutil.copy(library, own)

    def measured(*stated: object) -> str:
        options = ("--runtime", "litert", "--trials", 2, "--processes", 1, "--once", "--format", "json")
        done = edge_bench_here("run", "m.tflite", *options, *stated)
        assert done.returncode == 0, done.stderr
        (run,) = {path.name for path in (tmp_path / "results").glob("run-*.json")} - known
        known.add(run)
        (row,) = json.loads(done.stdout)
        return str(row["delegate"])

    known = set[str]()
    assert measured("--delegate", "./liby.so") == "liby.so"
    with pytest.raises(ValueError, match="not enough values"):  # no new Run
        measured("--delegate", "./liby.so")
    assert measured() == ""
    content = own.read_bytes()
    own.unlink()  # this process has loaded the file
    own.write_bytes(content + b"\0")  # another build
    assert measured("--delegate", "./liby.so") == "liby.so"
