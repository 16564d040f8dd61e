"""The contents of wheel and sdist, their requirements, and the wheel beside packages called ``app`` and ``bench``."""

import importlib.metadata
import json
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from edge_bench.bench.version import __version__
from tests.command_line import REPOSITORY
from tests.packaging.environments import called

pytestmark = pytest.mark.slow

#: Uses the Python API.
PROGRAM = """
import edge_bench
run = edge_bench.run("bundle", variants="dynamic", runtimes="litert", trials=2, processes=1, limit=20, results="new")
print(*edge_bench.load("new").to_frame()["median_ms"])
"""
#: Few and short trials.
FEW = ("--runtime", "litert", "--trials", 2, "--processes", 1, "--limit", 20, "--quiet")


def test_wheel_and_sdist_have_one_package_with_every_module_and_data_file(wheel: Path, sdist: Path) -> None:
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
    with tarfile.open(sdist) as members:
        sources = {member.name.partition("/")[2]: member for member in members}
    assert modules | own | {"LICENSE", "README.md", "pyproject.toml"} <= sources.keys()
    assert not [name for name, member in sources.items() if member.issym() or member.islnk()]


@pytest.mark.parametrize(
    ("sys_platform", "platform_machine", "installed"),
    [
        ("linux", "x86_64", True),
        ("linux", "aarch64", True),
        ("linux", "armv7l", False),
        ("linux", "riscv64", False),
        ("darwin", "arm64", True),
        ("darwin", "x86_64", False),
    ],
)
def test_litert_is_installed_by_default_on_platforms_that_it_has_wheels_for(
    wheel: Path, sys_platform: str, platform_machine: str, installed: bool
) -> None:
    (found,) = importlib.metadata.distributions(name="edge-bench", path=[str(wheel)])
    platform = {"python_version": "3.13", "sys_platform": sys_platform, "platform_machine": platform_machine}
    wanted = {
        each.name
        for each in map(Requirement, found.requires or ())
        if each.marker is None or each.marker.evaluate({**platform, "extra": ""})
    }
    assert ("ai-edge-litert" in wanted, found.version) == (installed, __version__)
    assert {"numpy", "typer"} <= wanted
    assert not wanted & {"tensorflow", "tensorflow-cpu", "tflite-runtime", "onnxruntime", "docker", "uv"}


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
    called(edge_bench, "run", "bundle", "--variant", "float32,dynamic", "--results", "results", *FEW, cwd=work)
    rows = json.loads(called(edge_bench, "compare", "results", "--format", "json", cwd=work))
    assert {row["variant"] for row in rows} == {"float32", "dynamic"}
    assert all(row["pass_median_s"] > 0 and (row["verdict"] or row["baseline"]) for row in rows)
    where = called(python, "-c", "import edge_bench; print(edge_bench.__file__)", cwd=work)
    assert Path(where.strip()).is_relative_to(site)
    medians = called(python, "-c", PROGRAM, cwd=work)
    assert [float(each) > 0 for each in medians.split()] == [True]
