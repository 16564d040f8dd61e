"""Runs of `edge-bench` in a separate process, or in this process, where errors are objects."""

import contextlib
import io
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from edge_bench.app.cli import console, entry
from edge_bench.app.render.text.terminal import UNWRAPPED
from edge_bench.bench.errors import BadInput, EdgeBenchError
from edge_bench.bench.worker.durations import DURATIONS

REPOSITORY = Path(__file__).resolve().parent.parent
#: ``edge_bench("run", folder, "--trials", 2, EDGE_BENCH_LIMIT="20")``
CommandLine = Callable[..., "subprocess.CompletedProcess[str]"]
#: ``refuses("run", "nowhere")`` asserts that the command is refused, and returns how.
Refuses = Callable[..., EdgeBenchError]


def command(*arguments: object) -> list[str]:
    """The command line of a separate process."""
    return [sys.executable, "-m", "edge_bench", *map(str, arguments)]


def clean_environment(cache: Path) -> dict[str, str]:
    """This process's environment without the person's EDGE_BENCH_… variables, network or cache."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("EDGE_BENCH_")}
    return {
        **kept,
        **UNWRAPPED,  # messages are on one line each, unless a test is about their width
        "PYTHONPATH": str(REPOSITORY),
        "EDGE_BENCH_CACHE": str(cache / "cache"),
        "EDGE_BENCH_RUNTIME_DIR": str(cache),  # other runs on this machine are not part of the test
        "EDGE_BENCH_FASHION_MNIST_URL": "http://127.0.0.1:9/",  # nothing listens on the discard port
        **{each.variable: os.environ.get(each.variable, str(each.default)) for each in DURATIONS},
    }


def call(*arguments: object, cwd: Path, timeout: float = 300, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run a command in a separate process."""
    return subprocess.run(
        command(*arguments), cwd=cwd, env=clean_environment(cwd) | environment,
        capture_output=True, text=True, timeout=timeout, check=False,
    )  # fmt: skip


@dataclass
class Outcome:
    """How a command ended that ran in this process."""

    code: int
    stdout: str
    stderr: str
    error: EdgeBenchError | None


def call_here(*arguments: object, cwd: Path, **environment: str) -> Outcome:
    """Run a command in this process, without its signal handling. Its error is in the outcome only."""
    return _called(arguments, cwd, environment)


def _called(
    arguments: Sequence[object], cwd: Path, environment: Mapping[str, str], *, with_error: bool = False
) -> Outcome:
    """Run a command in this process. ``with_error``: print its error to stderr, too."""
    errors: list[EdgeBenchError] = []
    print_error = console.print_error

    def collect(error: EdgeBenchError) -> None:
        errors.append(error)
        if with_error:
            print_error(error)

    stdout, stderr = io.StringIO(), io.StringIO()
    with (
        mock.patch.dict(os.environ, clean_environment(cwd) | dict(environment), clear=True),
        mock.patch.object(console, "print_error", collect),
        mock.patch.object(console, "settings", console.Settings()),
        contextlib.chdir(cwd),
        contextlib.redirect_stdout(stdout),
        contextlib.redirect_stderr(stderr),
    ):
        code = entry.run_command([str(argument) for argument in arguments])
    return Outcome(code, stdout.getvalue(), stderr.getvalue(), errors[0] if errors else None)


def call_in_process(*arguments: object, cwd: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run a command in this process and return what `call` does. It takes up to a second less."""
    outcome = _called(arguments, cwd, environment, with_error=True)
    return subprocess.CompletedProcess(command(*arguments), outcome.code, outcome.stdout, outcome.stderr)


def refusal(*arguments: object, cwd: Path, kind: type[EdgeBenchError] = BadInput, **environment: str) -> EdgeBenchError:
    """Assert that a command is refused with an error of this kind before it prints any result; return the error."""
    outcome = call_here(*arguments, cwd=cwd, **environment)
    assert outcome.error is not None, f"not refused: {outcome}"
    assert isinstance(outcome.error, kind), repr(outcome.error)
    assert outcome.code == outcome.error.exit_code
    assert outcome.error.problem
    assert not outcome.stdout
    return outcome.error


def assert_refused(done: "subprocess.CompletedProcess[str]", *mentions: str, code: int = 2) -> None:
    """Assert a problem and perhaps a remedy on stderr, no traceback, the exit code, and what has to be named."""
    # lines that are wrapped continue with at least four spaces
    lines = [line for line in re.sub(r"\n {4,}", " ", done.stderr).splitlines() if line.strip()]
    errors = lines[next((n for n, line in enumerate(lines) if line.startswith("error:")), 0) :]
    assert done.returncode == code, done.stderr
    assert 1 <= len(errors) <= 2, done.stderr
    assert errors[0].startswith("error:")
    assert "Traceback" not in done.stderr
    for mention in mentions:
        assert mention in " ".join(done.stderr.split())


def command_parameters(with_names: bool = False) -> Iterator[Any]:
    """Every option and argument of every command, hidden ones and those of ``fleet`` included."""
    from typer.main import get_command

    from edge_bench.app.cli.main import app

    def parameters(group: Any, name: str) -> Iterator[Any]:
        for each in group.params:
            yield (name, each) if with_names else each
        for sub_name, sub in getattr(group, "commands", {}).items():
            yield from parameters(sub, f"{name} {sub_name}".strip())

    yield from parameters(get_command(app), "")
