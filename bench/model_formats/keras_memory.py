"""Minimum memory of a Keras model, computed from its configuration before Keras allocates any of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from edge_bench.bench.model_formats.keras_layers import LARGEST, Config, Shape, elements, evaluate, positive, shape_of

__all__ = ["MAX_LAYERS", "KerasMemory", "keras_memory"]

#: Limit on layers; the largest models of keras.applications have about 1,000.
MAX_LAYERS = 20_000
_ITEM_BYTES = {"float16": 2, "bfloat16": 2, "float64": 8, "int8": 1, "float8": 1, "int4": 1, "gptq": 1, "awq": 1}


@dataclass
class KerasMemory:
    """Lower bounds, in bytes."""

    weights: int = 0
    activations: int = 0  # the largest output of a layer, for one example or a fixed batch


def keras_memory(config: Any) -> KerasMemory:
    """Return the memory implied by a decoded ``config.json``. Raise ValueError for more than MAX_LAYERS layers.

    Shapes are computed from layer to layer. They are read from the file only if a layer's input is unknown, and for
    ``build_config``, with which Keras builds a layer before it is called.
    """
    model = _Model()
    if isinstance(config, dict):
        model.layer(config, [])
    return model.found


class _Model:
    def __init__(self) -> None:
        self.found, self._layers = KerasMemory(), 0

    def layer(self, item: Config, inputs: list[Shape | None]) -> Shape | None:
        """Add a layer, or all layers of a model; return the shape of its output, None if unknown."""
        self._layers += 1
        if self._layers > MAX_LAYERS:
            raise ValueError(f"it has more than {MAX_LAYERS:,} layers")
        config = item.get("config")
        if isinstance(config, list):  # Sequential in old .h5 files
            return self._sequence(_objects(config), inputs)
        if not isinstance(config, dict):
            return None
        if isinstance(config.get("layers"), list):
            layers = _objects(config["layers"])
            is_graph = any("inbound_nodes" in each for each in layers)
            return self._graph(layers, config) if is_graph else self._sequence(layers, inputs)
        return self._single(item, config, inputs)

    def _single(self, item: Config, config: Config, inputs: list[Shape | None]) -> Shape | None:
        kind, built = item.get("class_name"), _built_input(item)
        stated, fixed = _stated_input(config)
        shape = next((each for each in (stated, *inputs[:1], built) if each is not None), None)
        inputs = [shape, *inputs[1:]]
        if isinstance(inner := config.get("layer"), dict):
            return self._output(self._wrapped(str(kind), inner, inputs), fixed)
        if isinstance(cell := config.get("cell"), dict):
            self.layer(cell, [None if shape is None else shape[-1:]])
            return None
        if kind == "InputLayer" or not isinstance(kind, str):
            return self._output(shape, fixed)
        weights, output = evaluate(kind, config, inputs)
        if built is not None:
            weights = max(weights, evaluate(kind, config, [built, *inputs[1:]])[0])
        self.found.weights = min(LARGEST, self.found.weights + weights * _item_bytes(config))
        return self._output(output, fixed)

    def _output(self, shape: Shape | None, batch: int) -> Shape | None:
        self.found.activations = max(self.found.activations, min(LARGEST, 4 * batch * elements(shape)))
        return shape

    def _wrapped(self, kind: str, inner: Config, inputs: list[Shape | None]) -> Shape | None:
        shape = inputs[0]
        if kind == "TimeDistributed":
            output = self.layer(inner, [None if shape is None else shape[1:]])
            return None if output is None or not shape else (shape[0], *output)
        output = self.layer(inner, inputs)
        if kind != "Bidirectional":
            return output
        self.layer(inner, inputs)
        return None if output is None else (*output[:-1], 2 * (output[-1] or 1))

    def _sequence(self, layers: list[Config], inputs: list[Shape | None]) -> Shape | None:
        shape = inputs[0] if inputs else None
        for each in layers:
            shape = self.layer(each, [shape])
        return shape

    def _graph(self, layers: list[Config], config: Config) -> Shape | None:
        """Add the layers of a functional model, which are listed after the layers of their inputs."""
        outputs = dict[str, Shape | None]()
        for each in layers:
            inputs = [
                outputs[name] if outputs.get(name) is not None else claimed
                for name, claimed in _sources(each.get("inbound_nodes"))
            ]
            name = each.get("name") or (each["config"].get("name") if isinstance(each.get("config"), dict) else None)
            outputs[str(name)] = self.layer(each, inputs)
        return next((outputs.get(name) for name, _ in _sources(config.get("output_layers"))), None)


def _objects(values: list[Any]) -> list[Config]:
    return [value for value in values if isinstance(value, dict)]


def _stated_input(config: Config) -> tuple[Shape | None, int]:
    """Return the shape of an input that is part of a configuration, without the batch, and its batch, 1 if open."""
    for name in ("batch_shape", "batch_input_shape"):
        if (shape := shape_of(config.get(name))) is not None:
            return shape[1:], shape[0] or 1
    return None, 1


def _built_input(item: Config) -> Shape | None:
    """Return the shape of the input that Keras builds the layer with when it reads the file."""
    built = item.get("build_config")
    shape = shape_of(built.get("input_shape")) if isinstance(built, dict) else None
    return None if shape is None else shape[1:]


def _item_bytes(config: Config) -> int:
    policy = config.get("dtype")
    if isinstance(policy, dict):
        policy = policy["config"].get("name") if isinstance(policy.get("config"), dict) else None
    name = str(policy)
    return 4 if name.startswith("mixed") else next((size for key, size in _ITEM_BYTES.items() if key in name), 4)


def _sources(nodes: Any) -> Iterator[tuple[str, Shape | None]]:
    """Yield the names of the layers that are a layer's inputs, in its first node, with the shape that the file claims.

    Keras 3 writes objects with a ``keras_history``, Keras 2 lists such as ``["name", 0, 0, {}]``.
    """
    pending, found = [nodes], 0
    while pending and found < 1000:
        value = pending.pop()
        if isinstance(value, dict):
            config = value.get("config")
            history = config.get("keras_history") if isinstance(config, dict) else None
            if isinstance(history, list) and history and isinstance(history[0], str):
                found += 1
                shape = shape_of(config.get("shape")) if isinstance(config, dict) else None
                yield history[0], None if shape is None else shape[1:]
            else:
                pending += reversed([value.get("args"), value.get("kwargs")])
        elif isinstance(value, list):
            if (
                len(value) >= 3
                and isinstance(value[0], str)
                and all(positive(each, -1) or each == 0 for each in value[1:3])
            ):
                found += 1
                yield value[0], None
            else:
                pending += reversed(value)
