"""Requests and responses of the protocol, without a server."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_bench.app.serving.errors import RequestError
from edge_bench.app.serving.open_inference import OUTPUTS, AcceptedInput, encode_response, read_request
from edge_bench.bench.worker.messages import Inferred

TAKES = AcceptedInput(image_shape=(2, 3, 1), datatype="UINT8", accepts_files=True, max_images=4)
FLOATS = AcceptedInput(image_shape=(5,), datatype="FP32", accepts_files=False, max_images=4)

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner)
)
tensors = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from(["images", "other"]),
        "shape": st.lists(st.integers(-2, 5), max_size=5) | anything,
        "datatype": st.sampled_from(["UINT8", "BYTES", "FP32"]) | anything,
        "parameters": st.dictionaries(st.sampled_from(["binary_data_size", "classification"]), anything) | anything,
        "data": anything,
    },
)
requests = st.fixed_dictionaries(
    {}, optional={"inputs": st.lists(tensors, max_size=2) | anything, "outputs": anything, "parameters": anything}
)


@pytest.mark.slow
@given(
    header=requests.map(json.dumps).map(str.encode) | st.binary(max_size=40),
    tail=st.binary(max_size=8),
    length=st.none() | st.integers(-2, 200).map(str) | st.text(max_size=4),
    takes=st.sampled_from([TAKES, FLOATS]),
)
def test_any_bytes_are_read_or_refused_with_a_message(
    header: bytes, tail: bytes, length: str | None, takes: AcceptedInput
) -> None:
    error, request = None, None
    try:
        request = read_request(header + tail, length, takes)
    except RequestError as raised:
        error = raised
    if request is not None:
        assert 1 <= request.infer.count <= takes.max_images
        assert {name for name, _ in request.outputs} <= set(OUTPUTS)
    else:
        assert error is not None
        assert (error.status, bool(error.message)) == (400, True)


def test_inputs_that_are_not_images_are_fp32_only() -> None:
    values = np.arange(10, dtype="<f4")
    tensor = {"name": "images", "datatype": "FP32", "shape": [2, 5], "parameters": {"binary_data_size": 40}}
    header = json.dumps({"inputs": [tensor]}).encode()
    request = read_request(header + values.tobytes(), str(len(header)), FLOATS)
    assert (request.infer.form, request.infer.data) == ("raw", values.tobytes())
    for datatype, other in (("UINT8", "BYTES"), ("BYTES", "UINT8")):
        with pytest.raises(RequestError) as caught:
            read_request(json.dumps({"inputs": [tensor | {"datatype": datatype}]}).encode(), None, FLOATS)
        assert caught.value.status == 400
        assert datatype in caught.value.message
        assert "FP32" in caught.value.message
        assert other not in caught.value.message


def test_scores_that_are_nan_are_null_in_json() -> None:
    request = read_request(
        json.dumps({"inputs": [{"name": "images", "datatype": "FP32", "shape": [1, 5], "data": [0] * 5}]}).encode(),
        None,
        FLOATS,
    )
    inferred = Inferred(
        labels=np.array([1], "<i8").tobytes(),
        scores=np.array([np.nan, 0.5], "<f4").tobytes(),
        classes=2,
        decode_ns=1,
        compute_ns=1,
    )
    content, length = encode_response(request, inferred, "model", {})
    assert length is None
    assert json.loads(content)["outputs"][1]["data"] == [None, 0.5]
