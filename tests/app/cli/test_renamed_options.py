"""Old names of options work, with a warning, and are in no help text."""

import re

import pytest

from edge_bench.app.cli.renamed_options import RENAMED, with_current_names
from tests.command_line import CommandLine, command_parameters


def test_options_and_variables_get_their_current_names() -> None:
    warnings: list[str] = []
    environment = {"EDGE_BENCH_PATIENCE": "9", "EDGE_BENCH_DESK": "old", "EDGE_BENCH_LOCAL_ENGINE": "new", "HOME": "/"}
    arguments = ["fleet", "run", "b", "--patience", "3", "--desk=unix:///x", "--quiet", "--", "--patience"]
    assert with_current_names(arguments, environment, warnings.append) == [
        "fleet", "run", "b", "--reconnect-timeout", "3", "--local-engine=unix:///x", "--quiet", "--", "--patience",
    ]  # fmt: skip
    assert environment == {"EDGE_BENCH_RECONNECT_TIMEOUT": "9", "EDGE_BENCH_LOCAL_ENGINE": "new", "HOME": "/"}
    assert len(warnings) == 4


def test_current_names_stay_without_a_warning() -> None:
    warnings: list[str] = []
    environment = {"EDGE_BENCH_TRIALS": "3"}
    arguments = ["run", "x", "--trials", "2"]
    assert with_current_names(arguments, environment, warnings.append) == arguments
    assert environment == {"EDGE_BENCH_TRIALS": "3"}
    assert not warnings


@pytest.mark.parametrize(("old", "new"), RENAMED.items())
def test_every_new_name_is_an_option_and_no_old_one_is(old: str, new: str) -> None:
    flags = {flag for parameter in command_parameters() for flag in parameter.opts}
    assert new in flags
    assert old not in flags


def test_a_command_accepts_an_old_name_and_warns(edge_bench: CommandLine) -> None:
    done = edge_bench("train", "--workers", "a:1,b:2", "--worker", "7")
    assert done.returncode == 2  # as --worker-index 7 is refused
    (warning,) = [line for line in done.stderr.splitlines() if re.search(r"--worker(?![-\w])", line)]
    assert "--worker-index" in warning
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_the_version_of_an_image_in_the_environment_breaks_no_command(edge_bench: CommandLine) -> None:
    done = edge_bench("--version", EDGE_BENCH_VERSION="0.1.0")
    assert (done.returncode, done.stdout.split()[0]) == (0, "edge-bench")
    done = edge_bench("doctor", "--format", "json", EDGE_BENCH_VERSION="0.1.0")
    assert done.returncode == 0, done.stderr


def test_an_empty_new_variable_does_not_hide_the_old_one() -> None:
    environment = {"EDGE_BENCH_PATIENCE": "9", "EDGE_BENCH_RECONNECT_TIMEOUT": ""}
    with_current_names([], environment, lambda _: None)
    assert environment == {"EDGE_BENCH_RECONNECT_TIMEOUT": "9"}
