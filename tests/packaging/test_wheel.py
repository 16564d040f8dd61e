"""The wheel, installed next to other packages called ``app`` and ``bench``."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from tests.command_line import REPOSITORY

pytestmark = pytest.mark.slow

#: Uses the Python API.
PROGRAM = """
import edge_bench
run = edge_bench.run("bundle", variants="dynamic", runtimes="litert", trials=2, processes=1, limit=20, results="new")
print(*edge_bench.load("new").to_frame()["median_ms"])
"""
SOURCES = ("app", "bench", "edge_bench", "pyproject.toml", "README.md", "LICENSE")


def called(*command: object, cwd: Path) -> str:
    """Run a command, assert that it succeeds, and return its standard output."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("EDGE_BENCH_", "PYTHON"))}
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from a copy, so that nothing is left in the repository."""
    copy = tmp_path_factory.mktemp("sources")
    for name in SOURCES:
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, copy / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy / name)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--no-deps", "--no-build-isolation"]
    called(*pip, "--wheel-dir", copy / "dist", ".", cwd=copy)
    (built,) = (copy / "dist").glob("*.whl")
    return built


def test_the_wheel_has_one_package_with_every_module_and_data_file(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"edge_bench"}
    modules = {
        f"edge_bench/{path.relative_to(REPOSITORY).as_posix()}"
        for folder in ("app", "bench")
        for path in (REPOSITORY / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    own = {path.relative_to(REPOSITORY).as_posix() for path in (REPOSITORY / "edge_bench" / "api").glob("*.py")}
    assert modules | own | {"edge_bench/py.typed"} <= names


def test_the_installed_wheel_works_beside_packages_called_app_and_bench(
    wheel: Path, bundle_copy: Path, tmp_path: Path
) -> None:
    called(sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv", cwd=tmp_path)
    python = tmp_path / "venv" / "bin" / "python"
    site = Path(called(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=tmp_path).strip())
    # use the dependencies installed here; .pth files there, such as the editable installation's, are not read
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python]
    called(*pip, "install", "--no-deps", "--no-index", wheel, cwd=tmp_path)
    work = tmp_path / "work"
    for folder in (site, work):
        for name in ("app", "bench"):
            (folder / name).mkdir(parents=True)
            (folder / name / "__init__.py").write_text("raise RuntimeError('this package is the user’s own')\n")

    edge_bench = tmp_path / "venv" / "bin" / "edge-bench"
    few_epochs = ("--dataset", "digits", "--epochs", "2", "--stop-after", "1")  # without the export
    called(edge_bench, "train", *few_epochs, "--bundle", "trained", "--quiet", cwd=work)
    assert list((work / "trained" / "training").glob("*"))
    bundle_copy.rename(work / "bundle")
    few = [
        "--variant",
        "float32,dynamic",
        "--runtime",
        "litert",
        "--trials",
        "2",
        "--processes",
        "1",
        "--limit",
        "20",
        "--quiet",
    ]
    called(edge_bench, "run", "bundle", "--results", "results", *few, cwd=work)
    rows = json.loads(called(edge_bench, "compare", "results", "--format", "json", cwd=work))
    assert {row["variant"] for row in rows} == {"float32", "dynamic"}
    assert all(row["pass_median_s"] > 0 and (row["verdict"] or row["baseline"]) for row in rows)
    where = called(python, "-c", "import edge_bench; print(edge_bench.__file__)", cwd=work)
    assert Path(where.strip()).is_relative_to(site)
    medians = called(python, "-c", PROGRAM, cwd=work)
    assert [float(each) > 0 for each in medians.split()] == [True]
