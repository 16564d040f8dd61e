"""The wheel and the sdist, built from a copy of the repository, and environments that they are installed in."""

import shutil
import sys
from pathlib import Path

import pytest

from tests.command_line import REPOSITORY
from tests.containers.fixtures import docker_engine, images, native_image
from tests.packaging.environments import called, index_answers

__all__ = ["artefacts", "docker_engine", "images", "native_image", "package_index", "sdist", "wheel"]

SOURCES = ("app", "bench", "edge_bench", "pyproject.toml", "README.md", "LICENSE")


@pytest.fixture(scope="session")
def artefacts(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Build the sdist, and the wheel from the sdist, as `make dist` does; return the paths of wheel and sdist."""
    copy = tmp_path_factory.mktemp("sources")
    for name in SOURCES:
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, copy / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy / name)
    # setuptools from here: no network
    called("uv", "build", "--no-build-isolation", "--python", sys.executable, "--out-dir", "dist", ".", cwd=copy)
    (wheel,) = (copy / "dist").glob("*.whl")
    (sdist,) = (copy / "dist").glob("*.tar.gz")
    return wheel, sdist


@pytest.fixture(scope="session")
def wheel(artefacts: tuple[Path, Path]) -> Path:
    """Return the path of the wheel."""
    return artefacts[0]


@pytest.fixture(scope="session")
def sdist(artefacts: tuple[Path, Path]) -> Path:
    """Return the path of the source distribution."""
    return artefacts[1]


@pytest.fixture(scope="session")
def package_index(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Skip if pip reaches no package index."""
    if not index_answers(tmp_path_factory.mktemp("index")):
        pytest.skip("no package index answers: packages cannot be installed")
