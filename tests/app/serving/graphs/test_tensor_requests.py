"""Requests for any inputs and outputs, without a server."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_bench.app.serving.errors import RequestError
from edge_bench.app.serving.graphs.protocol import AcceptedTensors, read_graph_request
from edge_bench.bench.records.manifest import TensorSpec
from tests.app.serving.graphs.requests import Arrays, graph_request

INPUTS = [
    TensorSpec(name="a", dtype="float32", shape=[-1, 2]),
    TensorSpec(name="b", dtype="uint8", shape=[-1, -1]),
]
OUTPUTS = [TensorSpec(name="y", dtype="float32", shape=[-1, 1])]
TAKES = AcceptedTensors(INPUTS, OUTPUTS, takes_batches=True, most_examples=4, most_bytes=64)

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
tensors = st.fixed_dictionaries(
    {"name": st.sampled_from(["a", "b", "c"])},
    optional={
        "shape": st.lists(st.integers(-2, 5) | st.integers(), max_size=3) | anything,
        "datatype": st.sampled_from(["UINT8", "BYTES", "FP32"]) | anything,
        "parameters": st.fixed_dictionaries({}, optional={"binary_data_size": st.integers(-1, 40) | anything}),
        "data": anything,
    },
)
requests = st.fixed_dictionaries({}, optional={"inputs": st.lists(tensors, max_size=3), "outputs": anything})


@given(header=requests.map(json.dumps).map(str.encode), tail=st.binary(max_size=40), binary=st.booleans())
def test_any_request_is_read_or_refused_with_a_message(header: bytes, tail: bytes, binary: bool) -> None:
    error, request = None, None
    try:
        request = read_graph_request(header + tail, str(len(header)) if binary else None, TAKES)
    except RequestError as raised:
        error = raised
    if request is None:
        assert error is not None
        assert (error.status, bool(error.message)) == (400, True)
        return
    assert 1 <= request.examples <= 4
    assert sorted(tensor.name for tensor in request.infer.inputs) == ["a", "b"]
    assert all(tensor.shape[0] == request.examples for tensor in request.infer.inputs)
    assert [output.name for output in request.infer.outputs] == ["y"]


def test_data_of_each_input_is_taken_from_its_own_place() -> None:
    arrays: Arrays = {
        "b": np.arange(6, dtype=np.uint8).reshape(2, 3),
        "a": np.arange(4, dtype=np.float32).reshape(2, 2),
    }
    for binary in (set[str](), {"a"}, {"b"}, {"a", "b"}):
        header, data = graph_request(arrays, binary)
        text = json.dumps(header).encode()
        request = read_graph_request(text + data, str(len(text)), TAKES)
        for tensor, (name, values) in zip(request.infer.inputs, arrays.items(), strict=True):
            assert (tensor.name, tensor.shape) == (name, list(values.shape))
            expected = values.tobytes() if name in binary else json.dumps(values.reshape(-1).tolist()).encode()
            assert tensor.data == expected


@pytest.mark.parametrize("shape", [[4, 17], [1, 10**12], [1, 1 << 63], [1, 10**30]])
def test_shapes_beyond_the_limit_are_refused(shape: list[int]) -> None:
    arrays: Arrays = {"a": np.zeros((1, 2), np.float32), "b": np.zeros((1, 1), np.uint8)}
    header, _ = graph_request(arrays, set(), b={"shape": shape})
    with pytest.raises(RequestError) as refused:
        read_graph_request(json.dumps(header).encode(), None, TAKES)
    assert refused.value.status == 400
