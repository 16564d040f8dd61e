"""The package's names, what importing it costs, and a typed program of a user."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import edge_bench
from tests.api.user_code import main
from tests.command_line import REPOSITORY, clean_environment
from tests.made.tflite_models import brightness_tflite

_IMPORTED = """
import sys
before = set(sys.modules)
import edge_bench
edge_bench.__all__, dir(edge_bench)
import json
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def test_all_names_exist_and_others_do_not() -> None:
    for name in edge_bench.__all__:
        assert getattr(edge_bench, name) is not None
    assert set(edge_bench.__all__) <= set(dir(edge_bench))
    assert not hasattr(edge_bench, "nothing")
    assert edge_bench.__version__ == "0.2.0"


def test_importing_the_package_imports_nothing_heavy(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _IMPORTED], env=clean_environment(tmp_path), capture_output=True, text=True, check=True
    )
    imported = {name.split(".")[0] for name in json.loads(done.stdout)}
    assert imported - sys.stdlib_module_names == {"edge_bench"}


def test_the_package_is_typed() -> None:
    assert (REPOSITORY / "edge_bench" / "py.typed").exists()


@pytest.mark.slow
def test_a_typed_program_runs(tmp_path: Path) -> None:
    model = brightness_tflite(tmp_path / "model.tflite", (0, 1, 2))
    medians = main(str(model), str(tmp_path / "results"))
    assert list(medians) == ["model"]
    assert medians["model"] > 0
