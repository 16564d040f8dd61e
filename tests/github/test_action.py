"""The steps of action.yml, executed on pull requests of a repository made for the test."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.command_line import REPOSITORY
from tests.github.api import Comments, github_api
from tests.github.composite import Job, Outcome, run_action
from tests.github.models import CLASSES, layered_tflite, write_images
from tests.github.repository import Repository, job_of

ACTION = REPOSITORY / "action.yml"
INPUTS = {
    "model": "models/classifier.tflite",
    "run_options": "--data 'test images' --preprocess unit --runtime litert",
    "fail_if_accuracy_drops": "5",
    "trials": "6",
    "processes": "3",
    "install": "none",
}
SHORT = {"EDGE_BENCH_WARM_UP_SECONDS": "0.02", "EDGE_BENCH_TRIAL_SECONDS": "0.01"}


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    folder = tmp_path_factory.mktemp("github")
    files = folder / "files"
    layered_tflite(files / "models" / "classifier.tflite", 5)
    write_images(files / "test images", 5)
    return Repository(folder / "repository", files)


@pytest.fixture
def api() -> Iterator[Comments]:
    with github_api() as comments:
        yield comments


def job(repository: Repository, number: int, folder: Path, api: Comments) -> Job:
    return job_of(repository, number, folder, api.url, EDGE_BENCH_RUNTIME_DIR=str(folder), **SHORT)


def slower(folder: Path) -> None:
    layered_tflite(folder / "models" / "classifier.tflite", 20)


def less_accurate(folder: Path) -> None:
    layered_tflite(folder / "models" / "classifier.tflite", 5, order=[1, 0, *range(2, CLASSES)])


def unchanged(folder: Path) -> None:
    (folder / "README").write_text("another sentence")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "code", "failing"),
    [(slower, 3, "time"), (less_accurate, 3, "accuracy"), (unchanged, 0, "")],
)
def test_a_pull_request_is_measured_against_its_base_and_gets_one_comment(
    change: Callable[[Path], None], code: int, failing: str, repository: Repository, api: Comments, tmp_path: Path
) -> None:
    (tmp_path / "change").mkdir()
    change(tmp_path / "change")
    number = repository.pull_request(tmp_path / "change")
    # trials of a hundredth of a second vary: a limit that only a model four times as slow exceeds
    outcome = run_action(ACTION, job(repository, number, tmp_path / "job", api), **INPUTS, fail_if_slower="100%")
    assert outcome.code == code, outcome.log
    assert outcome.outputs["exit-code"] == str(code)
    assert outcome.outputs["result"] in (("failed",) if code else ("passed", "undecided"))
    assert outcome.failed_step == ("Result" if code else "")
    (comment,) = api.of(number)
    assert comment.partition("\n")[2] == outcome.summary
    assert f"Commit {repository.head(number)[:12]} compared with commit {repository.main[:12]}," in comment
    assert "| head/classifier |" in comment
    assert ("**FAILED**" in comment) is bool(code)
    rows = json.loads((Path(outcome.outputs["results"]) / "comparison.json").read_text())
    assert [row["variant"] for row in rows] == ["head/classifier"]
    if failing == "time":
        assert rows[0]["time_ratio"] > 2
    if failing == "accuracy":
        assert rows[0]["accuracy_difference"] == pytest.approx(-0.2)
    assert len(list(Path(outcome.outputs["results"]).glob("runs/run-*.json"))) == 1


@pytest.mark.slow
def test_bundles_are_measured_alternately_in_runs(digits_bundle: object, api: Comments, tmp_path: Path) -> None:
    folder = digits_bundle.folder  # type: ignore[attr-defined]
    files = tmp_path / "files"
    shutil.copytree(folder, files / "bundle")
    repository = Repository(tmp_path / "repository", files)
    (tmp_path / "change").mkdir()
    unchanged(tmp_path / "change")
    number = repository.pull_request(tmp_path / "change")
    outcome = run_action(
        ACTION, job(repository, number, tmp_path / "job", api), model="bundle", install="none", runs="2", trials="2",
        processes="2", run_options="--variant dynamic --runtime litert --limit 50",
    )  # fmt: skip
    assert outcome.code in (0, 3), outcome.log  # two short Runs decide nothing
    results = Path(outcome.outputs["results"])
    assert [len(list((results / side).glob("run-*.json"))) for side in ("base", "head")] == [2, 2]
    began = sorted((json.loads(path.read_text())["began"], path.parent.name) for path in results.glob("*/run-*.json"))
    assert [side for _, side in began] == ["base", "head", "head", "base"]


@pytest.mark.slow
def test_a_stored_baseline_of_another_machine_is_refused_and_the_comment_says_so(
    repository: Repository, api: Comments, tmp_path: Path
) -> None:
    (tmp_path / "change").mkdir()
    unchanged(tmp_path / "change")
    number = repository.pull_request(tmp_path / "change")
    first = job(repository, number, tmp_path / "first", api)
    few = INPUTS | {"trials": "2", "processes": "2", "runs": "1"}
    # a stored Run of the same model, as an earlier job would upload it
    stored = tmp_path / "stored"
    made = run_action(ACTION, first, **few, baseline=str(stored), comment="false")
    assert made.code == 2
    shutil.copytree(Path(made.outputs["results"]) / "runs", stored)
    same = run_action(ACTION, job(repository, number, tmp_path / "same", api), **few, baseline=str(stored))
    assert same.code in (0, 3), same.log
    (path,) = stored.glob("run-*.json")
    changed = json.loads(path.read_text())
    changed["machine"]["hostname"] = "another"
    path.write_text(json.dumps(changed))
    other = run_action(ACTION, job(repository, number, tmp_path / "other", api), **few, baseline=str(stored))
    assert (other.code, other.outputs["result"]) == (2, "error")
    (comment,) = api.of(number)
    assert "another machine" in comment


def refused(repository: Repository, number: int, folder: Path, **inputs: str) -> Outcome:
    outcome = run_action(ACTION, job(repository, number, folder, Comments()), **(INPUTS | inputs))
    assert (outcome.code, outcome.failed_step) == (2, "Find the base model")
    assert "::error::" in outcome.log
    return outcome


@pytest.mark.slow
def test_a_model_that_cannot_be_compared_is_refused_before_measuring(repository: Repository, tmp_path: Path) -> None:
    change = tmp_path / "change"
    layered_tflite(change / "new.tflite", 1)
    (change / "models").mkdir()
    (change / "models" / "classifier.tflite").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:1\n")
    number = repository.pull_request(change)
    assert "no new.tflite" in refused(repository, number, tmp_path / "new", model="new.tflite").log
    assert "LFS" in refused(repository, number, tmp_path / "lfs").log
    assert "missing.tflite" in refused(repository, number, tmp_path / "missing", model="missing.tflite").log
    assert (
        "missing.tflite"
        in refused(repository, number, tmp_path / "b", model="new.tflite", base_model="missing.tflite").log
    )


@pytest.mark.slow
def test_a_stored_baseline_is_refused_on_a_hosted_runner(repository: Repository, tmp_path: Path) -> None:
    """Machines of one image may have the same hostname, and edge-bench would take them for one."""
    (tmp_path / "change").mkdir()
    number = repository.pull_request(tmp_path / "change")
    opened = job(repository, number, tmp_path / "job", Comments())
    hosted = {**opened.environment, "RUNNER_ENVIRONMENT": "github-hosted"}
    theirs = Job(workspace=opened.workspace, temp=opened.temp, event=opened.event, environment=hosted)
    outcome = run_action(ACTION, theirs, **INPUTS, baseline="stored")
    assert (outcome.code, outcome.failed_step) == (2, "Find the base model")


@pytest.mark.slow
def test_the_base_is_the_first_parent_of_the_merge_even_if_the_event_is_older(
    repository: Repository, tmp_path: Path
) -> None:
    """The base branch may have moved between the event and the merge commit that is checked out."""
    before = repository.main
    change = tmp_path / "change"
    layered_tflite(change / "models" / "second.tflite", 1)
    repository.change(change)
    (tmp_path / "other").mkdir()
    unchanged(tmp_path / "other")
    number = repository.pull_request(tmp_path / "other")
    opened = job(repository, number, tmp_path / "job", Comments())
    stale = Job(
        workspace=opened.workspace, temp=opened.temp, ref=opened.ref, sha=opened.sha, environment=opened.environment,
        event={"pull_request": {"number": number, "base": {"sha": before}}},
    )  # fmt: skip
    # without a limit, the step that measures ends at once
    limits = {"fail_if_slower": "", "fail_if_accuracy_drops": ""}
    outcome = run_action(ACTION, stale, **(INPUTS | limits | {"model": "models/second.tflite", "comment": "false"}))
    assert (outcome.code, outcome.failed_step) == (2, "Result"), outcome.log
    assert (opened.temp / f"edge-bench-base-{repository.main}" / "models" / "second.tflite").is_file()
    explicit = run_action(ACTION, stale, **(INPUTS | {"model": "models/second.tflite", "base_ref": before}))
    assert (explicit.code, explicit.failed_step) == (2, "Find the base model")
    assert f"base commit {before[:12]} has no" in explicit.log


def test_edge_bench_must_be_installed_if_the_action_shall_not(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "change").mkdir()
    number = repository.pull_request(tmp_path / "change")
    without = job(repository, number, tmp_path / "job", Comments())
    bare = Job(
        workspace=without.workspace, temp=without.temp, event=without.event, environment={"PATH": "/usr/bin:/bin"}
    )
    outcome = run_action(ACTION, bare, **INPUTS)
    assert (outcome.code, outcome.failed_step) == (2, "Install edge-bench")


@pytest.mark.slow
def test_only_edge_bench_is_added_to_the_path_of_later_steps(tmp_path: Path) -> None:
    """The python3 and pip of the job stay those that an earlier step chose."""
    wheel, metadata = tmp_path / "edge_bench-1-py3-none-any.whl", "edge_bench-1.dist-info"
    with zipfile.ZipFile(wheel, "w") as written:
        written.writestr("edge_bench.py", "def main():\n    print('edge-bench 1')\n")
        written.writestr(f"{metadata}/METADATA", "Metadata-Version: 2.1\nName: edge-bench\nVersion: 1\n")
        written.writestr(f"{metadata}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        written.writestr(f"{metadata}/entry_points.txt", "[console_scripts]\nedge-bench = edge_bench:main\n")
        written.writestr(f"{metadata}/RECORD", "")
    environment = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "RUNNER_TEMP": str(tmp_path),
        "GITHUB_PATH": str(tmp_path / "path"),
        "ACTION_PATH": str(ACTION.parent),
        "INSTALL": str(wheel),
    }
    subprocess.run(["bash", ACTION.parent / "action" / "install.sh"], env=environment, check=True, timeout=120)
    (added,) = (tmp_path / "path").read_text().splitlines()
    assert [each.name for each in Path(added).iterdir()] == ["edge-bench"]
    ran = subprocess.run([Path(added) / "edge-bench"], check=True, capture_output=True, text=True)
    assert ran.stdout == "edge-bench 1\n"


@pytest.mark.nightly
def test_a_model_that_is_ten_percent_slower_fails_and_an_unchanged_one_passes(tmp_path: Path) -> None:
    from studies.pull_requests.gate import pull_requests, review

    repository, opened = pull_requests(tmp_path, slower=10, count=1)
    found = [review(repository, number, slow, tmp_path / f"job-{number}") for number, slow in opened]
    assert [each.code for each in found] == [3, 0], found
    assert all(each.readable and each.comments == 1 for each in found)


@pytest.mark.nightly
def test_the_action_installs_this_version_with_litert(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "change").mkdir()
    unchanged(tmp_path / "change")
    number = repository.pull_request(tmp_path / "change")
    opened = job(repository, number, tmp_path / "job", Comments())
    installed = Job(
        workspace=opened.workspace, temp=opened.temp, event=opened.event, ref=opened.ref,
        environment={**SHORT, "EDGE_BENCH_RUNTIME_DIR": str(tmp_path)},
    )  # fmt: skip
    inputs = INPUTS | {"install": "", "comment": "false", "fail_if_slower": "100%"}
    assert run_action(ACTION, installed, **inputs).code == 0
