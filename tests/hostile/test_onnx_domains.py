"""Operators of other domains in .onnx files: only those that are built into ONNX Runtime exist."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_bench.bench.errors import EdgeBenchError
from edge_bench.bench.models.model_files import ModelFiles
from tests.made.onnx import OnnxBuilder


def model_with(path: Path, kind: str, domain: str, **attributes: Any) -> Path:
    """Return a classifier with an operator of another domain before its scores."""
    import onnx

    made = OnnxBuilder()
    made.add("Flatten", ["x"], "flat")
    made.add("MatMul", ["flat", made.constant("weights", np.ones((4, 3), np.float32))], "product")
    made.add("Identity", ["product"], "y")
    model = onnx.load(made.save(path, ["n", 4], ["n", 3]))
    last = model.graph.node[-1]
    last.op_type, last.domain = kind, domain
    last.attribute.extend(onnx.helper.make_attribute(name, value) for name, value in attributes.items())
    model.opset_import.append(onnx.helper.make_opsetid(domain, 1))
    onnx.save(model, path)
    return path


@pytest.mark.parametrize(("kind", "domain"), [("Gelu", "com.microsoft"), ("Normalizer", "ai.onnx.ml")])
def test_operators_that_onnx_runtime_contains_are_loaded(tmp_path: Path, kind: str, domain: str) -> None:
    (variant,) = ModelFiles.open([model_with(tmp_path / "x.onnx", kind, domain)], 60).variants
    assert variant.output.shape[-1] == 3


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "domain", "attributes"),
    [
        pytest.param("PythonOp", "com.microsoft", {"func_name": "os.system"}, id="Python"),
        pytest.param("PyOp", "ai.onnx.contrib", {}, id="an operator of onnxruntime-extensions"),
        pytest.param("Identity", "somebody.else", {}, id="an operator of a library of one's own"),
    ],
)
def test_operators_of_other_libraries_do_not_exist(
    tmp_path: Path, kind: str, domain: str, attributes: dict[str, Any]
) -> None:
    path = model_with(tmp_path / "x.onnx", kind, domain, **attributes)
    with pytest.raises(EdgeBenchError) as caught:
        ModelFiles.open([path], 60)
    assert str(path) in caught.value.problem
