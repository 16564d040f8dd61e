"""SavedModels that TensorFlow and Keras write: accepted and loaded if they only compute, otherwise refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge_bench.bench.errors import BadInput
from edge_bench.bench.models.model_files import ModelFiles
from edge_bench.bench.models.saved_model_check import check_saved_model
from edge_bench.bench.runtimes import RUNTIMES, loader
from edge_bench.bench.runtimes.base import ModelFile, with_known_output


def _layers(names: list[tuple[str, dict[str, Any]]], shape: tuple[int, ...]) -> Callable[[], Any]:
    def make() -> Any:
        import keras

        return keras.Sequential([keras.Input(shape), *(getattr(keras.layers, name)(**each) for name, each in names)])

    return make


def _application(name: str) -> Callable[[], Any]:
    def make() -> Any:
        import keras

        return getattr(keras.applications, name)(weights=None, classes=4, input_shape=(32, 32, 3))

    return make


def _attention() -> Any:
    import keras

    taken = keras.Input((8, 16))
    value = keras.layers.LayerNormalization()(taken + keras.layers.MultiHeadAttention(2, 8)(taken, taken))
    value = keras.layers.Dense(16, activation="gelu")(value)
    return keras.Model(taken, keras.layers.Dense(4)(keras.layers.GlobalAveragePooling1D()(value)))


REAL: dict[str, Callable[[], Any]] = {
    "CNN": _layers(
        [("Resizing", {"height": 16, "width": 16}), ("Rescaling", {"scale": 0.5}),
         ("Conv2D", {"filters": 4, "kernel_size": 3}), ("BatchNormalization", {}), ("MaxPooling2D", {}),
         ("DepthwiseConv2D", {"kernel_size": 3}), ("Conv2DTranspose", {"filters": 2, "kernel_size": 2}),
         ("UpSampling2D", {}), ("Dropout", {"rate": 0.5}), ("Flatten", {}), ("Dense", {"units": 4})], (20, 20, 3)),
    "LSTM": _layers([("LSTM", {"units": 4, "return_sequences": True}), ("GRU", {"units": 4}), ("Dense", {"units": 4})],
                    (6, 3)),
    "attention": _attention,
    "EfficientNetB0": _application("EfficientNetB0"),
    "MobileNetV2": _application("MobileNetV2"),
}  # fmt: skip


@pytest.fixture(autouse=True)
def _any_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """TensorFlow refuses to change the number in a process that has used it already, as tests do."""
    import tensorflow as tf

    for name in ("set_intra_op_parallelism_threads", "set_inter_op_parallelism_threads"):
        monkeypatch.setattr(tf.config.threading, name, lambda _: None)


def classes_of(folder: Path) -> int:
    """Return the number of classes of a SavedModel that is accepted, and loaded in this process as in a worker."""
    check_saved_model(folder)
    return with_known_output(loader(RUNTIMES["tensorflow"])(ModelFile(folder, 1, None))).output.shape[-1]


NIGHTLY = ("EfficientNetB0", "MobileNetV2", "attention")  # half a minute and more each


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.nightly if name in NIGHTLY else ()) for name in REAL]
)
def test_models_of_keras_are_accepted_and_loaded(tmp_path: Path, name: str) -> None:
    import tensorflow as tf

    model = REAL[name]()
    tf.saved_model.save(model, str(tmp_path / "saved"))
    check_saved_model(tmp_path / "saved")
    model.export(str(tmp_path / "exported"), verbose=False)
    assert classes_of(tmp_path / "exported") == 4


@pytest.mark.slow
@pytest.mark.parametrize("sharded", [False, True])
def test_models_of_tensorflow_1_are_accepted_and_loaded(tmp_path: Path, sharded: bool) -> None:
    import tensorflow as tf

    v1, folder = tf.compat.v1, tmp_path / "saved"
    with tf.Graph().as_default(), v1.Session() as session:
        taken = v1.placeholder(tf.float32, [None, 4], name="x")
        weights = v1.get_variable("w", initializer=tf.ones([4, 3]), use_resource=False)
        given = tf.matmul(taken, weights)
        session.run(v1.global_variables_initializer())
        builder = v1.saved_model.builder.SavedModelBuilder(str(folder))
        signature = v1.saved_model.signature_def_utils.predict_signature_def({"x": taken}, {"y": given})
        saver, start = v1.train.Saver(sharded=sharded), v1.group(v1.tables_initializer())
        builder.add_meta_graph_and_variables(
            session, ["serve"], {"serving_default": signature}, main_op=start, saver=saver
        )
        builder.save()
    assert classes_of(folder) == 3


class _Writes:
    """Ways to write ``file`` in a model, by name."""

    def __init__(self, file: Path) -> None:
        self.file = str(file)

    def print_to_file(self, tf: Any, values: Any) -> None:
        tf.print(values, output_stream=f"file://{self.file}")

    def write_file(self, tf: Any, values: Any) -> None:
        tf.cond(values[0, 0] > 0, lambda: tf.io.write_file(self.file, "x"), tf.no_op)

    def save(self, tf: Any, values: Any) -> None:
        tf.raw_ops.SaveV2(prefix=self.file, tensor_names=["x"], shape_and_slices=[""], tensors=[values])

    def python(self, tf: Any, values: Any) -> None:
        tf.py_function(lambda: Path(self.file).touch(), [], [])


@pytest.mark.slow
@pytest.mark.parametrize("way", ["print_to_file", "write_file", "save", "python"])
def test_a_model_that_writes_a_file_is_refused(tmp_path: Path, way: str) -> None:
    import tensorflow as tf

    write = getattr(_Writes(tmp_path / "written"), way)

    class Module(tf.Module):  # type: ignore[misc]
        @tf.function(input_signature=[tf.TensorSpec([1, 3])])  # type: ignore[untyped-decorator]
        def __call__(self, values: Any) -> Any:
            write(tf, values)
            return {"scores": values + 0.0}

    module = Module()
    tf.saved_model.save(module, str(tmp_path / "saved"), signatures=module.__call__)
    with pytest.raises(BadInput):
        ModelFiles.open([tmp_path / "saved"], 120)
    assert not list(tmp_path.glob("written*"))


@pytest.mark.slow
def test_a_table_is_filled_from_the_graph_but_not_from_a_file(tmp_path: Path) -> None:
    import tensorflow as tf

    class Module(tf.Module):  # type: ignore[misc]
        def __init__(self, initializer: Any) -> None:
            super().__init__()
            self.table = tf.lookup.StaticHashTable(initializer, 0)

        @tf.function(input_signature=[tf.TensorSpec([1, 3])])  # type: ignore[untyped-decorator]
        def __call__(self, values: Any) -> Any:
            return {"scores": tf.cast(self.table.lookup(tf.cast(values, tf.int64)), tf.float32)}

    keys = tf.constant([0, 1], tf.int64)
    lines, number = tf.lookup.TextFileIndex.LINE_NUMBER, tf.lookup.TextFileIndex.WHOLE_LINE
    (tmp_path / "secret").write_text("1\n2\n")
    for name, initializer in {
        "graph": tf.lookup.KeyValueTensorInitializer(keys, keys + 5),
        "file": tf.lookup.TextFileInitializer(str(tmp_path / "secret"), tf.int64, number, tf.int64, lines),
    }.items():
        module = Module(initializer)
        tf.saved_model.save(module, str(tmp_path / name), signatures=module.__call__)
    assert classes_of(tmp_path / "graph") == 3
    with pytest.raises(BadInput) as caught:
        ModelFiles.open([tmp_path / "file"], 120)
    assert "InitializeTableFromTextFileV2" in caught.value.problem
