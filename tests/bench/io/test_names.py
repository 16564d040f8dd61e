"""Names of files that are not UTF-8."""

import os
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_bench.bench.io.names import encode_json, folder_name, is_utf8, recordable
from edge_bench.bench.io.temporary import utf8_path
from edge_bench.bench.worker.channel import Channel
from edge_bench.bench.worker.messages import Describe
from edge_bench.bench.worker.protocol import Request

NAMES = st.lists(
    st.sampled_from([b"\\", b"x", b"f1", b"\xf1", b"\xc3\xb1", b"a", b"\\xf1", b"\x1b"]), max_size=6
).map(lambda parts: os.fsdecode(b"".join(parts)))  # fmt: skip


@given(NAMES, NAMES)
def test_different_names_are_recorded_differently_and_as_valid_text(first: str, second: str) -> None:
    assert (recordable(first) == recordable(second)) == (first == second)
    recordable(first).encode()


@pytest.mark.parametrize(
    ("name", "recorded"),
    [(b"ni\xf1o.png", r"ni\xf1o.png"), ("niño.png".encode(), "niño.png"), (rb"a\b", r"a\b"), (rb"\xf1", r"\\xf1")],
)
def test_bytes_that_are_not_utf8_become_escapes(name: bytes, recorded: str) -> None:
    assert recordable(os.fsdecode(name)) == recorded


def test_any_text_can_be_encoded_as_json() -> None:
    value = {"a": ["\udcf1", "ü"]}
    assert msgspec.json.decode(encode_json(value)) == {"a": [r"\xf1", "ü"]}


def test_a_message_to_a_worker_can_have_any_path() -> None:
    ends = os.pipe()
    channel = Channel(*ends, Request)
    message = Describe(file=Path(os.fsdecode(b"/mod\xe8le.tflite")))
    channel.send(message)
    assert channel.receive() == message
    channel.close()


@pytest.mark.parametrize("name", [b"mod\xe8le.keras", b"\xe8/model.onnx", b"plain.onnx"])
def test_libraries_get_a_path_in_utf8_to_the_same_file(tmp_path: Path, name: bytes) -> None:
    path = tmp_path / os.fsdecode(name)
    path.parent.mkdir(exist_ok=True)
    path.write_text("content")
    with utf8_path(path) as link:
        assert is_utf8(str(link))
        assert link.suffix == path.suffix
        assert link.read_text() == "content"


@pytest.mark.parametrize(("folder", "name"), [("/data/coco/val", "coco/val"), ("/val", "val"), ("/", "/")])
def test_a_folder_is_recorded_with_the_one_that_it_is_in(folder: str, name: str) -> None:
    assert folder_name(Path(folder)) == name
