"""A valid bundle that tests make hostile, with a manifest that fits the changed files."""

from pathlib import Path

import numpy as np
import pytest

from edge_bench.bench.io.files import sha256_of
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.manifest import File
from tests.fuzz import seeds


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A small valid bundle with sixteen numbers per image, made without TensorFlow."""
    folder = tmp_path / "bundle"
    images = np.arange(320, dtype=np.uint8).reshape(20, 16)
    for name, content in {
        "variants/dynamic.tflite": seeds.tflites()[0], "model.keras": seeds.kerases(),
        "test/labels.npy": seeds.npys()[1], "test/images.npy": b"",
    }.items():  # fmt: skip
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    np.save(folder / "test/images.npy", images, allow_pickle=False)
    write_manifest(folder)
    Bundle.open(folder)
    return folder


def write_manifest(folder: Path, **other: str) -> None:
    """Write a manifest with the right sizes and checksums, as an attacker would.

    ``other`` are other names for the files of images or labels.
    """
    files = {
        path.relative_to(folder).as_posix(): File(
            file=path.relative_to(folder).as_posix(), bytes=path.stat().st_size, sha256=sha256_of(path)
        )
        for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "manifest.json"
    }  # fmt: skip
    for part, name in other.items():
        key = f"test/{part}.npy"
        there = (folder / name).resolve()
        files[key] = File(file=name, bytes=there.stat().st_size, sha256=sha256_of(there))
    (folder / "manifest.json").write_bytes(seeds.manifest(files))


def with_images(folder: Path, content: bytes) -> None:
    (folder / "test/images.npy").write_bytes(content)
    write_manifest(folder)


def header(shape: str, descr: str = "|u1") -> bytes:
    text = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text
