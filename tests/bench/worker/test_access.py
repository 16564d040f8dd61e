"""A worker can read its model, the files that this refers to, and nothing else."""

from pathlib import Path

import pytest

from edge_bench.bench.worker.access import access_to
from tests.made.onnx import brightness_onnx


def test_a_worker_can_read_the_files_that_an_onnx_model_refers_to(tmp_path: Path) -> None:
    path = brightness_onnx(tmp_path / "m.onnx", range(4), location="weights.bin")
    (tmp_path / "weights.bin.bak").write_bytes(b"not referred to")
    assert set(access_to([path]).read) == {path, tmp_path / "weights.bin"}


def test_a_delegate_is_read_with_the_libraries_beside_it_and_its_devices(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = "real/libx.so.1.0 real/liby.so real/secret lib/libz.so.3 lib/key dev/bus/usb/001 dev/sda"
    for name in inside.split():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    delegate = tmp_path / "lib/libx.so"
    delegate.symlink_to(tmp_path / "real/libx.so.1.0")
    monkeypatch.setattr("edge_bench.bench.sandbox.devices.DEVICE_FOLDER", tmp_path / "dev")
    access = access_to([tmp_path / "m.tflite"], delegate)
    own = {path.relative_to(tmp_path).as_posix() for path in access.read if path.is_relative_to(tmp_path)}
    assert own == {"m.tflite", "lib/libx.so", "lib/libz.so.3", "real/libx.so.1.0", "real/liby.so"}
    assert list(access.devices) == [tmp_path / "dev/bus/usb"]
    assert not access_to([tmp_path / "m.tflite"]).devices


def test_folders_missing_files_and_links_to_outside_are_left_out(tmp_path: Path) -> None:
    path = brightness_onnx(tmp_path / "model" / "m.onnx", range(4), location="weights.bin")
    weights = path.parent / "weights.bin"
    weights.rename(tmp_path / "secret")
    assert access_to([path]).read == [path]
    weights.mkdir()
    assert access_to([path]).read == [path]
    weights.rmdir()
    weights.symlink_to(tmp_path / "secret")
    assert access_to([path]).read == [path]
