"""Images whose class is their brightness, and models that read it: right answers by construction.

Class k has the grey level 20 k + 10. The nearest level is a linear decision: the class with the highest
level × mean - level² / 2.
"""

from pathlib import Path

import numpy as np
from PIL import Image

__all__ = ["SIDE", "brightness_onnx", "level", "picture", "pictures"]

SIDE = 8


def level(k: int) -> int:
    """Return the grey level of class k."""
    return 20 * k + 10


def picture(path: Path, k: int = 0, shift: int = 0) -> Path:
    """Write an image of class k, ``shift`` grey levels brighter."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (SIDE, SIDE), (level(k) + shift,) * 3).save(path)
    return path


def pictures(folder: Path, classes: range = range(10), each: int = 4, name: str = "{}") -> Path:
    """Write one folder of images per class."""
    for k in classes:
        for number in range(each):
            picture(folder / name.format(k) / f"{number}.png", k, number - 2)
    return folder


def brightness_onnx(path: Path, classes: int = 10) -> Path:
    """Write a model of RGB images with values from 0 to 1."""
    from onnx import TensorProto, helper, numpy_helper, save_model

    levels, size = np.array([level(k) for k in range(classes)]) / 255, SIDE * SIDE * 3
    weights, bias = np.tile(levels / size, (size, 1)).astype(np.float32), (-(levels**2) / 2).astype(np.float32)
    nodes = [helper.make_node("Flatten", ["image"], ["flat"]), helper.make_node("Gemm", ["flat", "w", "b"], ["scores"])]
    graph = helper.make_graph(
        nodes, "brightness",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", SIDE, SIDE, 3])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", classes])],
        [numpy_helper.from_array(weights, "w"), numpy_helper.from_array(bias, "b")],
    )  # fmt: skip
    save_model(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), str(path))
    return path
