"""Models that several tests of this folder export."""

import pytest

from tests.made.drawings import DrawnFiles, trained_on_drawings


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> DrawnFiles:
    """A trained model of two inputs and three outputs, its tests and calibration."""
    return trained_on_drawings(tmp_path_factory.mktemp("drawings"))
