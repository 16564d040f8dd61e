"""Unusual environments: closed streams, no HOME, no UTF-8, few file descriptors, a clock that is set back."""

import datetime
import errno
import os
import resource
import shlex
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

from edge_bench.bench.analysis.over_time.history import history
from edge_bench.bench.io.temporary import cache_folder
from edge_bench.bench.measure.plan import Selection
from edge_bench.bench.measure.stored.reading import read_runs
from edge_bench.bench.progress import Silent
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.run import Settings
from edge_bench.bench.records.run_files import read_run, write_run
from tests.command_line import CommandLine, assert_refused, clean_environment, command
from tests.factories import measure_bundle
from tests.nine_configurations import nine

pytestmark = pytest.mark.slow

LIGHT = ("--variant", "dynamic", "--runtime", "litert", "--trials", 1, "--processes", 1, "--limit", 20)


def run_with(tmp_path: Path, bundle: Bundle, redirections: str, *more: str) -> "subprocess.CompletedProcess[str]":
    """`run` in a shell with redirections; the exit code is that of `run`."""
    return shell(tmp_path, redirections, *command("run", bundle.folder, *LIGHT, "--results", "results", *more))


def shell(tmp_path: Path, redirections: str, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; {shlex.join(words)} {redirections}"],
        env=clean_environment(tmp_path), cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip


def assert_measured(tmp_path: Path) -> None:
    """Assert that the folder of results has one complete Run."""
    (path,) = (tmp_path / "results").iterdir()
    assert read_run(path).complete


@pytest.mark.parametrize("redirections", [">&-", "| true", "2> >(true)"])
def test_closed_streams_end_no_command(tmp_path: Path, redirections: str) -> None:
    done = shell(tmp_path, redirections, *command("doctor", "--format", "json"))
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


@pytest.mark.parametrize("redirections", [">&- 2>&- <&-", "2>&1 | true"])
def test_closed_streams_end_no_run(digits_bundle: Bundle, tmp_path: Path, redirections: str) -> None:
    done = run_with(tmp_path, digits_bundle, redirections)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr
    assert done.stdout == ""
    assert_measured(tmp_path)


def test_a_full_disk_behind_stdout_is_reported_and_the_run_is_kept(digits_bundle: Bundle, tmp_path: Path) -> None:
    done = run_with(tmp_path, digits_bundle, "> /dev/full", "--quiet")
    assert_refused(done, os.strerror(errno.ENOSPC), "--once", code=1)
    assert_measured(tmp_path)


def test_the_remedy_for_a_full_disk_fits_the_command(tmp_path: Path) -> None:
    write_run(nine(), tmp_path)
    shown = shell(tmp_path, "> /dev/full", *command("compare", tmp_path, "--format", "json"))
    assert_refused(shown, "standard output", os.strerror(errno.ENOSPC), "repeat the command", code=1)
    assert "--resume" not in shown.stderr
    assert "--once" not in shown.stderr


def test_a_locale_without_utf_8_gets_escaped_bytes(digits_bundle: Bundle, tmp_path: Path) -> None:
    done = subprocess.run(
        command("run", digits_bundle.folder, *LIGHT, "--results", "ergebnisse-ä"),
        env=clean_environment(tmp_path) | {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        cwd=tmp_path, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.isascii()
    assert b"dynamic" in done.stdout
    assert done.stderr.isascii()
    assert rb"ergebnisse-\xc3\xa4" in done.stdout
    (path,) = (tmp_path / "ergebnisse-ä").iterdir()
    assert read_run(path).complete


def test_without_a_home_and_a_user_name_no_folder_called_tilde_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(number: int) -> None:
        raise KeyError(number)

    for name in ("HOME", "XDG_CACHE_HOME", "EDGE_BENCH_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", unknown)
    monkeypatch.chdir(tmp_path)
    assert cache_folder().is_absolute()
    assert list(tmp_path.iterdir()) == []


def test_without_a_home_the_commands_work(edge_bench: CommandLine, digits_bundle: Bundle, tmp_path: Path) -> None:
    environment = {"HOME": "", "EDGE_BENCH_CACHE": ""}
    assert edge_bench("run", digits_bundle.folder, *LIGHT, **environment).returncode == 0
    assert edge_bench("report", "results", "-o", "r.html", **environment).returncode == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["r.html", "results"]


def test_too_few_file_descriptors_are_reported_and_the_run_can_be_resumed(
    digits_bundle: Bundle, tmp_path: Path
) -> None:
    def few() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (12, 12))

    done = subprocess.run(
        command("run", digits_bundle.folder, *LIGHT, "--results", "results"), preexec_fn=few,
        env=clean_environment(tmp_path), cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert_refused(done, os.strerror(errno.EMFILE), "--resume", code=1)
    again = run_with(tmp_path, digits_bundle, "", "--resume")
    assert again.returncode == 0, again.stderr
    assert any(read_run(path).complete for path in (tmp_path / "results").iterdir())


def test_file_descriptors_above_1023_work(digits_bundle: Bundle, tmp_path: Path) -> None:
    """``select()`` does not support them."""
    wanted = 1200
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < wanted:
        pytest.skip(f"only {hard} file descriptors here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    opened: list[IO[bytes]] = []
    try:
        opened += [Path(os.devnull).open("rb") for _ in range(1100)]  # noqa: SIM115
        run, _ = measure_bundle(
            digits_bundle.folder, Selection(variants=["dynamic"], runtimes=["litert"]),
            Settings(trials=1, processes=1, limit=20), tmp_path, Silent(),
        )  # fmt: skip
    finally:
        for file in opened:
            file.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert run.complete
    assert run.results[0].failure is None


class SetsTheClockBack(Silent):
    """Sets the clock back by a day after the first trial."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.patch = patch

    def advance(self, steps: int = 1, note: str = "") -> None:
        if steps:
            yesterday = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
            for module in ("edge_bench.bench.measure.recording.recorder", "edge_bench.bench.records.run_files"):
                self.patch.setattr(f"{module}.utc_now", lambda: yesterday.isoformat(timespec="seconds"))
            self.patch.setattr("time.time", yesterday.timestamp)


def test_a_clock_that_is_set_back_during_a_run_changes_no_measurement(
    digits_bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, path = measure_bundle(
        digits_bundle.folder, Selection(variants=["dynamic"], runtimes=["litert"]),
        Settings(trials=3, processes=1, limit=20), tmp_path, SetsTheClockBack(monkeypatch),
    )  # fmt: skip
    assert run.ended < run.began, "the clock was set back"
    (result,) = read_run(path).results
    assert [trial.round for trial in result.trials] == [0, 1, 2]
    assert sorted(trial.began_ns for trial in result.trials) == [trial.began_ns for trial in result.trials]
    assert 0 < sum(trial.elapsed_ns for trial in result.trials) / 1e9 < run.wall_seconds < 600
    assert len(history(read_runs([tmp_path], Silent()))) == 1


def test_closed_standard_streams_are_opened_on_dev_null() -> None:
    """Otherwise the next file that is opened would become stdin, stdout or stderr."""
    code = (
        "import os; from edge_bench.app.cli import entry\n"
        "def opened(arguments):\n"
        "    os.write(int(os.environ['TO']), str(os.open(os.devnull, os.O_RDONLY)).encode())\n"
        "    return 0\n"
        "entry.run_command = opened\n"
        "entry.main([])"
    )
    read, write = os.pipe()
    subprocess.run(
        ["bash", "-c", f"exec {sys.executable} -c \"$CODE\" >&- 2>&- <&-"], pass_fds=[write], check=True,
        env=clean_environment(Path("/nowhere")) | {"CODE": code, "TO": str(write)},
    )  # fmt: skip
    os.close(write)
    assert int(os.read(read, 10)) > 2
    os.close(read)
