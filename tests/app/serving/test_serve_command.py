"""What `edge-bench serve` refuses to begin, and why."""

import re
import socket
from pathlib import Path

import pytest

from edge_bench.app.cli.main import app
from edge_bench.app.serving.auth import on_loopback
from edge_bench.bench.errors import BadInput, EdgeBenchError
from edge_bench.bench.records.bundle import Bundle
from tests.app.serving.server import Served
from tests.command_line import CommandLine, assert_refused


def test_a_port_that_is_taken_is_said_before_a_model_is_loaded(edge_bench: CommandLine, digits_bundle: Bundle) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = edge_bench("serve", digits_bundle.folder, "--port", port)
    assert_refused(done, f"127.0.0.1:{port}", "in use", "another --port", code=1)
    assert "loading" not in done.stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--variant", "float8"), "no variant 'float8'"),
        (("--variant", "keras", "--runtime", "litert"), "litert cannot run keras"),
        (("--host", "nowhere.invalid"), "--host 'nowhere.invalid'"),
        (("--token", "two words"), "characters that no header can carry"),
        (("--token", "a", "--token-file", "b"), "both given"),
        (("--token-file", "b"), "--token-file b"),
        (("--max-body", "1G"), "--max-body '1G'"),
        (("--max-body", "much"), "--max-body 'much'"),
        (("--certificate", "none.pem"), "--certificate none.pem"),
        (("--key", "none.pem"), "--key is of a certificate"),
        (("--name", "a/b"), "--name 'a/b'"),
        (("--preprocess", "unit"), "is a bundle"),
    ],
)
def test_options_that_cannot_be_meant(digits_bundle: Bundle, options: tuple[str, ...], words: str) -> None:
    with pytest.raises(BadInput, match=re.escape(words)):
        serve(digits_bundle.folder, *options)


def test_a_model_whose_preprocessing_nobody_knows(digits_bundle: Bundle) -> None:
    with pytest.raises(BadInput, match="nothing in it says how"):
        serve(digits_bundle.folder / "variants" / "dynamic.tflite")


def test_a_damaged_model_is_no_reason_to_serve_another(bundle_copy: Path) -> None:
    (bundle_copy / "model.keras").write_bytes(b"spoiled")
    with pytest.raises(EdgeBenchError, match=r"model\.keras"):
        serve(bundle_copy)


def serve(*arguments: object) -> None:
    """In this process, which is as good where nothing is ever served."""
    app(["serve", *map(str, arguments)], standalone_mode=False)


def test_beyond_loopback_without_a_token_it_warns(digits_bundle: Bundle, tmp_path: Path) -> None:
    options = ("--variant", "dynamic", "--host", "0.0.0.0")
    with Served(digits_bundle.folder, tmp_path, *options) as server:
        assert any("0.0.0.0 can be reached from other machines, and there is no token" in line for line in server.said)


def test_loopback_is_this_machines_own() -> None:
    for host, own in (("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("pi.local", False)):
        assert on_loopback(host) is own
