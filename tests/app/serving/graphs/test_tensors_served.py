"""A model with two inputs and three outputs, served and compared with a plain interpreter."""

import itertools
import json
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from edge_bench.bench.records.bundle import Bundle
from tests.app.serving.bodies import metrics
from tests.app.serving.graphs.requests import arrays_of, graph_request
from tests.app.serving.server import Answer, Served, body_of
from tests.made.graph.graph_bundles import mixed_bundle, mixed_inputs, mixed_results

pytestmark = pytest.mark.slow

Arrays = dict[str, npt.NDArray[Any]]
PATH = "/v2/models/mixed"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return mixed_bundle(tmp_path_factory.mktemp("mixed") / "bundle")


@pytest.fixture(scope="module")
def mixed(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A shared server that takes up to 50 examples and bodies of 64 kB."""
    cache = tmp_path_factory.mktemp("served")
    with Served(bundle.folder, cache, "--runtime", "litert", "--max-batch", 50, "--max-body", "64k") as server:
        yield server


def model_of(bundle: Bundle) -> Path:
    return bundle.folder / "variants/dynamic.tflite"


def infer(server: Served, request: dict[str, Any], data: bytes = b"", **headers: str) -> Answer:
    return server.ask("POST", f"{PATH}/infer", *body_of(request, data, headers))


def assert_equal(found: Arrays, expected: Arrays) -> None:
    assert list(found) == list(expected)
    for name, values in expected.items():
        assert (found[name].dtype, found[name].shape) == (values.dtype, values.shape)
        np.testing.assert_array_equal(found[name], values)


def test_metadata_has_the_tensors_of_the_model(mixed: Served) -> None:
    metadata = mixed.ask("GET", PATH).json
    assert metadata["inputs"] == [
        {"name": "values", "datatype": "FP32", "shape": [-1, 3]},
        {"name": "ids", "datatype": "INT64", "shape": [-1, 2]},
    ]
    assert metadata["outputs"] == [
        {"name": "sums", "datatype": "FP32", "shape": [-1, 3]},
        {"name": "above", "datatype": "BOOL", "shape": [-1, 3]},
        {"name": "floats", "datatype": "FP32", "shape": [-1, 2]},
    ]
    assert metadata["parameters"]["variant"] == "dynamic"


@pytest.mark.parametrize("count", [1, 7, 50])
def test_json_and_binary_give_exactly_the_outputs_of_a_plain_interpreter(
    mixed: Served, bundle: Bundle, count: int
) -> None:
    inputs = mixed_inputs(count, seed=count)
    expected = mixed_results(model_of(bundle), inputs)
    names = ("values", "ids")
    for order, binary, binary_out in itertools.product(
        (names, names[::-1]), (set[str](), {"ids"}, {"values"}, set(names)), (False, True)
    ):
        request, data = graph_request(
            {name: inputs[name] for name in order}, binary, parameters={"binary_data_output": binary_out}
        )
        assert_equal(arrays_of(infer(mixed, request, data)), expected)


def test_nested_json_and_a_subset_of_outputs_in_any_form(mixed: Served, bundle: Bundle) -> None:
    inputs = mixed_inputs(3)
    expected = mixed_results(model_of(bundle), inputs)
    request, _ = graph_request(
        inputs, set(), values={"data": inputs["values"].tolist()}, id="mine",
        outputs=[{"name": "floats", "parameters": {"binary_data": True}}, {"name": "above"}],
    )  # fmt: skip
    answer = infer(mixed, request)
    assert_equal(arrays_of(answer), {name: expected[name] for name in ("floats", "above")})
    header = json.loads(answer.body[: int(answer.headers["inference-header-content-length"])])
    assert header["id"] == "mine"
    assert header["parameters"]["compute_ns"] > 0
    assert header["parameters"]["decode_ns"] > 0


def test_values_that_json_has_no_numbers_for_are_sent_in_binary(mixed: Served, bundle: Bundle) -> None:
    inputs = mixed_inputs(2)
    inputs["values"][:, :2] = np.inf, np.nan
    request, data = graph_request(inputs)
    refused = infer(mixed, request, data)
    assert (refused.status, "sums" in refused.error, "binary_data" in refused.error) == (400, True, True)
    request, data = graph_request(inputs, parameters={"binary_data_output": True})
    assert_equal(arrays_of(infer(mixed, request, data)), mixed_results(model_of(bundle), inputs))


def test_the_triton_client_gets_the_outputs(mixed: Served, bundle: Bundle) -> None:
    import tritonclient.http as triton

    inputs = mixed_inputs(5)
    expected = mixed_results(model_of(bundle), inputs)
    client = triton.InferenceServerClient(f"{mixed.host}:{mixed.port}")
    for binary, compression in ((True, None), (False, "gzip")):
        tensors = []
        for name, datatype in (("ids", "INT64"), ("values", "FP32")):
            tensors.append(triton.InferInput(name, list(inputs[name].shape), datatype))
            tensors[-1].set_data_from_numpy(inputs[name], binary_data=binary)
        wanted = [triton.InferRequestedOutput(name, binary_data=binary) for name in expected]
        answer = client.infer("mixed", tensors, outputs=wanted, request_compression_algorithm=compression)
        assert_equal({name: answer.as_numpy(name) for name in expected}, expected)


GOOD = mixed_inputs(2)


def changed(binary: set[str] | None = None, **changes: Any) -> tuple[dict[str, Any], bytes]:
    return graph_request(GOOD, binary, **changes)


def with_data(name: str, data: Any, **changes: Any) -> tuple[dict[str, Any], bytes]:
    return graph_request(GOOD, set(), **{name: {"data": data, **changes}})


@pytest.mark.parametrize(
    ("request_", "named"),
    [
        (graph_request({"values": GOOD["values"]}), ["ids"]),
        (graph_request({**GOOD, "other": GOOD["ids"]}), ["other", "values, ids"]),
        (changed(inputs=[]), ["values"]),
        (changed(ids={"name": "values", "datatype": "FP32", "shape": [2, 2]}), ["ids"]),
        (changed(ids={"datatype": "INT32"}), ["ids", "INT32", "INT64"]),
        (changed(ids={"datatype": "BYTES"}), ["ids", "BYTES", "INT64"]),
        (changed(ids={"shape": [2, 3]}), ["ids", "[2, 3]", "[-1, 2]"]),
        (changed(ids={"shape": [4]}), ["ids", "[4]"]),
        (changed(ids={"shape": [2, 2, 1]}), ["ids", "[2, 2, 1]"]),
        (changed(ids={"shape": [-2, 2]}), ["ids", "-2"]),
        (changed(ids={"shape": [0, 2]}), ["ids", "[0, 2]"]),
        (changed(ids={"shape": [51, 2]}), ["ids", "51", "50"]),
        (changed(ids={"shape": [10**18, 2]}), ["ids", "50"]),
        (changed(ids={"shape": [10**40, 2]}), ["ids"]),
        (changed(ids={"shape": [1.5, 2]}), ["shape"]),
        (changed(ids={"shape": [3, 2], "parameters": {"binary_data_size": 48}}), ["ids", "48", "32"]),
        (changed(ids={"parameters": {"binary_data_size": 31}}), ["ids", "31", "32"]),
        (changed(ids={"parameters": {"binary_data_size": True}}), ["ids", "true"]),
        (changed(ids={"parameters": {"binary_data_size": 10**30}}), ["ids"]),
        (changed(ids={"parameters": {"shared_memory_region": "a"}}), ["ids", "shared memory"]),
        (changed(ids={"parameters": {}}), ["ids", "data"]),
        (changed({"values"}, ids={"data": [1, 2]}), ["ids", "[2]", "[2, 2]"]),
        (changed(set(), ids={"shape": [1, 2], "data": [1, 2]}), ["1 and 2"]),
        (with_data("ids", [1, 2, 3, 1 << 63]), ["ids", "data"]),
        (with_data("ids", [1, 2, 3, 10**30]), ["ids", "data"]),
        (with_data("ids", [1, 2, 3, 4.5]), ["ids", "data"]),
        (with_data("ids", [1, 2, 3, True]), ["ids", "data"]),
        (with_data("ids", [[1, 2], [3]]), ["ids", "data"]),
        (with_data("ids", [1, None, 2, 3]), ["ids", "data"]),
        (with_data("ids", "AAAA"), ["ids", "data"]),
        (with_data("ids", [0] * 9000), ["ids", "data"]),
        (with_data("values", [1e39] * 6), ["values", "large"]),
        (with_data("values", ["1"] * 6), ["values", "data"]),
        (with_data("values", [0] * 6, parameters={"binary_data_size": 24}), ["values", "both"]),
        (changed(outputs=[{"name": "labels"}]), ["labels", "sums"]),
        (changed(outputs=[{"name": "sums", "parameters": {"classification": 1}}]), ["sums", "classification"]),
    ],
)
def test_requests_that_do_not_fit_the_model_are_refused(
    mixed: Served, request_: tuple[dict[str, Any], bytes], named: list[str]
) -> None:
    answer = infer(mixed, *request_)
    assert answer.status == 400, answer.body
    assert all(text in answer.error for text in named), answer.error
    assert_equal({"above": arrays_of(infer(mixed, *changed()))["above"]}, {"above": GOOD["values"] > 1})


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"1e999", b"01", b"1" * 5000])
def test_numbers_that_json_does_not_have_are_refused(mixed: Served, number: bytes) -> None:
    request, _ = with_data("values", [77] * 6)
    answer = mixed.ask("POST", f"{PATH}/infer", json.dumps(request).encode().replace(b"77", number), {})
    assert answer.status == 400
    assert answer.error


def test_bytes_after_the_last_input_are_refused(mixed: Served) -> None:
    request, data = graph_request(GOOD)
    answer = infer(mixed, request, data + b"more")
    assert (answer.status, "4 extra bytes" in answer.error) == (400, True)
    assert infer(mixed, request, data[:-1]).status == 400


def test_a_crash_of_the_worker_fails_its_request_only(mixed: Served, bundle: Bundle) -> None:
    inputs = mixed_inputs(2)
    restarts = metrics(mixed)["edge_bench_worker_restarts"]
    crashed = crash_in_request(mixed, graph_request(inputs))
    assert crashed.status == 500
    assert "SIGSEGV" not in crashed.error
    while metrics(mixed)["edge_bench_worker_restarts"] == restarts:
        time.sleep(0.05)
    found = arrays_of(infer(mixed, *graph_request(inputs)))
    assert_equal(found, mixed_results(model_of(bundle), inputs))


def crash_in_request(server: Served, request: tuple[dict[str, Any], bytes]) -> Answer:
    """Return the answer to a request during which the worker crashes."""
    worker, answers = server.worker, list[Answer]()
    worker.suspend()
    thread = threading.Thread(target=lambda: answers.append(infer(server, *request)))
    thread.start()
    while not metrics(server)["edge_bench_pending_requests"]:
        time.sleep(0.01)
    worker.send_signal(signal.SIGSEGV)
    worker.resume()
    thread.join()
    return answers[0]
