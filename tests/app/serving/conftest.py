from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from edge_bench.bench.records.bundle import Bundle
from tests.app.serving.server import Served

LIGHT = ("--variant", "dynamic", "--runtime", "litert")


@pytest.fixture(scope="session")
def served(digits_bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The light model; for tests that leave it as they found it."""
    options = (*LIGHT, "--max-batch", 400, "--max-body", "1M")
    with Served(digits_bundle.folder, tmp_path_factory.mktemp("served"), *options) as server:
        yield server


@pytest.fixture
def light(digits_bundle: Bundle, tmp_path: Path) -> Any:
    """Starts a server of its own with some options."""

    def start(*options: object, **environment: str) -> Served:
        return Served(digits_bundle.folder, tmp_path, *LIGHT, *options, **environment)

    return start


@pytest.fixture(scope="session")
def digits(digits_bundle: Bundle) -> npt.NDArray[np.uint8]:
    """The test images."""
    images, _ = digits_bundle.test_set()
    return np.array(images, np.uint8)
