"""Keras models and SavedModels with any inputs and outputs."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from edge_bench.bench.runtimes import RUNTIMES, graph_loader, installed_version
from edge_bench.bench.runtimes.graphs.base import Feed, GraphFile, GraphSession
from edge_bench.bench.runtimes.tensorflow import keras_graph as keras_module

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not installed_version(RUNTIMES["tensorflow"]), reason="TensorFlow is not installed"),
]
GENERATOR = np.random.default_rng(1)
IMAGES = GENERATOR.random((7, 4, 4, 3), np.float32)
AGES = GENERATOR.random(7, np.float32)
IDS = GENERATOR.integers(0, 9, (7, 2))
FLAGS = np.array([[1, 0, 1, 1], [0, 0, 0, 0], [0, 1, 0, 0]], np.bool_)


@pytest.fixture(autouse=True)
def _any_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """TensorFlow refuses to change the number in a process that has used it already, as tests do."""
    import tensorflow as tf

    for name in ("set_intra_op_parallelism_threads", "set_inter_op_parallelism_threads"):
        monkeypatch.setattr(tf.config.threading, name, lambda _: None)


def opened(path: Path, batch_size: int | None = None, **settings: Any) -> GraphSession:
    session = graph_loader(RUNTIMES["tensorflow"])(GraphFile(path, 1, batch_size, **settings))
    session.learn_outputs()
    return session


def by_example(session: GraphSession, *values: npt.NDArray[Any]) -> list[npt.NDArray[Any]]:
    feeds = [Feed(each, has) for each, has in zip(values, session.has_batch_axis, strict=True)]
    times = session.run_pass(feeds, time.perf_counter_ns)
    assert len(times.began) == -(-len(values[0]) // session.batch_size)
    assert np.all(times.ended > times.began)
    assert np.all(times.began[1:] >= times.ended[:-1])
    size = session.batch_size
    parts = [
        session.invoke([each.values[at : at + size] if each.has_batch_axis else each.values[at, ...] for each in feeds])
        for at in range(0, len(values[0]), size)
    ]
    return [np.concatenate(outputs) for outputs in zip(*parts, strict=True)]


def mixed_keras(path: Path, wrap: str) -> Any:
    """Save a model of an image, a number and two whole numbers, with three outputs; return it."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(0)
    image, age = keras.Input((4, 4, 3), name="image"), keras.Input((), name="age")
    ids = keras.Input((2,), dtype="int64", name="ids")
    flat = layers.Concatenate()([layers.Flatten()(image), layers.Reshape((1,))(age)])
    kind, value = layers.Dense(3, activation="softmax", name="kind")(flat), layers.Dense(1, name="value")(flat)
    found = layers.Embedding(10, 2, name="found")(ids)
    structures: dict[str, tuple[Any, Any]] = {
        "list": ([image, age, ids], [kind, value, found]),
        "dict": ({"image": image, "age": age, "ids": ids}, {"b": kind, "a": [value, found]}),
    }
    model = keras.Model(*structures[wrap])
    model.save(path)
    return model


@pytest.mark.parametrize(("batch_size", "serving"), [(1, False), (4, False), (1, True), (4, True)])
def test_a_keras_model_of_three_inputs_and_outputs(batch_size: int, serving: bool, tmp_path: Path) -> None:
    model = mixed_keras(tmp_path / "m.keras", "list")
    session = opened(tmp_path / "m.keras", batch_size, serving=serving)
    assert [(spec.name, spec.dtype) for spec in session.inputs] == [
        ("image", "float32"), ("age", "float32"), ("ids", "int64")
    ]  # fmt: skip
    assert [(spec.name, spec.shape) for spec in session.outputs] == [
        ("kind", [batch_size, 3]), ("value", [batch_size, 1]), ("found", [batch_size, 2, 2])
    ]  # fmt: skip
    assert session.fixed_batch is None
    expected = model([IMAGES, AGES, IDS], training=False)
    for output, other in zip(by_example(session, IMAGES, AGES, IDS), expected, strict=True):
        np.testing.assert_allclose(output, np.asarray(other), rtol=1e-5, atol=1e-6)


