"""Models that several tests of this folder export."""

import pytest

from tests.bundles import cached_drawings
from tests.made.graph.drawings import DrawnFiles


@pytest.fixture(scope="session")
def drawn() -> DrawnFiles:
    """A trained model of two inputs and three outputs, its tests and calibration."""
    return cached_drawings()[0]
