"""The commit with which the action compares (action/base.sh)."""

import os
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.command_line import REPOSITORY
from tests.github.repository import Repository


class Found(NamedTuple):
    code: int
    commit: str  # empty if there is none
    log: str


class Opened(NamedTuple):
    """A repository whose main branch has changed since its first pull request was opened."""

    repository: Repository
    first: str  # commit of the main branch
    number: int


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Opened:
    folder = tmp_path_factory.mktemp("base")
    for name, file in (("files", "model.tflite"), ("change", "another.tflite"), ("newer", "model.tflite")):
        (folder / name).mkdir()
        (folder / name / file).write_text(name)
    repository = Repository(folder / "repository", folder / "files")
    first = repository.main
    number = repository.pull_request(folder / "change")
    repository.change(folder / "newer")
    repository.update(number)
    return Opened(repository, first, number)


def base(opened: Opened, checkout: Path, **environment: str) -> Found:
    """Execute the script in a checkout, in the job of the pull request unless the environment has another."""
    output = checkout.parent / "output"
    output.write_text("")
    variables = {
        "PATH": os.environ["PATH"],
        "HOME": str(checkout.parent),
        "MODEL": "model.tflite",
        "BASE_MODEL": "",
        "BASELINE": "",
        "BASE_REF": "",
        "EVENT_BASE": opened.repository.main,
        "GITHUB_REF": f"refs/pull/{opened.number}/merge",
        "GITHUB_SHA": opened.repository.merged(opened.number),
        "GITHUB_WORKSPACE": str(checkout),
        "GITHUB_OUTPUT": str(output),
        "RUNNER_TEMP": str(checkout.parent),
    }
    done = subprocess.run(
        ["bash", REPOSITORY / "action" / "base.sh"], env=variables | environment, check=False, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60,
    )  # fmt: skip
    found = dict(line.split("=", 1) for line in output.read_text().splitlines())
    return Found(done.returncode, found.get("commit", ""), done.stdout)


def test_an_explicit_base_is_used_also_for_the_merge_of_a_pull_request(opened: Opened, tmp_path: Path) -> None:
    repository = opened.repository
    repository.tag("v1", opened.first)
    checkout = repository.checkout(repository.merged(opened.number), tmp_path / "checkout")
    assert base(opened, checkout, EVENT_BASE=opened.first).commit == repository.main
    for explicit in (opened.first, "v1"):
        found = base(opened, checkout, BASE_REF=explicit)
        assert found.commit == opened.first, found.log
    assert base(opened, checkout, BASE_REF=f"change-{opened.number}").commit == repository.head(opened.number)
    missing = base(opened, checkout, BASE_REF="v2")
    assert (missing.code, missing.commit) == (2, "")
    assert "::error::base-ref: cannot fetch v2" in missing.log


def test_a_branch_of_a_whole_history_is_used_and_the_history_stays_whole(opened: Opened, tmp_path: Path) -> None:
    repository = opened.repository
    checkout = repository.checkout(repository.merged(opened.number), tmp_path / "checkout", depth=100)
    git = ["git", "-C", str(checkout)]
    subprocess.run([*git, "fetch", "--quiet", "origin", "+refs/heads/*:refs/remotes/origin/*"], check=True)
    assert base(opened, checkout, BASE_REF="main").commit == repository.main
    shallow = subprocess.run([*git, "rev-parse", "--is-shallow-repository"], check=True, capture_output=True, text=True)
    assert shallow.stdout == "false\n"


def test_a_branch_that_ends_with_a_merge_of_its_own_is_compared_with_the_base(opened: Opened, tmp_path: Path) -> None:
    """Its first parent has the changes of the pull request: every model would be as fast as itself."""
    repository = opened.repository
    checkout = repository.checkout(repository.head(opened.number), tmp_path / "checkout")
    found = base(opened, checkout)
    assert found.commit == repository.main, found.log


def test_a_checkout_of_another_user_is_read(opened: Opened, tmp_path: Path) -> None:
    """As in a container, where git refuses it."""
    repository = opened.repository
    checkout = repository.checkout(repository.merged(opened.number), tmp_path / "checkout", depth=2)
    found = base(opened, checkout, GIT_TEST_ASSUME_DIFFERENT_OWNER="1")
    assert found.commit == repository.main, found.log


def test_a_push_that_creates_a_branch_has_nothing_to_compare_with(opened: Opened, tmp_path: Path) -> None:
    repository = opened.repository
    checkout = repository.checkout(repository.head(opened.number), tmp_path / "checkout")
    pushed = {"GITHUB_REF": "refs/heads/new", "GITHUB_SHA": repository.head(opened.number)}
    found = base(opened, checkout, EVENT_BASE="0" * 40, **pushed)
    assert (found.code, found.commit) == (2, "")
    assert "::error::base-ref:" in found.log
