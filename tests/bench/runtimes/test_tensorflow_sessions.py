"""Keras models and SavedModels with state, wrapped inputs and outputs, and old files."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from edge_bench.bench.runtimes import RUNTIMES, Session, installed_version, loader
from edge_bench.bench.runtimes.base import ModelFile, with_known_output
from tests.made.brightness import bright_inputs
from tests.made.keras import brightness_keras, saved_model_of_running_sum

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not installed_version(RUNTIMES["tensorflow"]), reason="TensorFlow is not installed"),
]
SEQUENCES = np.random.default_rng(0).random((10, 3, 2), np.float32)
#: One image of each of five classes, [5, 2, 2, 3].
BRIGHT = bright_inputs(range(5), 2, 2, 3)


@pytest.fixture(autouse=True)
def _any_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """TensorFlow refuses to change the number in a process that has used it already, as tests do."""
    import tensorflow as tf

    for name in ("set_intra_op_parallelism_threads", "set_inter_op_parallelism_threads"):
        monkeypatch.setattr(tf.config.threading, name, lambda _: None)


def opened(path: Path, batch_size: int | None = None, **settings: Any) -> Session:
    return with_known_output(loader(RUNTIMES["tensorflow"])(ModelFile(path, 1, batch_size, **settings)))


def scores_of(session: Session, inputs: npt.NDArray[Any]) -> npt.NDArray[Any]:
    scores = np.zeros((len(inputs), *session.output.shape[1:]), session.output.dtype)
    session.classify(inputs[:1], scores[:1], time.perf_counter_ns)  # as before a warm-up
    times = session.classify(inputs, scores, time.perf_counter_ns)
    assert len(times.began) == -(-len(inputs) // session.batch_size)
    assert np.all(times.ended > times.began)
    assert times.reset_ns >= 0
    return scores


def stateful_model(layer: Any, batch: int) -> Any:
    import keras

    keras.utils.set_random_seed(0)
    return keras.Sequential([keras.Input(batch_shape=(batch, 3, 2)), layer, keras.layers.Dense(4)])


def each_alone(model: Any, batch: int) -> npt.NDArray[Any]:
    """Return a stateful model's scores of each sequence in a batch of its own, with a reset before each."""
    rows = []
    for sequence in SEQUENCES:
        for layer in model.layers:
            if getattr(layer, "stateful", False):
                layer.reset_state()
        rows.append(np.asarray(model(np.repeat(sequence[np.newaxis], batch, axis=0)))[0])
    return np.stack(rows)


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "SimpleRNN", "Bidirectional", "RNN"])
@pytest.mark.parametrize(("batch", "serving"), [(1, False), (4, False), (4, True)])
def test_stateful_layers_are_reset_before_every_batch(kind: str, batch: int, serving: bool, tmp_path: Path) -> None:
    from keras import layers

    layer = {
        "Bidirectional": lambda: layers.Bidirectional(layers.LSTM(3, stateful=True)),
        "RNN": lambda: layers.RNN(layers.GRUCell(3), stateful=True),
    }.get(kind, lambda: getattr(layers, kind)(3, stateful=True))()
    model = stateful_model(layer, batch)
    model.save(tmp_path / "model.keras")
    session = opened(tmp_path / "model.keras", serving=serving)
    assert (session.batch_size, session.fixed_batch) == (batch, batch)
    np.testing.assert_allclose(scores_of(session, SEQUENCES), each_alone(model, batch), atol=1e-5)


def test_a_streaming_keras_model_keeps_its_state(tmp_path: Path) -> None:
    from keras import layers

    stateful_model(layers.LSTM(3, stateful=True), 1).save(tmp_path / "model.keras")
    same = np.repeat(SEQUENCES[:1], 4, axis=0)
    scores = scores_of(opened(tmp_path / "model.keras", stateful=True), same)
    assert len(np.unique(scores.round(6), axis=0)) == 4
    assert len(np.unique(scores_of(opened(tmp_path / "model.keras"), same).round(6), axis=0)) == 1


def test_variables_of_a_saved_model_are_restored_before_every_batch(tmp_path: Path) -> None:
    folder, inputs = saved_model_of_running_sum(tmp_path / "sum"), SEQUENCES[:, :, 0]
    np.testing.assert_allclose(scores_of(opened(folder), inputs), inputs + 2, rtol=1e-6)
    streamed = scores_of(opened(folder, stateful=True), inputs)
    np.testing.assert_allclose(streamed, 2 + inputs[0] + np.cumsum(inputs, axis=0), rtol=1e-5)


@pytest.mark.parametrize("wrap", ["dict", "list", "nested"])
@pytest.mark.parametrize("serving", [False, True])
def test_one_input_and_one_output_in_any_structure(wrap: str, serving: bool, tmp_path: Path) -> None:
    brightness_keras(wrap).save(tmp_path / "model.keras")
    session = opened(tmp_path / "model.keras", 2, serving=serving)
    assert (session.input.shape, session.output.shape) == ([2, 2, 2, 3], [2, 5])
    assert scores_of(session, BRIGHT).argmax(axis=1).tolist() == [0, 1, 2, 3, 4]


def test_old_files_are_read_and_code_in_them_is_not(tmp_path: Path) -> None:
    import keras

    brightness_keras().save(tmp_path / "model.h5")
    assert scores_of(opened(tmp_path / "model.h5"), bright_inputs(range(5), 2, 2, 3)).argmax(axis=1).tolist() == [
        0,
        1,
        2,
        3,
        4,
    ]
    keras.Sequential([keras.Input((2,)), keras.layers.Lambda(lambda x: x)]).save(tmp_path / "code.h5")
    with pytest.raises(ValueError, match="Lambda"):
        opened(tmp_path / "code.h5")
    brightness_keras().save_weights(tmp_path / "some.weights.h5")
    with pytest.raises(ValueError, match="weights"):
        opened(tmp_path / "some.weights.h5")
    (tmp_path / "broken.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    with pytest.raises(ValueError, match="HDF5"):
        opened(tmp_path / "broken.h5")


def test_open_axes_and_missing_shapes(tmp_path: Path) -> None:
    import keras

    image = keras.Input((None, None, 3))
    keras.Model(image, keras.layers.GlobalAveragePooling2D()(image)).save(tmp_path / "open.keras")
    session = opened(tmp_path / "open.keras")
    assert (session.input.shape, session.output.shape, session.fixed_batch) == ([1, -1, -1, 3], [1, 3], None)
    assert opened(tmp_path / "open.keras", 2, input_shape=(4, 6, 3)).input.shape == [2, 4, 6, 3]
    with pytest.warns(UserWarning, match="not yet been built"):
        keras.Sequential([keras.layers.Dense(2)]).save(tmp_path / "unbuilt.keras")
    with pytest.raises(ValueError, match="input shape"):
        opened(tmp_path / "unbuilt.keras")
