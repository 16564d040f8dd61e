"""Tests that share something expensive run in one process."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.command_line import clean_environment
from tests.scheduling import group_of

CONFTEST = """
import pytest
from tests.scheduling import GroupScheduling

@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    return GroupScheduling(config, log)
"""


def test_images_engines_and_modules_are_groups() -> None:
    assert group_of("tests/containers/test_story.py::test_a") == group_of("tests/containers/test_images.py::test_b[x]")
    assert group_of("tests/fleet/test_engines.py::test_a") == group_of("tests/fleet/test_swarm.py::test_b")
    assert group_of("tests/fleet/test_collector.py::test_a") != group_of("tests/fleet/test_engines.py::test_a")
    assert group_of("tests/a/test_b.py::test_c[d::e]") == "tests/a/test_b.py"


@pytest.mark.slow
def test_a_process_that_dies_fails_one_test_and_the_others_run(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    for name in "abcde":
        (tmp_path / f"test_{name}.py").write_text("\n".join(f"def test_{n}(): pass" for n in range(4)))
    (tmp_path / "test_e.py").write_text(
        "import os, threading\ndef test_0(): pass\ndef test_1(): os._exit(1)\n"
        "def test_2(): threading.Event().wait()\ndef test_3(): pass\n"
    )
    options = ["-n", "2", "-q", "-p", "no:cacheprovider"]
    options += ["-o", "faulthandler_timeout=0.5", "-o", "faulthandler_exit_on_timeout=true"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options], cwd=tmp_path, env=clean_environment(tmp_path),
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "2 failed, 18 passed" in done.stdout
    assert 'test_e.py", line 4 in test_2' in done.stderr  # where it waits
