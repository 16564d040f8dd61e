"""Wheel and sdist, installed from a package index into a clean environment, outside of the repository."""

import json
import shutil
import sys
from pathlib import Path

import pytest

from edge_bench.bench.records.run_files import read_run
from edge_bench.bench.version import __version__
from tests.command_line import REPOSITORY
from tests.containers.compose import HOST, NATIVE
from tests.docs.pages import shell_blocks
from tests.docs.shell import LIMITS
from tests.packaging.environments import called, interpreter, new_environment, refused

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("package_index")]

#: Few and short trials, on the only runtime of a bare installation.
FEW = ("--trials", 2, "--processes", 1, "--quiet")


def ran(program: Path, model: Path, folder: Path) -> str:
    """Run a model file with a bare installation, assert that the Run is LiteRT's, and return the printed answer."""
    answer = called(program, "run", model, "--results", "results", *FEW, cwd=folder)
    (path,) = (folder / "results").glob("run-*.json")
    run = read_run(path)
    assert [(each.configuration.runtime, each.failure) for each in run.results] == [("litert", None)]
    assert run.machine.libraries["ai-edge-litert"]
    assert run.tool_version == __version__
    return answer


def test_a_bare_pip_installation_of_the_wheel_runs_a_model(wheel: Path, bundle_copy: Path, tmp_path: Path) -> None:
    programs = new_environment(tmp_path / "venv")
    called(programs / "pip", "install", "--quiet", wheel, cwd=tmp_path)
    called(programs / "pip", "check", cwd=tmp_path)
    program = programs / "edge-bench"
    # it has no matplotlib for a report, so that it must not suggest one
    assert "edge-bench report" not in ran(program, bundle_copy / "variants" / "dynamic.tflite", tmp_path)
    assert refused(program, "report", "results", cwd=tmp_path) == 1
    before = set(tmp_path.iterdir())
    for command in (("all", "--dataset", "digits"), ("train", "--dataset", "digits"), ("export", "mobilenetv2")):
        assert refused(program, *command, "--bundle", "new", cwd=tmp_path) == 1
    assert set(tmp_path.iterdir()) == before


def page_says(word: str, wheel: Path, folder: Path, then: str) -> None:
    """Execute the block of docs/install.md with this word, with the wheel and the images of this checkout."""
    (block,) = (each.text for each in shell_blocks(REPOSITORY / "docs" / "install.md") if word in each.text)
    # as the page says for a version that is not published
    for before, after in (
        ("REGISTRY/edge-bench:host", HOST),
        ("REGISTRY/edge-bench", NATIVE),
        ("'edge-bench[host]'", f"'{wheel}[host]'"),
        ("install edge-bench ", f"install {wheel} "),
        ("uvx edge-bench", f"uvx --from {wheel} edge-bench"),
        ("python3 -m", f"{sys.executable} -m"),
    ):
        block = block.replace(before, after)
    limits = " ".join(f"{name}={value}" for name, value in LIMITS.items())
    script = f"export {limits} UV_TOOL_DIR=$PWD/tools UV_TOOL_BIN_DIR=$PWD/bin\n{block}\n{then}"
    called("bash", "-euo", "pipefail", "-c", script, cwd=folder)


@pytest.mark.nightly
def test_the_page_s_commands_of_uv_run_the_wheel(wheel: Path, bundle_copy: Path, tmp_path: Path) -> None:
    shutil.copy(bundle_copy / "variants" / "dynamic.tflite", tmp_path / "model.tflite")
    page_says("uv tool install", wheel, tmp_path, "uv tool list")
    runs = [read_run(path) for path in (tmp_path / "results").glob("run-*.json")]
    assert {tuple(sorted({each.configuration.runtime for each in run.results})) for run in runs} == {
        ("litert",),
        ("litert", "tensorflow", "tflite-runtime"),
    }
    assert (tmp_path / "bin" / "edge-bench").exists()


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
def test_the_page_s_commands_of_pip_train_run_compare_and_report(wheel: Path, tmp_path: Path) -> None:
    page_says("python3 -m venv", wheel, tmp_path, "pip check")
    program = tmp_path / "venv" / "bin" / "edge-bench"
    called(program, "train", "--dataset", "digits", "--epochs", 2, "--bundle", "bundle", "--quiet", cwd=tmp_path)
    called(program, "run", "bundle", "--limit", 20, "--results", "results", *FEW, cwd=tmp_path)
    rows = json.loads(called(program, "compare", "results", "--format", "json", cwd=tmp_path))
    assert {row["runtime"] for row in rows} == {"tensorflow", "tflite-runtime", "litert"}
    assert all(row["pass_median_s"] > 0 for row in rows)
    called(program, "report", "results", "-o", "report.html", "--quiet", cwd=tmp_path)
    assert (tmp_path / "report.html").stat().st_size > 10_000


@pytest.mark.nightly
@pytest.mark.containers
@pytest.mark.usefixtures("images", "native_image")
def test_the_page_s_commands_of_docker_run_and_train(wheel: Path, bundle_copy: Path, tmp_path: Path) -> None:
    folder = tmp_path / "work"  # the page writes a folder `bundle`, which is where bundle_copy is
    folder.mkdir()
    shutil.copy(bundle_copy / "variants" / "dynamic.tflite", folder / "model.tflite")
    page_says("docker run", wheel, folder, "")
    (path,) = (folder / "results").glob("run-*.json")
    assert {each.configuration.runtime for each in read_run(path).results} == {"litert", "tflite-runtime"}
    assert (folder / "bundle" / "manifest.json").exists()