def test_inputs_and_nested_outputs_are_named_by_their_layers(tmp_path: Path) -> None:
    model = mixed_keras(tmp_path / "m.keras", "dict")
    session = opened(tmp_path / "m.keras", 2)
    assert [spec.name for spec in session.inputs] == ["age", "ids", "image"]
    assert [spec.name for spec in session.outputs] == ["value", "found", "kind"]
    expected = model({"image": IMAGES, "age": AGES, "ids": IDS}, training=False)
    value, found, kind = by_example(session, AGES, IDS, IMAGES)
    np.testing.assert_allclose(kind, np.asarray(expected["b"]), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(value, np.asarray(expected["a"][0]), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found, np.asarray(expected["a"][1]), rtol=1e-6)
    with pytest.raises(ValueError, match="serve"):
        opened(tmp_path / "m.keras", signature="serve")


def test_passes_with_many_outputs_are_made_of_several_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keras_module, "_MOST_OUTPUT_BYTES", 3 * 32)  # an example has 32 bytes of outputs
    mixed_keras(tmp_path / "m.keras", "list")
    session = opened(tmp_path / "m.keras", 2)
    feeds = [Feed(each, True) for each in (IMAGES, AGES, IDS)]
    for _ in range(2):
        times = session.run_pass(feeds, time.perf_counter_ns)
        assert len(times.began) == 4
        assert np.all(times.began[1:] >= times.ended[:-1])


@pytest.mark.parametrize("serving", [False, True])
def test_a_keras_model_for_a_fixed_number_of_rows_takes_them_as_one_example(serving: bool, tmp_path: Path) -> None:
    import keras

    model = keras.Sequential([keras.Input(batch_shape=(2, 3, 1)), keras.layers.SimpleRNN(2, stateful=True)])
    model.save(tmp_path / "m.keras")
    session = opened(tmp_path / "m.keras", serving=serving)
    assert (session.inputs[0].shape, list(session.has_batch_axis), session.fixed_batch) == ([2, 3, 1], [False], 1)
    pairs = GENERATOR.random((5, 2, 3, 1), np.float32)
    rows = by_example(session, pairs)[0].reshape(5, 2, 2)
    for pair, row in zip(pairs, rows, strict=True):
        model.layers[0].reset_state()
        np.testing.assert_allclose(row, np.asarray(model(pair)), rtol=1e-5, atol=1e-6)


def saved_functions(folder: Path) -> Path:
    """Write a SavedModel of several signatures."""
    import tensorflow as tf

    class Functions(tf.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.total = tf.Variable(tf.zeros((1, 3)))

        @tf.function(  # type: ignore[untyped-decorator]
            input_signature=[tf.TensorSpec([None, 3], name="values"), tf.TensorSpec([None, 2], tf.int64, name="ids")]
        )
        def mixed(self, values: Any, ids: Any) -> Any:
            return {"sums": values + values, "above": values > 1, "doubles": tf.cast(ids, tf.float64)}

        @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.bool, name="flags")])  # type: ignore[untyped-decorator]
        def found(self, flags: Any) -> Any:
            return {"positions": tf.where(flags)}

        @tf.function(input_signature=[tf.TensorSpec([1, 3], name="step")])  # type: ignore[untyped-decorator]
        def count(self, step: Any) -> Any:
            self.total.assign_add(step)
            return {"sum": self.total + 0.0}

        @tf.function(input_signature=[tf.TensorSpec(None, name="any"), tf.TensorSpec([], name="factor")])  # type: ignore[untyped-decorator]
        def scaled(self, any: Any, factor: Any) -> Any:  # noqa: A002
            return {"scaled": any * factor}

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])  # type: ignore[untyped-decorator]
        def read(self, text: Any) -> Any:
            return {"length": tf.strings.length(text)}

    made = Functions()
    signatures = {name: getattr(made, name) for name in ("found", "count", "scaled", "read")}
    tf.saved_model.save(made, str(folder), signatures={"serving_default": made.mixed, **signatures})
    return folder


