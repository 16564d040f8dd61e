"""Configurations of Keras models, made without Keras."""

import json
from typing import Any

__all__ = ["keras_config"]


def keras_config() -> bytes:
    """The configuration of a functional model with layers of several kinds."""

    def layer(name: str, source: str, shape: list[int | None], **config: Any) -> Any:
        history = {"class_name": "__keras_tensor__", "config": {"shape": shape, "keras_history": [source, 0, 0]}}
        nodes = [{"args": [history], "kwargs": {}}] if source else []
        return {"module": "keras.layers", "class_name": name, "name": name, "registered_name": None,
                "config": {"name": name, "dtype": "float32", **config}, "inbound_nodes": nodes,
                "build_config": {"input_shape": shape}}  # fmt: skip

    layers = [
        layer("InputLayer", "", [], batch_shape=[None, 8, 8, 3]),
        layer("Conv2D", "InputLayer", [None, 8, 8, 3], filters=4, kernel_size=[3, 3], strides=[1, 1], padding="same"),
        layer("BatchNormalization", "Conv2D", [None, 8, 8, 4], axis=-1, scale=True, center=True),
        layer("UpSampling2D", "BatchNormalization", [None, 8, 8, 4], size=[2, 2], data_format="channels_last"),
        layer("ZeroPadding2D", "UpSampling2D", [None, 16, 16, 4], padding=[[1, 1], [1, 1]]),
        layer("MaxPooling2D", "ZeroPadding2D", [None, 18, 18, 4], pool_size=[2, 2], strides=None),
        layer("Reshape", "MaxPooling2D", [None, 9, 9, 4], target_shape=[81, 4]),
        layer("LSTM", "Reshape", [None, 81, 4], units=4, return_sequences=False),
        layer("Dense", "LSTM", [None, 4], units=10, use_bias=True),
    ]
    config = {"name": "m", "layers": layers, "input_layers": [["InputLayer", 0, 0]], "output_layers": [["Dense", 0, 0]]}
    return json.dumps({"module": "keras", "class_name": "Functional", "config": config}).encode()
