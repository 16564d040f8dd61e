"""Requests for models with any inputs and outputs, and the arrays in responses."""

import json
from typing import Any

import numpy as np
import numpy.typing as npt

from tests.app.serving.server import Answer

__all__ = ["DATATYPES", "Arrays", "arrays_of", "graph_request"]

DATATYPES = {
    "bool": "BOOL", "float16": "FP16", "float32": "FP32", "float64": "FP64",
    **{f"{sign}int{bits}": f"{sign}int{bits}".upper() for sign in ("", "u") for bits in (8, 16, 32, 64)},
}  # fmt: skip
TYPES = {datatype: np.dtype(name) for name, datatype in DATATYPES.items()}
Arrays = dict[str, npt.NDArray[Any]]


def graph_request(arrays: Arrays, binary: set[str] | None = None, **changes: Any) -> tuple[dict[str, Any], bytes]:
    """Return a request, and the data after its JSON: that of the inputs named in ``binary``, all by default.

    ``changes`` replace fields of the inputs of their names, or of the request.
    """
    tensors, data = list[dict[str, Any]](), b""
    for name, values in arrays.items():
        tensor: dict[str, Any] = {"name": name, "datatype": DATATYPES[values.dtype.name], "shape": list(values.shape)}
        if binary is None or name in binary:
            data += values.tobytes()
            tensor["parameters"] = {"binary_data_size": values.nbytes}
        else:
            tensor["data"] = values.reshape(-1).tolist()
        tensors.append(tensor | changes.pop(name, {}))
    return {"inputs": tensors} | changes, data


def arrays_of(answer: Answer) -> Arrays:
    """Return the outputs of a response."""
    assert answer.status == 200, answer.body
    length = answer.headers.get("inference-header-content-length")
    header, data = (answer.body, b"") if length is None else (answer.body[: int(length)], answer.body[int(length) :])
    found = {}
    for output in json.loads(header)["outputs"]:
        dtype = TYPES[output["datatype"]]
        if "data" in output:
            values = np.array(output["data"], dtype)
        else:
            size = output["parameters"]["binary_data_size"]
            values, data = np.frombuffer(data[:size], dtype), data[size:]
        found[output["name"]] = values.reshape(output["shape"])
    assert not data
    return found