def test_signatures_of_a_saved_model(tmp_path: Path) -> None:
    folder = saved_functions(tmp_path / "saved")
    values, ids = 4 * GENERATOR.random((7, 3), np.float32), GENERATOR.integers(-(2**60), 2**60, (7, 2))
    for batch_size in (1, 4):
        session = opened(folder, batch_size)
        by_name = dict(zip((spec.name for spec in session.inputs), (0, 1), strict=True))
        feeds = [each for _, each in sorted(zip((by_name["values"], by_name["ids"]), (values, ids), strict=True))]
        found = dict(zip((spec.name for spec in session.outputs), by_example(session, *feeds), strict=True))
        np.testing.assert_array_equal(found["sums"], values + values)
        np.testing.assert_array_equal(found["above"], values > 1)
        np.testing.assert_array_equal(found["doubles"], ids.astype(np.float64))
        assert (session.fixed_batch, sorted(session.signatures)) == (
            None, ["count", "found", "read", "scaled", "serving_default"]
        )  # fmt: skip
    positions = opened(folder, signature="found")
    assert (positions.outputs[0].shape, positions.fixed_batch) == ([-1, 2], 1)
    for row in FLAGS:
        np.testing.assert_array_equal(positions.invoke([row[np.newaxis]])[0], np.argwhere(row[np.newaxis]))
    steps = GENERATOR.random((4, 3), np.float32)
    reset, kept = (opened(folder, signature="count", stateful=flag) for flag in (False, True))
    np.testing.assert_allclose(by_example(reset, steps)[0], steps, rtol=1e-6)
    kept.reset_state()
    kept_rows = np.concatenate([kept.invoke([row[np.newaxis]])[0] for row in steps])
    np.testing.assert_allclose(kept_rows, np.cumsum(steps, axis=0), rtol=1e-5)


def test_facts_missing_in_a_saved_model_are_given_or_refused(tmp_path: Path) -> None:
    folder = saved_functions(tmp_path / "saved")
    with pytest.raises(ValueError, match="--shape any="):
        opened(folder, signature="scaled")
    session = opened(folder, signature="scaled", shapes={"any": (2, 3)})
    order = [spec.name for spec in session.inputs]
    values = {"any": GENERATOR.random((5, 2, 3), np.float32), "factor": np.arange(5, dtype=np.float32)}
    (scaled,) = by_example(session, *(values[name] for name in order))
    np.testing.assert_allclose(
        scaled.reshape(5, 2, 3), values["any"] * values["factor"][:, np.newaxis, np.newaxis], rtol=1e-6
    )
    with pytest.raises(ValueError, match="input text"):
        opened(folder, signature="read")
    with pytest.raises(ValueError, match="serving_default"):
        opened(folder, signature="other")
    with pytest.raises(ValueError, match="batch of 2"):
        opened(folder, 2, signature="count")


def test_resource_variables_of_a_tflite_file_are_reset_by_loading_it_again(tmp_path: Path) -> None:
    import tensorflow as tf

    class Count(tf.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.total = tf.Variable(tf.zeros((1, 3)))

        @tf.function(input_signature=[tf.TensorSpec([1, 3], name="step")])  # type: ignore[untyped-decorator]
        def count(self, step: Any) -> Any:
            self.total.assign_add(step)
            return {"sum": self.total + 0.0}

    made = Count()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([made.count.get_concrete_function()], made)
    converter.experimental_enable_resource_variables = True
    (tmp_path / "m.tflite").write_bytes(converter.convert())
    steps = GENERATOR.random((4, 3), np.float32)
    for stateful, expected in ((False, steps), (True, np.cumsum(steps, axis=0))):
        file = GraphFile(tmp_path / "m.tflite", 1, 1, stateful=stateful)
        session = graph_loader(RUNTIMES["litert"])(file)
        session.learn_outputs()
        assert bool(session.warning) is not stateful
        for _ in range(2):
            session.reset_state()
            rows = np.concatenate([session.invoke([row[np.newaxis]])[0] for row in steps])
            np.testing.assert_allclose(rows, expected, rtol=1e-5)
        times = session.run_pass([Feed(steps, session.has_batch_axis[0])], time.perf_counter_ns)
        assert (len(times.ended), bool(times.reset_ns)) == (4, True)
