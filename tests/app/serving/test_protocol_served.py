"""The Open Inference Protocol: responses of a real server."""

import base64
import gzip
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from edge_bench.bench.measure.plan import Selection
from edge_bench.bench.progress import Silent
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.run import Settings
from tests.app.serving.bodies import encoded, files, metrics, png
from tests.app.serving.server import Served, as_json, body_of, pixels
from tests.factories import measure_bundle
from tests.made.brightness import level
from tests.made.ncnn_models import brightness_ncnn
from tests.models import NEEDS_NCNN, NEEDS_OPENVINO, tflite_of

Images = npt.NDArray[np.uint8]


def run_labels(bundle: Bundle, variant: str, runtime: str, results: Path) -> list[int]:
    """Return the labels that `edge-bench run` predicts for the test images."""
    run, _ = measure_bundle(
        bundle.folder, Selection(variants=[variant], runtimes=[runtime]), Settings(trials=1, processes=1), results,
        Silent(),
    )  # fmt: skip
    return [int(label) for label in run.results[0].labels()]


def triton_labels(server: Served, images: Images, at_once: int, datatype: str = "UINT8", **how: Any) -> list[int]:
    """Return the labels that NVIDIA's client of the protocol gets, ``at_once`` images per request."""
    import tritonclient.http as triton

    client = triton.InferenceServerClient(f"{server.host}:{server.port}")
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready(server.name)
    labels = list[int]()
    for start in range(0, len(images), at_once):
        some = images[start : start + at_once]
        tensor = triton.InferInput("images", list(some.shape), datatype)
        tensor.set_data_from_numpy(some, binary_data=how.get("binary", True))
        answer = client.infer(server.name, [tensor], request_compression_algorithm=how.get("compression"))
        scores = answer.as_numpy("scores")
        labels += answer.as_numpy("labels").tolist()
        assert scores.argmax(axis=1).tolist() == labels[start:]
        assert np.allclose(scores.sum(axis=1), 1, atol=0.01)
    client.close()
    return labels


@pytest.mark.slow
def test_the_triton_client_gets_the_labels_of_a_local_run(
    served: Served, digits_bundle: Bundle, digits: Images, tmp_path: Path
) -> None:
    local = run_labels(digits_bundle, "dynamic", "litert", tmp_path)
    assert triton_labels(served, digits, at_once=100) == local
    assert triton_labels(served, digits[:8], at_once=1) == local[:8]
    assert triton_labels(served, digits[:64], at_once=32, compression="gzip") == local[:64]
    assert triton_labels(served, digits[:64], at_once=32, compression="deflate", binary=False) == local[:64]
    files = np.array([png(image) for image in digits], object)
    assert triton_labels(served, files, at_once=100, datatype="BYTES") == local


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variant", "runtime"),
    [("keras", "tensorflow"), ("int8", "litert"), pytest.param("float32", "openvino", marks=NEEDS_OPENVINO)],
)
@pytest.mark.usefixtures("measure_here")
def test_every_kind_of_model_gives_the_labels_of_a_local_run(
    digits_bundle: Bundle, digits: Images, tmp_path: Path, variant: str, runtime: str
) -> None:
    local = run_labels(digits_bundle, variant, runtime, tmp_path)
    with Served(digits_bundle.folder, tmp_path, "--variant", variant, "--runtime", runtime) as server:
        for at_once in (1, 7, 100):
            assert triton_labels(server, digits[:200], at_once) == local[:200]


def test_nested_flat_and_binary_data_give_the_same_answer(served: Served, digits: Images) -> None:
    some = digits[:5]
    nested, flat = served.infer(as_json(some)), served.infer(as_json(some, some.ravel().tolist()))
    binary = served.infer(*pixels(some))
    assert nested.status == flat.status == binary.status == 200
    assert nested.labels == flat.labels == binary.labels
    assert nested.json["outputs"][1]["shape"] == [5, 10]
    assert nested.json["outputs"][1]["data"] == binary.json["outputs"][1]["data"]


def test_only_the_requested_outputs_are_sent_in_the_requested_form(served: Served, digits: Images) -> None:
    request, data = pixels(digits[:3])
    outputs = [{"name": "scores", "parameters": {"binary_data": True}}, {"name": "labels"}]
    answer = served.infer(request | {"id": "seven", "outputs": outputs}, data)
    length = int(answer.headers["inference-header-content-length"])
    header, tail = json.loads(answer.body[:length]), np.frombuffer(answer.body[length:], "<f4").reshape(3, 10)
    assert header["id"] == "seven"
    assert [output["name"] for output in header["outputs"]] == ["scores", "labels"]
    assert header["outputs"][0]["parameters"] == {"binary_data_size": 120}
    assert tail.argmax(axis=1).tolist() == header["outputs"][1]["data"]
    alone = served.infer(request | {"outputs": [{"name": "labels"}]}, data)
    assert [output["name"] for output in alone.json["outputs"]] == ["labels"]


def test_image_files_give_the_labels_of_their_pixels(served: Served, digits: Images) -> None:
    pngs, jpegs = [png(image) for image in digits[:20]], [encoded(image, "JPEG") for image in digits[:20]]
    raw = served.infer(*pixels(digits[:20])).labels
    assert served.infer(*files(pngs)).labels == raw
    assert served.infer(as_json(digits[:20], [base64.b64encode(p).decode() for p in pngs], **BYTES)).labels == raw
    lossy = np.stack([np.asarray(Image.open(io.BytesIO(jpeg)))[..., None] for jpeg in jpegs])
    assert served.infer(*files(jpegs)).labels == served.infer(*pixels(lossy)).labels


