"""A worker can read its model, the files that this refers to, and nothing else."""

from pathlib import Path

from edge_bench.bench.worker.access import access_to
from tests.made.onnx import brightness_onnx


def test_a_worker_can_read_the_files_that_an_onnx_model_refers_to(tmp_path: Path) -> None:
    path = brightness_onnx(tmp_path / "m.onnx", range(4), location="weights.bin")
    (tmp_path / "weights.bin.bak").write_bytes(b"not referred to")
    assert set(access_to([path]).read) == {path, tmp_path / "weights.bin"}


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
