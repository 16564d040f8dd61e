"""Small model files that would need gigabytes: refused before a runtime sees them."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_bench.app.conversion.convertible import open_convertible
from edge_bench.bench.errors import BadInput
from edge_bench.bench.measure.plan import Selection, plan
from edge_bench.bench.models.model_files import ModelFiles
from edge_bench.bench.records.bundle import Bundle
from tests.fuzz import seeds
from tests.hostile.conftest import write_manifest
from tests.made.onnx import OnnxBuilder
from tests.made.saved_models import constant, node, ordinary
from tests.made.tflite import TfliteBuilder

BILLION = 10**9


def layer(name: str, **config: Any) -> dict[str, Any]:
    return {"module": "keras.layers", "class_name": name, "config": config, "registered_name": None}


def config_of(*layers: dict[str, Any], shape: Any = (None, 10)) -> bytes:
    listed = [layer("InputLayer", batch_shape=list(shape)), *layers]
    model = {"module": "keras", "class_name": "Sequential", "config": {"name": "m", "layers": listed}}
    return json.dumps(model).encode()


def dense(units: int, **build: Any) -> dict[str, Any]:
    return layer("Dense", units=units, use_bias=True) | ({"build_config": build} if build else {})


KERAS: dict[str, bytes] = {
    "a wide layer": config_of(dense(BILLION)),
    "two layers of middle size": config_of(dense(100_000), dense(100_000)),
    "a layer built with another shape": config_of(dense(10, input_shape=[None, BILLION])),
    "an embedding": config_of(layer("Embedding", input_dim=BILLION, output_dim=8)),
    "a recurrent layer": config_of(layer("LSTM", units=100_000), shape=(None, 4, 4)),
    "a convolution": config_of(layer("Conv2D", filters=BILLION, kernel_size=[3, 3]), shape=(None, 8, 8, 3)),
    "a flattened image": config_of(layer("Flatten"), dense(100), shape=(None, 20_000, 20_000, 3)),
    "an enlarged image": config_of(layer("UpSampling2D", size=[1000, 1000]), layer("Flatten"), dense(10),
                                   shape=(None, 8, 8, 3)),
    "a layer in a wrapper": config_of(layer("TimeDistributed", layer=dense(BILLION)), shape=(None, 4, 4)),
    "a model in a model": config_of(json.loads(config_of(dense(BILLION)))),
    "attention": config_of(layer("MultiHeadAttention", num_heads=100_000, key_dim=100_000), shape=(None, 4, 4)),
    "a layer that is not known": config_of(layer("NewLayer", units=BILLION)),
}  # fmt: skip


@pytest.fixture
def no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(*_: object, **__: object) -> None:
        raise AssertionError("a worker is started")

    monkeypatch.setattr("edge_bench.bench.worker.process.WorkerProcess._start", start)


@pytest.mark.usefixtures("no_worker")
@pytest.mark.parametrize("name", KERAS)
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_a_keras_model_with_more_weights_than_its_file_is_refused(tmp_path: Path, name: str, suffix: str) -> None:
    path = tmp_path / f"x{suffix}"
    legacy = b"\x89HDF\r\n\x1a\n" + bytes(100) + KERAS[name] + bytes(8) + b'{"class_name": "none'
    path.write_bytes(seeds.kerases(KERAS[name]) if suffix == ".keras" else legacy)
    for use in (lambda: ModelFiles.open([path], 10), lambda: open_convertible(str(path), "none", 10).__enter__()):
        with pytest.raises(BadInput) as caught:
            use()
        assert str(path) in caught.value.problem


def huge_value(name: str) -> Callable[[Path], Path]:
    def tflite(folder: Path) -> Path:
        made = TfliteBuilder()
        image = made.tensor(1, 4)
        size = made.tensor(4, data=np.full(4, 1 << 20, np.int32), kind="INT32")
        large = made.operator("FILL", [size, image], [made.tensor(1 << 15, 1 << 15, 1 << 15)])
        return made.save(folder / "x.tflite", [image], [made.reshape(large, 1, 4)])

    def onnx(folder: Path) -> Path:
        made = OnnxBuilder()
        made.add_brightness(range(4), 4)
        return made.save(folder / "x.onnx", [1, 1 << 24, 1 << 24], [1, 4])

    def onnx_constant(folder: Path) -> Path:
        from onnx import TensorProto, load, save

        made = OnnxBuilder()
        made.add_brightness(range(4), 4)
        path = made.save(folder / "x.onnx", [1, 4], [1, 4])
        model = load(path)
        model.graph.initializer.append(TensorProto(name="w", data_type=1, dims=[1 << 24, 1 << 24]))
        save(model, path)
        return path

    def saved_model(folder: Path) -> Path:
        (folder / "saved").mkdir()
        content = ordinary(serving=[node("c", "Const", value=constant(1 << 24, 1 << 24))])
        (folder / "saved/saved_model.pb").write_bytes(content)
        return folder / "saved"

    def keras(folder: Path) -> Path:
        large = layer("RepeatVector", n=BILLION)
        (folder / "x.keras").write_bytes(
            seeds.kerases(config_of(large, layer("GlobalMaxPooling1D"), shape=(1, 10_000)))
        )
        return folder / "x.keras"

    made = {each.__name__: each for each in (tflite, onnx, onnx_constant, saved_model, keras)}
    return made[name]


@pytest.mark.usefixtures("no_worker")
@pytest.mark.parametrize("name", ["tflite", "onnx", "onnx_constant", "saved_model", "keras"])
def test_a_model_with_values_that_do_not_fit_in_memory_is_refused(tmp_path: Path, name: str) -> None:
    path = huge_value(name)(tmp_path)
    with pytest.raises(BadInput) as caught:
        ModelFiles.open([path], 10)
    assert str(path) in caught.value.problem
    assert "GB" in caught.value.problem


@pytest.mark.usefixtures("no_worker")
def test_a_bundles_models_are_checked_as_well(bundle: Path, tmp_path: Path) -> None:
    (bundle / "model.keras").write_bytes(seeds.kerases(KERAS["a wide layer"]))
    (bundle / "variants/large.tflite").write_bytes(huge_value("tflite")(tmp_path).read_bytes())
    write_manifest(bundle)
    failures = {
        item.variant.name: item.failure
        for item in plan(Bundle.open(bundle), Selection(runtimes=["litert", "tensorflow"]))
    }
    assert failures["dynamic"] is None
    assert failures["model"] is not None
    assert failures["model"].kind == "bad file"
    assert failures["large"] is not None
    assert failures["large"].kind == "out of memory"


@pytest.mark.parametrize("name", ["a wide layer", "an embedding"])
def test_a_large_model_is_refused_within_a_second_and_200_megabytes(tmp_path: Path, name: str) -> None:
    """Its limits on processor time and memory would end the process."""
    (tmp_path / "x.keras").write_bytes(seeds.kerases(KERAS[name]))
    code = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from edge_bench.bench.models.memory_estimate import memory_need\n"
        "from edge_bench.bench.errors import BadInput\n"
        "used = resource.getrusage(resource.RUSAGE_SELF)\n"
        "resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + 2, ) * 2)\n"
        "resource.setrlimit(resource.RLIMIT_DATA, (200 << 20, ) * 2)\n"
        "try:\n"
        "    memory_need(Path(sys.argv[1]))\n"
        "except BadInput:\n"
        "    sys.exit(2)\n"
    )
    assert subprocess.run([sys.executable, "-c", code, tmp_path / "x.keras"], check=False).returncode == 2
