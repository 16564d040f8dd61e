"""The README's Raspberry Pi chapter and docs/raspberry-pi.md, walked word for word on a whole emulated machine."""

import json
import re

import pytest

from edge_bench.bench.records.run import Run
from edge_bench.bench.records.run_files import read_run
from tests.command_line import REPOSITORY
from tests.docs.pages import Block, shell_blocks
from tests.pi.conftest import FOLDER
from tests.pi.desk import Desk, Step
from tools.emulated_pi.machine import HOST

pytestmark = [pytest.mark.containers, pytest.mark.nightly]

README, PAGE = REPOSITORY / "README.md", REPOSITORY / "docs/raspberry-pi.md"


def pi_blocks() -> list[Block]:
    """The blocks of both pages that copy the image to the Pi."""
    found = [block for page in (README, PAGE) for block in shell_blocks(page) if "docker load" in block.text]
    assert len(found) == 2
    return found


def runs_of(desk: Desk) -> list[Run]:
    """The Runs of the Pi on the PC, oldest first."""
    runs = [read_run(path) for path in sorted((desk.folder / "results").glob("run-*.json"))]
    return [run for run in runs if run.machine.hostname in (desk.pi.name, HOST.partition(".")[0])]  # the fleet's name


def good(step: Step) -> str:
    """Assert that a command succeeded, and return its output."""
    assert step.code == 0, f"{step.command}\n{step.stdout[-2000:]}\n{step.stderr[-2000:]}"
    return step.stdout + step.stderr


@pytest.fixture(scope="module")
def walked(desk: Desk) -> Desk:
    """Walk the chapter, and write the table of its steps."""
    for step in desk.walk(pi_blocks()):
        good(step)
    command = re.search(r"`(edge-bench fleet run artifacts/bundle --engine ssh://\$PI)`", README.read_text())
    assert command
    good(desk.run(command[1], network=True))
    rows = "\n".join(step.row for step in desk.steps)
    (FOLDER / "walk.md").write_text(f"| command | time | network | load |\n| --- | --- | --- | --- |\n{rows}\n")
    return desk


def test_the_chapter_ends_with_a_report_and_the_pi_is_labelled_emulated(walked: Desk) -> None:
    by_hand, by_fleet = runs_of(walked)
    for run in (by_hand, by_fleet):
        assert run.emulated
        assert run.machine.cpu == "Cortex-A72"
        assert run.machine.architecture == "aarch64"
        assert len(run.machine.emulation_signs) >= 2
        assert run.results_with_trials
        assert not [result.failure for result in run.results if result.failure]
    compared = walked.run("edge-bench compare results --format json")
    good(compared)
    rows = [row for row in json.loads(compared.stdout) if row["emulated"]]
    assert rows
    assert all(row["verdict"] is None for row in rows)
    assert "EMULATED" in (walked.folder / "report.html").read_text()


def test_doctor_says_that_the_pi_is_emulated_and_which_pi_it_stands_for(walked: Desk) -> None:
    command = "ssh $PI docker run --rm edge-bench doctor"
    assert command in PAGE.read_text()
    text = good(walked.run(command))
    assert "EMULATED" in text
    assert "Raspberry Pi 4" in text


def test_nothing_is_left_on_the_pi(walked: Desk) -> None:
    assert walked.pi.ssh("docker ps --all --quiet; docker volume ls --quiet").stdout == ""


def test_files_of_the_pi_belong_to_its_user(walked: Desk) -> None:
    assert set(walked.pi.ssh("find results -printf '%u\\n'").stdout.split()) == {"me"}
