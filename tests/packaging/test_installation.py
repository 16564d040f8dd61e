"""Wheel and sdist, installed from a package index into a clean environment, outside of the repository."""

import json
import shutil
from pathlib import Path

import pytest

from edge_bench.bench.records.run_files import read_run
from edge_bench.bench.version import __version__
from tests.packaging.environments import called, interpreter, new_environment

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("package_index")]

#: Few and short trials, on the only runtime of a bare installation.
FEW = ("--trials", 2, "--processes", 1, "--quiet")


def ran(program: Path, model: Path, folder: Path) -> None:
    """Run a model file with a bare installation, and assert that the Run is LiteRT's."""
    called(program, "run", model, "--results", "results", *FEW, cwd=folder)
    (path,) = (folder / "results").glob("run-*.json")
    run = read_run(path)
    assert [(each.configuration.runtime, each.failure) for each in run.results] == [("litert", None)]
    assert run.machine.libraries["ai-edge-litert"]
    assert run.tool_version == __version__


def test_a_bare_pip_installation_of_the_wheel_runs_a_model(wheel: Path, bundle_copy: Path, tmp_path: Path) -> None:
    programs = new_environment(tmp_path / "venv")
    called(programs / "pip", "install", "--quiet", wheel, cwd=tmp_path)
    called(programs / "pip", "check", cwd=tmp_path)
    ran(programs / "edge-bench", bundle_copy / "variants" / "dynamic.tflite", tmp_path)


@pytest.mark.nightly
def test_uvx_runs_a_model_from_the_wheel(wheel: Path, bundle_copy: Path, tmp_path: Path) -> None:
    shutil.copy(bundle_copy / "variants" / "dynamic.tflite", tmp_path / "model.tflite")
    answer = called("uvx", "--from", wheel, "edge-bench", "run", "model.tflite", "--format", "json", *FEW, cwd=tmp_path)
    assert [row["runtime"] for row in json.loads(answer)] == ["litert"]


@pytest.mark.nightly
@pytest.mark.parametrize("artefact", ["wheel", "sdist"])
@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_wheel_and_sdist_run_a_model_on_every_version_of_python(
    artefacts: tuple[Path, Path], artefact: str, version: str, bundle_copy: Path, tmp_path: Path
) -> None:
    python = interpreter(version)
    if python is None:
        pytest.skip(f"Python {version} is not installed, neither on the PATH nor in pyenv")
    programs = new_environment(tmp_path / "venv", python)
    called(programs / "pip", "install", "--quiet", artefacts[artefact == "sdist"], cwd=tmp_path)
    called(programs / "pip", "check", cwd=tmp_path)
    ran(programs / "edge-bench", bundle_copy / "variants" / "dynamic.tflite", tmp_path)


@pytest.mark.nightly
def test_the_wheel_with_the_host_extra_trains_runs_compares_and_reports(wheel: Path, tmp_path: Path) -> None:
    programs = new_environment(tmp_path / "venv")
    called(programs / "pip", "install", "--quiet", f"{wheel}[host]", cwd=tmp_path)
    called(programs / "pip", "check", cwd=tmp_path)
    program = programs / "edge-bench"
    called(program, "train", "--dataset", "digits", "--epochs", 2, "--bundle", "bundle", "--quiet", cwd=tmp_path)
    called(program, "run", "bundle", "--limit", 20, "--results", "results", *FEW, cwd=tmp_path)
    rows = json.loads(called(program, "compare", "results", "--format", "json", cwd=tmp_path))
    assert {row["runtime"] for row in rows} == {"tensorflow", "tflite-runtime", "litert"}
    assert all(row["pass_median_s"] > 0 for row in rows)
    called(program, "report", "results", "-o", "report.html", "--quiet", cwd=tmp_path)
    assert (tmp_path / "report.html").stat().st_size > 10_000
