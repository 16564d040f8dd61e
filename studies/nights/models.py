"""Two .onnx models, of which the second has 5 % more layers, to record Runs for `studies.nights.weeks`.

    python -m studies.nights.models FOLDER
    edge-bench run FOLDER/model40.onnx --runtime onnxruntime --limit 20 --trials 15 --results FOLDER/runs
    edge-bench run FOLDER/model42.onnx --runtime onnxruntime --limit 20 --trials 15 --results FOLDER/slower

Repeat the last two commands, in turn, as often as you can wait.
"""

import sys
from pathlib import Path

import numpy as np

__all__ = ["chain"]

_WIDTH = 64


def chain(path: Path, layers: int, width: int = _WIDTH) -> None:
    """Write a model of so many products with matrices of [width, width], one after the other."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    generator = np.random.default_rng(0)
    nodes, weights, last = [], [], "x"
    for number in range(layers):
        values = generator.normal(0, width**-0.5, (width, width)).astype(np.float32)
        weights.append(numpy_helper.from_array(values, f"w{number}"))
        output = "y" if number == layers - 1 else f"h{number}"
        nodes.append(helper.make_node("MatMul", [last, f"w{number}"], [output]))
        last = output
    infos = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, width]) for name in ("x", "y")]
    graph = helper.make_graph(nodes, "chain", infos[:1], infos[1:], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save_model(model, str(path))


if __name__ == "__main__":
    Path(sys.argv[1]).mkdir(parents=True, exist_ok=True)
    for count in (40, 42):
        chain(Path(sys.argv[1], f"model{count}.onnx"), count)
