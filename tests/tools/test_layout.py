"""Checks that `make lint` does not include: lazy imports and published schemas."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.command_line import REPOSITORY
from tools.write_schemas import schemas

FORBIDDEN = [
    "tensorflow",
    "keras",
    "typer",
    "matplotlib",
    "docker",
    "edge_bench.app",
    "sklearn",
    "pooch",
    "tflite_runtime",
    "ai_edge_litert",
]
MODULES = sorted(
    "edge_bench." + ".".join(path.relative_to(REPOSITORY).with_suffix("").parts)
    for path in (REPOSITORY / "bench").rglob("*.py")
)


@pytest.mark.slow
def test_bench_imports_without_tensorflow_typer_matplotlib_or_docker_installed() -> None:
    code = (
        "import importlib, sys\n"
        "class Missing:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if f'{{name}}.'.startswith({tuple(f'{name}.' for name in FORBIDDEN)!r}):\n"
        "            raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Missing())\n"
        f"for name in {MODULES!r}: importlib.import_module(name.removesuffix('.__init__'))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_help_imports_nothing_heavy() -> None:
    heavy = ["numpy", "tensorflow", "msgspec", "psutil", "rich"]
    code = f"import sys, edge_bench.app.cli.main; print(set({heavy}) & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize("name", sorted(schemas()))
def test_the_published_schemas_are_current(name: str) -> None:
    published = Path(REPOSITORY / "docs" / "schema" / name)
    assert published.read_bytes() == schemas()[name], "run `make schema`"
