"""Keras model files: loaded only if safe. Their only input and output may be in a dict or list."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_bench.bench.model_formats.keras_archive import check_implied_weights, check_keras, check_legacy_config
from edge_bench.bench.wording import counted

__all__ = ["LEGACY_SUFFIXES", "KerasModel", "KerasState", "load_any_keras", "load_keras"]

#: Suffixes of HDF5, Keras' format before .keras.
LEGACY_SUFFIXES = (".h5", ".hdf5")


class KerasModel:
    """A Keras classifier with one input and one output, which may be the only item of a dict, list or tuple."""

    def __init__(self, model: Any) -> None:
        """Raise ValueError unless it has one input and one output of known shapes."""
        import keras

        self.model = model
        try:
            inputs, outputs = keras.tree.flatten(model.inputs), keras.tree.flatten(model.outputs)
        except (AttributeError, ValueError):
            inputs = outputs = None
        if not inputs or not outputs:
            raise ValueError("its input shape is not in the file: call the model once before saving it")
        if len(inputs) != 1 or len(outputs) != 1:
            raise ValueError(
                f"the model has {counted(len(inputs), 'input')} and {counted(len(outputs), 'output')}, "
                f"but a classifier has one of each"
            )
        (self.input,), (self.output,) = inputs, outputs
        self._flatten, self._map = keras.tree.flatten, keras.tree.map_structure
        try:
            structure = model.input
        except (AttributeError, ValueError):  # a Sequential model from a file, which takes a plain tensor
            structure = self.input
        self._structure = None if structure is self.input else structure

    @property
    def fixed_batch(self) -> int | None:
        """The only batch size that it takes, such as that of a stateful model; None for any."""
        sizes = [tensor.shape[0] for tensor in (self.input, self.output)]
        return next((int(size) for size in sizes if size is not None), None)

    def wrapped(self, batch: Any) -> Any:
        """Return a batch in the model's structure."""
        return batch if self._structure is None else self._map(lambda _: batch, self._structure)

    def unwrapped(self, outputs: Any) -> Any:
        """Return the only tensor or array of the model's outputs."""
        (only,) = self._flatten(outputs)
        return only

    def state(self) -> "KerasState":
        """Return the current state that invocations may change."""
        return KerasState(self.model)


class KerasState:
    """State that a model keeps between invocations: of layers with ``stateful=True``, and variables that change."""

    def __init__(self, model: Any) -> None:
        layers = [layer for layer in model._flatten_layers() if getattr(layer, "stateful", False)]
        self._layers = [layer for layer in layers if hasattr(layer, "reset_state")]
        self._variables = [(each, _value(each)) for each in model.variables if not each.trainable]
        self._is_invoked = False

    def find_changes(self) -> None:
        """After the first invocation: keep only the variables that it has changed."""
        if not self._is_invoked:
            self._variables = [
                (each, value)
                for each, value in self._variables
                if not np.array_equal(_value(each), value, equal_nan=value.dtype.kind == "f")
            ]
        self._is_invoked = True

    @property
    def exists(self) -> bool:
        """Whether there is any known state to reset."""
        return bool(self._layers or (self._is_invoked and self._variables))

    def reset(self) -> None:
        """Set every layer's state to zeros, and other variables to their values after loading."""
        for layer in self._layers:
            layer.reset_state()
        for variable, value in self._variables:
            variable.assign(value)


def _value(variable: Any) -> npt.NDArray[Any]:
    value: npt.NDArray[Any] = np.array(variable)
    return value


def load_keras(path: Path) -> KerasModel:
    """Load a .keras or .h5 file; raise ValueError if it is damaged, not safe, or not a classifier's."""
    return KerasModel(load_any_keras(path))


def load_any_keras(path: Path) -> Any:
    """Load a .keras or .h5 file as a Keras model; raise ValueError if it is damaged or not safe."""
    import keras

    if path.suffix in LEGACY_SUFFIXES:
        check_implied_weights(check_legacy_config(_legacy_config(path)), path.stat().st_size)
    else:
        check_keras(path)
    return keras.models.load_model(path, compile=False, safe_mode=True)


def _legacy_config(path: Path) -> str | bytes:
    """Return the configuration of the model in an .h5 file. HDF5 is native code, so call this only in a worker."""
    import h5py

    try:
        with h5py.File(path, "r") as file:
            config = file.attrs.get("model_config")
    except OSError as cause:
        raise ValueError(f"invalid or truncated HDF5 file: {cause}") from None
    if not isinstance(config, str | bytes):
        raise ValueError("it contains weights without a model: save the whole model with model.save('model.keras')")
    return config
