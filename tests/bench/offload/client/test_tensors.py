"""Requests with tensors, and answers of servers that misbehave."""

import json
from typing import Any

import numpy as np
import pytest

from edge_bench.bench.offload.client.open_inference import OipError, TensorMetadata
from edge_bench.bench.offload.client.tensors import specs_of, tensor_answer, tensor_request
from edge_bench.bench.records.manifest import TensorSpec

SPECS = [TensorSpec(name="a", dtype="float32", shape=[-1, 2]), TensorSpec(name="b", dtype="bool", shape=[1])]
VALUES = [np.array([[1, np.nan]], np.float32), np.array([True])]


def body(*changes: dict[str, Any], more: bytes = b"", model: str = "m") -> tuple[bytes, int]:
    """Return an answer with VALUES and the length of its JSON; ``changes`` are of the outputs, in order."""
    outputs, data = [], more
    for number, (spec, values) in enumerate(zip(SPECS, VALUES, strict=True)):
        output = {
            "name": spec.name,
            "datatype": "FP32" if number == 0 else "BOOL",
            "shape": list(values.shape),
            "parameters": {"binary_data_size": values.nbytes},
        }
        outputs.append(output | (changes[number] if number < len(changes) else {}))
        data = data[: len(data) - len(more)] + values.tobytes() + more
    times = {"queue_ns": 1, "decode_ns": 2, "compute_ns": 3, "total_ns": 7}
    header = json.dumps({"model_name": model, "outputs": outputs, "parameters": times}).encode()
    return header + data, len(header)


def test_outputs_are_those_that_were_sent() -> None:
    answer = tensor_answer(*body(), "m", SPECS)
    for found, expected in zip(answer.outputs, VALUES, strict=True):
        np.testing.assert_array_equal(found, expected)
        assert found.dtype == expected.dtype
    assert answer.times.compute_ns == 3


@pytest.mark.parametrize(
    "changes",
    [
        [{"name": "c"}],
        [{"datatype": "FP64"}],
        [{"shape": [1, 3]}],
        [{"shape": [-1, -2]}],
        [{"shape": [10**9, 10**9]}],
        [{"shape": [1] * 40}],
        [{"parameters": {}}],
        [{"parameters": {"binary_data_size": 10**9}, "shape": [1, 250_000_000]}],
        [{"parameters": {"binary_data_size": True}}],
        [{}, {"shape": [2], "parameters": {"binary_data_size": 2}}],
    ],
)
def test_answers_that_do_not_fit_the_metadata_are_refused(changes: list[dict[str, Any]]) -> None:
    with pytest.raises(OipError):
        tensor_answer(*body(*changes), "m", SPECS)


def test_other_answers_are_refused() -> None:
    for content, length in (body(more=b"x"), body(model="other"), (b"{}", 2), (b"", 0)):
        with pytest.raises(OipError):
            tensor_answer(content, length, "m", SPECS)


def test_a_request_has_all_inputs_in_binary() -> None:
    request = tensor_request(SPECS, VALUES)
    header = json.loads(request.body[: request.header_bytes])
    assert [(each["name"], each["datatype"], each["shape"]) for each in header["inputs"]] == [
        ("a", "FP32", [1, 2]),
        ("b", "BOOL", [1]),
    ]
    assert header["parameters"] == {"binary_data_output": True}
    assert request.body[request.header_bytes :] == b"".join(values.tobytes() for values in VALUES)


def test_metadata_has_types_shapes_and_scales() -> None:
    (spec,) = specs_of(
        [TensorMetadata(name="q", datatype="INT8", shape=[-1, 3], parameters={"scale": 0.5, "zero_point": -3})]
    )
    assert spec == TensorSpec(name="q", dtype="int8", shape=[-1, 3], scale=0.5, zero_point=-3)
    for changes in ({"datatype": "BYTES"}, {"shape": [-2]}, {"parameters": {"scale": "x"}}, {"shape": [1] * 33}):
        fields: dict[str, Any] = {"name": "q", "datatype": "INT8", "shape": [1]}
        with pytest.raises(OipError):
            specs_of([TensorMetadata(**(fields | changes))])
