"""Options and models that `edge-bench serve` refuses, and its warning."""

import socket
from pathlib import Path

import pytest

from edge_bench.app.serving import server as serving
from edge_bench.app.serving.auth import on_loopback, token_from
from edge_bench.bench.errors import BadInput, EdgeBenchError
from edge_bench.bench.records.bundle import Bundle
from tests.app.serving.server import LIGHT, Served
from tests.command_line import Refuses
from tests.made.graph.graph_bundles import mixed_bundle


def no_worker(*_: object, **__: object) -> None:
    raise AssertionError("no worker may be started")


def test_a_port_in_use_is_reported_before_a_model_is_loaded(
    refuses: Refuses, digits_bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "ModelWorker", no_worker)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        error = refuses("serve", digits_bundle.folder, "--port", port, kind=EdgeBenchError)
    assert f"127.0.0.1:{port}" in error.problem
    assert "--port" in error.remedy


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("--variant", "float8"), ["float8"]),
        (("--variant", "keras", "--runtime", "litert"), ["litert", "keras"]),
        (("--host", "nowhere.invalid"), ["--host", "nowhere.invalid"]),
        (("--token", "two words"), ["token"]),
        (("--token", "a", "--token-file", "absent"), ["--token ", "--token-file"]),
        (("--token-file", "absent"), ["--token-file", "absent"]),
        (("--max-body", "1G"), ["--max-body", "1G"]),
        (("--max-body", "much"), ["--max-body", "much"]),
        (("--certificate", "none.pem"), ["--certificate", "none.pem"]),
        (("--key", "none.pem"), ["--key"]),
        (("--name", "a/b"), ["--name", "a/b"]),
        (("--preprocess", "unit"), ["--preprocess"]),
    ],
)
def test_invalid_options_are_refused(
    refuses: Refuses, digits_bundle: Bundle, options: tuple[str, ...], named: list[str]
) -> None:
    error = refuses("serve", digits_bundle.folder, *options)
    for value in named:
        assert value in f"{error.problem}; {error.remedy}"


def test_a_model_file_needs_its_preprocessing(refuses: Refuses, digits_bundle: Bundle) -> None:
    error = refuses("serve", digits_bundle.folder / "variants" / "dynamic.tflite")
    assert "dynamic.tflite" in error.problem
    assert "--preprocess" in error.remedy


def test_a_damaged_model_is_not_replaced_by_another_variant(refuses: Refuses, bundle_copy: Path) -> None:
    (bundle_copy / "model.keras").write_bytes(b"spoiled")
    error = refuses("serve", bundle_copy, kind=EdgeBenchError)
    assert "model.keras" in error.problem


def test_a_model_that_needs_more_than_the_memory_limit_is_refused_before_it_is_served(
    refuses: Refuses, digits_bundle: Bundle
) -> None:
    error = refuses("serve", digits_bundle.folder, "--variant", "keras", "--memory-limit", "1M", kind=EdgeBenchError)
    assert "--memory-limit" in error.remedy


@pytest.mark.slow
def test_an_address_beyond_loopback_without_a_token_prints_a_warning(digits_bundle: Bundle, tmp_path: Path) -> None:
    with Served(digits_bundle.folder, tmp_path, *LIGHT, "--host", "0.0.0.0") as server:
        (first,) = (number for number, line in enumerate(server.lines) if line.startswith("! "))
        warning = " ".join(server.lines[first : first + 3])  # messages are wrapped
    assert "0.0.0.0" in warning
    assert "--token-file" in warning


def test_loopback_addresses_are_recognized() -> None:
    for host, own in (("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("pi.local", False)):
        assert on_loopback(host) is own


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("--task", "detect"), ["--task", "detect", "tensor"]),
        (("--task", "classify", "--signature", "serving_default"), ["--task", "tensor"]),
        (("--shape", "x"), ["x"]),
        (("--shape", "x=1x2", "--shape", "x=1x3"), ["--shape"]),
    ],
)
def test_options_of_tensors_that_contradict_are_refused(
    refuses: Refuses, digits_bundle: Bundle, options: tuple[str, ...], named: list[str]
) -> None:
    error = refuses("serve", digits_bundle.folder, *options)
    for value in named:
        assert value in f"{error.problem}; {error.remedy}"


def test_a_model_with_two_inputs_is_no_classifier(refuses: Refuses, tmp_path: Path) -> None:
    error = refuses("serve", mixed_bundle(tmp_path / "mixed").folder, "--task", "classify")
    assert "--task" in error.remedy


@pytest.mark.slow
def test_a_classifier_is_served_as_its_own_tensors_on_request(digits_bundle: Bundle, tmp_path: Path) -> None:
    with Served(digits_bundle.folder, tmp_path, *LIGHT, "--task", "tensor") as server:
        (tensor,) = server.ask("GET", f"/v2/models/{server.name}").json["inputs"]
    assert (tensor["datatype"], tensor["shape"]) == ("FP32", [-1, 28, 28, 1])


def test_a_token_file_contains_one_token_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "token"
    for content in (b"secret", b"secret\n", b" secret\r\n"):
        file.write_bytes(content)
        assert token_from(None, file) == "secret"
    # a longer file would be cut, and a cut token refused by the server
    for content in (b"", b"\n", b"two\nlines", "sécret".encode(), b"\xff\xfe", b"\xef\xbb\xbfsecret", b"a" * 9000):
        file.write_bytes(content)
        with pytest.raises(BadInput, match="--token-file"):
            token_from(None, file)
    with pytest.raises(BadInput, match="--token-file"):
        token_from(None, tmp_path)
