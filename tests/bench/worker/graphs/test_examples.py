"""Inputs of a graph in bounded memory, with a session that the test controls."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_bench.bench.records.manifest import Preprocessing, TensorSpec
from edge_bench.bench.worker.graphs import examples as module
from edge_bench.bench.worker.graphs.examples import GraphExamples
from edge_bench.bench.worker.graphs.messages import GraphInput

PIXELS = np.random.default_rng(0).integers(0, 256, (50, 4, 6, 3), np.uint8)
NUMBERS = np.arange(50, dtype=">f8")  # as a file from another machine has them


class FakeSession:
    """Takes an image and a number."""

    inputs = (
        TensorSpec(name="image", dtype="float32", shape=[3, 4, 6, 3]),
        TensorSpec(name="number", dtype="float64", shape=[3]),
    )
    has_batch_axis = (True, True)
    batch_size = 3


def test_large_inputs_are_computed_in_parts_of_whole_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.save(tmp_path / "x.npy", PIXELS)
    np.save(tmp_path / "n.npy", NUMBERS)
    inputs = [
        GraphInput(name="number", file=tmp_path / "n.npy"),
        GraphInput(name="image", file=tmp_path / "x.npy", preprocessing=Preprocessing(scale=1 / 255, offset=0.0)),
    ]
    rows, session = list(range(49, -1, -1)), FakeSession()
    fake: Any = session
    ((whole, expected),) = GraphExamples(inputs, rows, fake).parts()
    assert whole == slice(0, 50)
    np.testing.assert_allclose(expected[0].values, PIXELS[::-1] / 255, rtol=1e-6)
    np.testing.assert_array_equal(expected[1].values, np.arange(49.0, -1, -1))
    one = 4 * 6 * 3 * 4 + 8
    monkeypatch.setattr(module, "CACHED_BYTES", 10 * one)
    monkeypatch.setattr(module, "CHUNK_BYTES", 8 * one)
    parted = GraphExamples(inputs, rows, fake)
    parts = list(parted.parts())
    assert parted.chunks == len(parts) == 9  # six examples each, and the rest
    for number in range(2):
        np.testing.assert_array_equal(
            np.concatenate([feeds[number].values for _, feeds in parts]), expected[number].values
        )
    ((_, picked),) = parted.parts([40, 3, 7])
    np.testing.assert_array_equal(picked[1].values, [9, 46, 42])
    assert len(parted.first(4)[0].values) == 4
