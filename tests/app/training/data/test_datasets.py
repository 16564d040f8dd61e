"""Data sets: found, downloaded and checked byte for byte, or refused with a remedy."""

import gzip
import http.server
import os
import shutil
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edge_bench.app.training.data.datasets import FASHION_MNIST_FILES, STAND_IN_NOTE, load_dataset
from edge_bench.app.training.data.digits import digit_arrays
from edge_bench.bench.errors import DatasetError, DatasetUnavailable

REAL = Path(os.environ.get("EDGE_BENCH_DATA", "/nowhere")) / "fashion-mnist"
needs_fashion_mnist = pytest.mark.skipif(
    not REAL.is_dir(), reason="Fashion-MNIST is not in EDGE_BENCH_DATA: set it to a folder that holds fashion-mnist/"
)


@pytest.fixture(autouse=True)
def _isolated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("EDGE_BENCH_DATA", raising=False)
    monkeypatch.setenv("EDGE_BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("EDGE_BENCH_FASHION_MNIST_URL", "http://127.0.0.1:9/")
    monkeypatch.setattr("time.sleep", lambda _: None)  # between two attempts of a download


def test_digits_are_always_split_in_the_same_way() -> None:
    first, second = load_dataset("digits"), load_dataset("digits")
    assert first.train_images.shape == (1197, 28, 28, 1)
    assert (len(first.validation_labels), len(first.test_labels)) == (300, 300)
    assert first.info.sha256 == second.info.sha256
    assert first.info.note == ""
    assert set(np.unique(first.test_labels)) == set(range(10))
    assert first.train_images.max() == 255


def test_auto_falls_back_to_digits_with_a_note() -> None:
    dataset = load_dataset("auto")
    assert dataset.info.name == "digits"
    assert dataset.info.note == STAND_IN_NOTE


def test_without_a_network_the_error_names_all_places_and_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(DatasetUnavailable) as caught:
        load_dataset("fashion-mnist")
    for place in ("EDGE_BENCH_DATA", str(tmp_path / "cache"), "http://127.0.0.1:9"):
        assert place in caught.value.problem
    assert "--data-dir" in caught.value.remedy
    assert not list((tmp_path / "cache").rglob("*ubyte*"))


def test_an_unknown_name_is_refused_and_known_names_are_listed() -> None:
    with pytest.raises(DatasetError) as caught:
        load_dataset("nope")
    assert "nope" in caught.value.problem
    assert "fashion-mnist" in caught.value.remedy


def test_data_is_only_searched_in_an_explicit_folder(tmp_path: Path) -> None:
    with pytest.raises(DatasetUnavailable) as caught:
        load_dataset("fashion-mnist", tmp_path)
    assert str(tmp_path) in caught.value.problem
    assert "EDGE_BENCH_DATA" not in caught.value.problem
    assert not (tmp_path / "cache").exists(), "nothing was downloaded"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the real files, which a test may damage."""
    return Path(shutil.copytree(REAL, tmp_path / "data" / "fashion-mnist"))


@pytest.mark.slow
@needs_fashion_mnist
def test_fashion_mnist_is_complete_and_split_as_in_the_paper(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGE_BENCH_DATA", str(REAL.parent))
    dataset = load_dataset("fashion-mnist")
    assert dataset.train_images.shape == (50_000, 28, 28, 1)
    assert (len(dataset.validation_labels), len(dataset.test_labels)) == (10_000, 10_000)
    pixels = np.concatenate([dataset.train_images, dataset.validation_images])
    assert pixels.mean() == pytest.approx(72.94035, abs=1e-4)
    assert pixels.std() == pytest.approx(90.02118, abs=1e-4)


@needs_fashion_mnist
def test_decompressed_files_are_accepted(copy: Path) -> None:
    for file in FASHION_MNIST_FILES.values():
        (copy / file.name).write_bytes(gzip.decompress((copy / f"{file.name}.gz").read_bytes()))
        (copy / f"{file.name}.gz").unlink()
    assert load_dataset("fashion-mnist", copy.parent).test_labels.shape == (10_000,)


@needs_fashion_mnist
@pytest.mark.parametrize("damage", ["truncated", "altered", "missing", "not gzip"])
def test_damaged_files_are_refused_and_named(copy: Path, damage: str) -> None:
    path = copy / "t10k-labels-idx1-ubyte.gz"
    content = path.read_bytes()
    if damage == "truncated":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "altered":
        raw = bytearray(gzip.decompress(content))
        raw[-1] ^= 1
        path.write_bytes(gzip.compress(bytes(raw)))
    elif damage == "missing":
        path.unlink()
    else:
        path.write_bytes(b"<html>captive portal</html>")
    with pytest.raises(DatasetError) as caught:
        load_dataset("fashion-mnist", copy.parent)
    assert "t10k-labels" in caught.value.problem
    assert caught.value.remedy


@pytest.fixture
def mirror(copy: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A web server with the files, which downloads use; return the folder that it serves."""
    handler = type("Quiet", (http.server.SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), lambda *arguments: handler(*arguments, directory=str(copy))
    )
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("EDGE_BENCH_FASHION_MNIST_URL", f"http://127.0.0.1:{server.server_port}")
    yield copy
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.slow
@needs_fashion_mnist
def test_a_download_is_cached(mirror: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_dataset("fashion-mnist").train_images.shape == (50_000, 28, 28, 1)
    monkeypatch.setenv("EDGE_BENCH_FASHION_MNIST_URL", "http://127.0.0.1:9/")
    assert load_dataset("fashion-mnist").test_images.shape == (10_000, 28, 28, 1)


@needs_fashion_mnist
def test_a_download_with_wrong_content_is_refused_and_removed(mirror: Path, tmp_path: Path) -> None:
    (mirror / "train-labels-idx1-ubyte.gz").write_bytes(b"<html>captive portal</html>")
    with pytest.raises(DatasetError) as caught:
        load_dataset("fashion-mnist")
    assert "train-labels" in caught.value.problem
    left = sorted(path.name for path in (tmp_path / "cache").rglob("*") if path.is_file())
    assert left == ["train-images-idx3-ubyte.gz"]


@pytest.mark.slow
def test_the_digits_are_those_of_scikit_learn_and_damaged_files_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sklearn.datasets import load_digits

    images, labels = digit_arrays()
    expected = load_digits()
    assert images.shape == (1797, 28, 28, 1)
    np.testing.assert_array_equal(images[:, 2:26:3, 2:26:3, 0], np.round(expected.images * (255 / 16)))
    np.testing.assert_array_equal(labels, expected.target)
    file = tmp_path / "sklearn" / "datasets" / "data" / "digits.csv.gz"
    file.parent.mkdir(parents=True)
    (tmp_path / "sklearn" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "sklearn")
    with pytest.raises(DatasetUnavailable):
        digit_arrays()
    for content in (gzip.compress(b"0,1,2\n"), b"not gzip"):
        file.write_bytes(content)
        with pytest.raises(DatasetError):
            digit_arrays()
