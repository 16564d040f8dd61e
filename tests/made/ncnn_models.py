"""Tiny ncnn models: a .param file, which is text, and its weights in a .bin file."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from tests.made.brightness import brightness_weights

__all__ = ["brightness_ncnn", "cnn_ncnn"]

_FLOAT32 = bytes(4)  # before the weights of a layer: their type


def _linear(path: Path, weights: npt.NDArray[np.float32], biases: npt.NDArray[np.float32], sizes: str) -> Path:
    """Write one dense layer: weights [outputs, values], and an input of sizes as in ``0=28 1=28 2=1`` (w, h, c)."""
    path.write_text(
        f"7767517\n2 2\nInput in0 0 1 in0 {sizes}\n"
        f"InnerProduct dense 1 1 in0 out0 0={len(biases)} 1=1 2={weights.size}\n"
    )
    values = (np.ascontiguousarray(each, np.float32).tobytes() for each in (weights, biases))
    path.with_suffix(".bin").write_bytes(_FLOAT32 + b"".join(values))
    return path


def brightness_ncnn(path: Path, sizes: str = "0=2 1=2 2=3", classes: int = 5) -> Path:
    """Write a model whose best class is the brightness of an image of 12 values, such as 3×2×2."""
    weights, biases = brightness_weights(range(classes), 12)
    return _linear(path, np.asarray(weights, np.float32).T, np.asarray(biases, np.float32), sizes)


def cnn_ncnn(keras_path: Path, path: Path) -> Path:
    """Write the paper's CNN in a .keras file as an ncnn model."""
    import keras

    model = keras.models.load_model(keras_path, compile=False)
    size = model.input_shape[1]
    lines, content, last = [f"Input in0 0 1 in0 0={size} 1={size} 2=1"], b"", "in0"
    dense = [layer for layer in model.layers if type(layer).__name__ == "Dense"]
    for layer in model.layers:
        values = [np.asarray(value, np.float32) for value in layer.get_weights()]
        match type(layer).__name__:
            case "Conv2D":  # output channels first
                values[0] = values[0].transpose(3, 2, 0, 1)
                kind = f"Convolution {{}} 0={len(values[1])} 1=3 5=1 6={values[0].size} 9=1"
            case "MaxPooling2D":
                kind = "Pooling {} 0=0 1=2 2=2 5=1"
            case "Flatten":
                kind = "Flatten {}"
            case "Dense":
                values[0] = values[0].T
                kind = f"InnerProduct {{}} 0={len(values[1])} 1=1 2={values[0].size} 9={int(layer is not dense[-1])}"
            case _:
                continue
        lines.append(kind.format(f"{layer.name} 1 1 {last} {layer.name}"))
        last = layer.name
        content += _FLOAT32 * bool(values) + b"".join(np.ascontiguousarray(value).tobytes() for value in values)
    lines.append(f"Softmax softmax 1 1 {last} out0")
    path.write_text(f"7767517\n{len(lines)} {len(lines)}\n" + "\n".join(lines) + "\n")
    path.with_suffix(".bin").write_bytes(content)
    return path
