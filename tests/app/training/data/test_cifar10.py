"""CIFAR-10 in its binary form."""

from pathlib import Path

import numpy as np
import pytest

from edge_bench.app.training.data.cifar10 import BATCHES
from edge_bench.app.training.data.datasets import load_dataset
from edge_bench.bench.errors import DatasetError


@pytest.mark.slow
def test_cifar10_is_read_from_its_binary_form_and_checked(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "cifar10"
    folder.mkdir(parents=True)
    generator = np.random.default_rng(0)
    for name in BATCHES:
        records = generator.integers(0, 256, (10_000, 3073), np.uint8)
        records[:, 0] %= 10
        records[0, :5] = [7, 1, 2, 3, 4]
        records.tofile(folder / name)
    dataset = load_dataset("cifar10", tmp_path / "data")
    labels = (dataset.train_labels, dataset.validation_labels, dataset.test_labels)
    assert [len(each) for each in labels] == [45_000, 5_000, 10_000]
    assert dataset.test_labels[0] == 7
    assert dataset.test_images[0, 0, :4, 0].tolist() == [1, 2, 3, 4]  # the red plane comes first, row by row
    (folder / "test_batch.bin").write_bytes(b"short")
    with pytest.raises(DatasetError) as caught:
        load_dataset("cifar10", tmp_path / "data")
    assert "test_batch.bin" in caught.value.problem
    assert "30,730,000" in caught.value.problem  # bytes