BYTES = {"datatype": "BYTES", "shape": [20]}


def test_each_answer_has_the_times_of_its_steps(served: Served, digits: Images) -> None:
    answer = served.infer(*pixels(digits[:50]))
    times = answer.json["parameters"]
    assert set(times) == {"queue_ns", "decode_ns", "compute_ns", "total_ns"}
    assert min(times.values()) > 0
    assert times["queue_ns"] + times["decode_ns"] + times["compute_ns"] < times["total_ns"]


def test_metadata_identify_the_model_and_its_files(served: Served, digits_bundle: Bundle) -> None:
    metadata = served.ask("GET", f"/v2/models/{served.name}/versions/1").json
    assert metadata["name"] == served.name
    assert metadata["inputs"] == [{"name": "images", "datatype": "UINT8", "shape": [-1, 28, 28, 1]}]
    assert [output["shape"] for output in metadata["outputs"]] == [[-1], [-1, 10]]
    facts = metadata["parameters"]
    assert facts["bundle_sha256"] == digits_bundle.digest
    assert facts["model_sha256"] == digits_bundle.variant("dynamic").sha256
    assert (facts["variant"], facts["runtime"], facts["threads"]) == ("dynamic", "litert", "1")
    assert served.ask("GET", "/v2").json["extensions"] == ["binary_tensor_data"]


def test_a_gzip_body_is_decompressed(served: Served, digits: Images) -> None:
    body, headers = body_of(*pixels(digits[:2]), {})
    answer = served.ask(
        "POST", f"/v2/models/{served.name}/infer", gzip.compress(body), headers | {"Content-Encoding": "gzip"}
    )
    assert answer.labels == served.infer(*pixels(digits[:2])).labels


def test_metrics_count_requests_and_images(served: Served, digits: Images) -> None:
    before = metrics(served)
    served.infer(*pixels(digits[:7]))
    served.infer({"inputs": []})
    after = metrics(served)
    assert after["edge_bench_images_total"] - before["edge_bench_images_total"] == 7
    for status, count in (("200", 2), ("400", 1)):  # reading the metrics is a request, too
        name = f'edge_bench_requests_total{{code="{status}"}}'
        assert after[name] - before.get(name, 0) == count
    assert after["edge_bench_compute_seconds_count"] - before["edge_bench_compute_seconds_count"] == 1
    assert after["edge_bench_worker_resident_bytes"] > 1 << 20


@pytest.mark.slow
def test_a_model_file_is_served_with_the_given_preprocessing(
    digits_bundle: Bundle, served: Served, digits: Images, tmp_path: Path
) -> None:
    file = digits_bundle.folder / "variants" / "dynamic.tflite"
    with Served(file, tmp_path, "--preprocess", "unit", "--runtime", "litert", "--name", "paper-cnn") as server:
        assert server.infer(*pixels(digits[:50])).labels == served.infer(*pixels(digits[:50])).labels


@NEEDS_NCNN
@pytest.mark.slow
def test_an_ncnn_model_gives_known_labels(tmp_path: Path) -> None:
    grey = np.array([level(label) for label in (3, 0, 4, 1)], np.uint8)
    images = np.broadcast_to(grey[:, None, None, None], (4, 3, 4, 1))
    model = brightness_ncnn(tmp_path / "grey.param", "0=4 1=3 2=1")
    with Served(model, tmp_path, "--runtime", "ncnn", "--preprocess", "unit", "--name", "paper-cnn") as server:
        assert server.infer(*pixels(np.ascontiguousarray(images))).labels == [3, 0, 4, 1]
        facts = server.ask("GET", f"/v2/models/{server.name}").json["parameters"]
    assert facts["runtime"] == "ncnn"


@pytest.mark.slow
def test_a_model_without_images_accepts_fp32(tmp_path: Path) -> None:
    import keras

    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(3, activation="softmax")])
    values = np.random.default_rng(1).normal(size=(6, 5)).astype(np.float32)
    expected = model.predict(values, verbose=0)
    tensor = {"name": "images", "datatype": "FP32", "shape": [6, 5]}
    with Served(tflite_of(model, tmp_path / "dense.tflite"), tmp_path, "--runtime", "litert") as server:
        nested = server.ask(
            "POST",
            "/v2/models/dense/infer",
            json.dumps({"inputs": [tensor | {"data": values.tolist()}]}),
        )
        assert nested.status == 200, nested.body
        assert np.allclose(np.reshape(nested.json["outputs"][1]["data"], (6, 3)), expected, atol=1e-5)
        body, headers = body_of({"inputs": [tensor | {"parameters": {"binary_data_size": 120}}]}, values.tobytes(), {})
        assert server.ask("POST", "/v2/models/dense/infer", body, headers).labels == nested.labels
        wrong = server.ask(
            "POST", "/v2/models/dense/infer", json.dumps({"inputs": [tensor | {"datatype": "BYTES", "data": []}]})
        )
        assert (wrong.status, "FP32" in wrong.error) == (400, True)
