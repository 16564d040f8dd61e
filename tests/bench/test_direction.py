"""The one rule of direction: app imports bench; bench runs on a machine that has nothing but numpy and msgspec."""

import subprocess
import sys
from pathlib import Path

import pytest

from bench.schema import schemas
from tests.conftest import REPOSITORY

FORBIDDEN = [
    "tensorflow",
    "keras",
    "typer",
    "matplotlib",
    "docker",
    "app",
    "sklearn",
    "pooch",
    "tflite_runtime",
    "ai_edge_litert",
]
MODULES = sorted(
    ".".join(path.relative_to(REPOSITORY).with_suffix("").parts) for path in (REPOSITORY / "bench").rglob("*.py")
)


def test_bench_imports_without_tensorflow_typer_matplotlib_or_docker_installed() -> None:
    code = (
        "import importlib, sys\n"
        "class Missing:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name.split('.')[0] in {FORBIDDEN!r}: raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Missing())\n"
        f"for name in {MODULES!r}: importlib.import_module(name.removesuffix('.__init__'))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_help_imports_nothing_heavy() -> None:
    code = "import sys, app.cli; print({'numpy', 'tensorflow', 'msgspec', 'psutil', 'rich'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize("name", sorted(schemas()))
def test_the_published_schemas_are_true(name: str) -> None:
    published = Path(REPOSITORY / "docs" / "schema" / name)
    assert published.read_bytes() == schemas()[name], "run `make schema`"
