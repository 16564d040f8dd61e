"""Servers of the digits bundle, and its test images."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from edge_bench.bench.records.bundle import Bundle
from tests.app.serving.server import LIGHT, Served


@pytest.fixture(scope="session")
def served(digits_bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A shared server of the small model, for tests that do not stop or break it."""
    options = (*LIGHT, "--max-batch", 400, "--max-body", "1M")
    with Served(digits_bundle.folder, tmp_path_factory.mktemp("served"), *options) as server:
        yield server


@pytest.fixture
def light(digits_bundle: Bundle, tmp_path: Path) -> Callable[..., Served]:
    """Start a server of the small model with more options."""

    def start(*options: object, **environment: str) -> Served:
        return Served(digits_bundle.folder, tmp_path, *LIGHT, *options, **environment)

    return start


@pytest.fixture(scope="session")
def digits(digits_bundle: Bundle) -> npt.NDArray[np.uint8]:
    """The test images, shape [n, 28, 28, 1]."""
    images, _ = digits_bundle.test_set()
    return np.array(images, np.uint8)
