"""Two runs on one machine: each detects the other, even if it ended in between."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from edge_bench.bench.io.files import PART, remove_leftovers
from edge_bench.bench.measure.plan import Selection
from edge_bench.bench.measure.recording.run_builder import read_run_or_journal
from edge_bench.bench.measure.request import BenchmarkRequest
from edge_bench.bench.measure.session import measure
from edge_bench.bench.progress import Silent
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.journal.journal import JOURNAL
from edge_bench.bench.records.run import Run, Settings
from edge_bench.bench.records.run_files import read_run
from edge_bench.bench.system.concurrent_runs import (
    ConcurrentRunDetector,
    RunInfo,
    concurrent_runs,
    detect_concurrent_runs,
)
from tests.command_line import clean_environment

LIGHT = Selection(variants=["dynamic"], runtimes=["litert"])
QUICK = Settings(trials=3, processes=1, limit=20)
OTHER_RUN = "0ther" * 6


def run_ids(runs: Sequence[RunInfo]) -> list[str]:
    return [other.run_id for other in runs]


def test_two_runs_find_each_other_once(tmp_path: Path) -> None:
    with detect_concurrent_runs("a", "here", tmp_path) as first:
        assert first.poll() == []
        with detect_concurrent_runs("b", "there", tmp_path) as second:
            assert run_ids(second.poll()) == ["a"]
            assert run_ids(first.poll()) == ["b"]
            assert first.poll() == second.poll() == []
            assert sorted(run_ids(concurrent_runs(tmp_path))) == ["a", "b"]
    assert list(tmp_path.iterdir()) == []
    assert concurrent_runs(tmp_path) == []


def test_a_run_that_has_ended_in_between_is_found_too(tmp_path: Path) -> None:
    with detect_concurrent_runs("a", "here", tmp_path / "nowhere", tmp_path) as first:
        with detect_concurrent_runs("b", "there", tmp_path):
            pass
        (other,) = first.poll()
        assert (other.run_id, other.host, other.process) == ("b", "there", os.getpid())


def test_registry_files_of_killed_runs_are_ignored_and_removed(tmp_path: Path) -> None:
    code = (
        "import os; from pathlib import Path\n"
        "from edge_bench.bench.system.concurrent_runs import detect_concurrent_runs\n"
        f"with detect_concurrent_runs('dead', 'here', Path({str(tmp_path)!r})): os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code], env=clean_environment(tmp_path), check=False)
    assert len(list(tmp_path.glob(f".*{PART}"))) == 1
    with detect_concurrent_runs("alive", "here", tmp_path) as here:
        assert here.poll() == []
    assert concurrent_runs(tmp_path) == []
    with detect_concurrent_runs("next", "here", tmp_path):
        remove_leftovers(tmp_path)
        assert len(list(tmp_path.iterdir())) == 1, "its own file, which is locked, stays"


def test_runs_of_another_machine_in_a_network_folder_are_ignored(tmp_path: Path) -> None:
    second = ConcurrentRunDetector(RunInfo(run_id="b", process=1, host="there", boot="another kernel"))
    with detect_concurrent_runs("a", "here", tmp_path) as first:
        second.register([tmp_path])
        try:
            assert len(list(tmp_path.iterdir())) == 2
            assert second.poll() == first.poll() == []
        finally:
            second.unregister()


def test_invalid_registry_files_are_ignored(tmp_path: Path) -> None:
    for number, content in enumerate((b"", b"hello", b"[" * 5000, bytes(2 << 20))):
        (tmp_path / f".measuring.{number}{PART}").write_bytes(content)
    (tmp_path / f".measuring.link{PART}").symlink_to(tmp_path / "elsewhere")
    os.mkfifo(tmp_path / f".measuring.pipe{PART}")
    with detect_concurrent_runs("a", "here", tmp_path) as here:
        assert here.poll() == []
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.skipif(os.getuid() != 0, reason="needs root, to be somebody else")
def test_runs_of_different_users_find_each_other(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    shared = Path(tempfile.mkdtemp())  # tmp_path is in a folder that only root may enter
    request.addfinalizer(lambda: shutil.rmtree(shared))
    shared.chmod(0o1777)
    code = (
        "import os\nfrom pathlib import Path\n"
        "from edge_bench.bench.system.concurrent_runs import detect_concurrent_runs\n"
        "os.setgid(12345)\nos.setuid(12345)\n"
        f"with detect_concurrent_runs('other', 'there', Path({str(shared)!r})) as here:\n"
        "    print([other.run_id for other in here.poll()])\n"
    )
    with detect_concurrent_runs("mine", "here", shared) as here:
        done = subprocess.run(
            [sys.executable, "-c", code], env=clean_environment(tmp_path), capture_output=True, text=True, check=False
        )
        assert done.stdout == "['mine']\n", done.stderr
        assert run_ids(here.poll()) == ["other"]


class Disturbs(Silent):
    """Another run starts and ends after the first trial of the one that reports its progress here."""

    def __init__(self, results: Path) -> None:
        self.results, self.done = results, 0

    def advance(self, steps: int = 1, note: str = "") -> None:
        self.done += steps
        if steps and self.done == 1:
            with detect_concurrent_runs(OTHER_RUN, "elsewhere", self.results):
                pass
        if self.done == 2:
            raise KeyboardInterrupt


@pytest.mark.slow
def test_a_concurrent_run_is_recorded_even_after_an_interruption_and_a_resume(
    digits_bundle: Bundle, tmp_path: Path
) -> None:
    request = BenchmarkRequest.from_bundle(digits_bundle.folder, LIGHT, QUICK, Silent())
    run, _ = measure(request, tmp_path, Disturbs(tmp_path))
    assert findings_about(OTHER_RUN, run) == 1
    (journal,) = tmp_path.glob(f"*{JOURNAL}")
    assert findings_about(OTHER_RUN, read_run_or_journal(journal)) == 1, "on disk already"
    whole, path = measure(request, tmp_path, Silent(), resume=True)
    assert whole.complete
    assert findings_about(OTHER_RUN, read_run(path)) == 1
    assert whole.trusted is False


@pytest.mark.slow
def test_two_concurrent_runs_record_each_other(digits_bundle: Bundle, tmp_path: Path) -> None:
    """They have different results folders, and share only the machine's runtime folder."""

    class Second(Silent):
        found: Run | None = None

        def advance(self, steps: int = 1, note: str = "") -> None:
            if self.found is None and steps:
                once = msgspec.structs.replace(QUICK, trials=1)
                request = BenchmarkRequest.from_bundle(digits_bundle.folder, LIGHT, once, Silent())
                self.found, _ = measure(request, tmp_path / "second", Silent())

    second = Second()
    request = BenchmarkRequest.from_bundle(digits_bundle.folder, LIGHT, QUICK, Silent())
    first, _ = measure(request, tmp_path / "first", second)
    assert second.found is not None
    assert findings_about(second.found.run_id, first) == 1
    assert findings_about(first.run_id, second.found) == 1


def findings_about(other_run: str, run: Run) -> int:
    """Return the number of findings that another run makes this one unreliable."""
    return sum(finding.spoils and other_run[:8] in finding.what for finding in run.findings)
