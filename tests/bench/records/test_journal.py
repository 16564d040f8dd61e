"""No finished trial is lost: truncated and damaged journals, a full disk, and resumed runs."""

import errno
import os
import shutil
from pathlib import Path

import msgspec
import pytest

from edge_bench.bench.errors import BadInput, ResultsError
from edge_bench.bench.measure.plan import Selection
from edge_bench.bench.measure.recording.run_builder import read_run_or_journal
from edge_bench.bench.measure.stored.reading import read_runs
from edge_bench.bench.progress import Silent
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.journal.entries import TrialMade
from edge_bench.bench.records.journal.journal import JOURNAL, Journal, read_journal
from edge_bench.bench.records.run import Run, Settings
from edge_bench.bench.records.run_files import read_run
from tests.factories import measure_bundle

pytestmark = pytest.mark.usefixtures("measure_here")
SELECTION = Selection(variants=["dynamic", "int8"], runtimes=["litert"])
SETTINGS = Settings(trials=6, processes=3, limit=60)


class StopAfter(Silent):
    """Ctrl-C after a number of trials."""

    def __init__(self, trials: int) -> None:
        self.left = trials

    def advance(self, steps: int = 1, note: str = "") -> None:
        self.left -= steps
        if self.left <= 0 and steps:
            self.left = 10**9
            raise KeyboardInterrupt


def measured(bundle: Bundle, folder: Path, progress: Silent | None = None, *, resume: bool = False) -> tuple[Run, Path]:
    return measure_bundle(bundle.folder, SELECTION, SETTINGS, folder, progress or Silent(), resume=resume)


@pytest.fixture(scope="module")
def interrupted(digits_bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run that was interrupted after five trials, in the second generation, within a round."""
    folder = tmp_path_factory.mktemp("interrupted")
    run, _ = measured(digits_bundle, folder, StopAfter(5))
    assert not run.complete
    return folder


@pytest.fixture
def stopped(interrupted: Path, tmp_path: Path) -> Path:
    """A copy of that folder, which the test may change."""
    return Path(shutil.copytree(interrupted, tmp_path, dirs_exist_ok=True))


def journal_in(folder: Path) -> Path:
    (path,) = folder.glob(f"*{JOURNAL}")
    return path


def assert_whole(run: Run) -> None:
    """Assert that every trial of the schedule is there once, in the right rounds."""
    assert run.complete
    places = sorted(trial.sequence_number for result in run.results for trial in result.trials)
    assert places == list(range(12))
    for result in run.results:
        assert len(result.trials) == 6
        assert sorted(trial.round for trial in result.trials) == [0, 0, 0, 1, 1, 1]
        assert {trial.passes for trial in result.trials} == {result.trials[0].passes}
        assert {record.index for record in result.processes} >= {trial.process for trial in result.trials}


@pytest.mark.slow
def test_a_complete_run_leaves_its_file_and_no_journal(digits_bundle: Bundle, tmp_path: Path) -> None:
    run, path = measured(digits_bundle, tmp_path)
    assert_whole(run)
    assert [each.name for each in tmp_path.iterdir()] == [path.name]
    assert read_run(path) == run


def test_an_interrupted_run_is_on_disk_and_reads_as_incomplete(stopped: Path) -> None:
    run = read_run_or_journal(journal_in(stopped))
    assert sum(len(result.trials) for result in run.results) == 5
    assert not run.complete
    assert run.trusted is False
    (whole,) = (read_run(path) for path in stopped.glob("*.json"))
    assert whole.results == run.results
    assert read_runs([journal_in(stopped)], Silent()) == [run]


@pytest.mark.slow
def test_resume_measures_only_missing_trials(digits_bundle: Bundle, stopped: Path) -> None:
    before = read_run_or_journal(journal_in(stopped))
    run, path = measured(digits_bundle, stopped, resume=True)
    assert_whole(run)
    assert run.run_id == before.run_id
    for was, now in zip(before.results, run.results, strict=True):
        assert now.trials[: len(was.trials)] == was.trials
    assert [each.name for each in stopped.iterdir()] == [path.name]


@pytest.mark.slow
def test_a_run_can_be_interrupted_and_resumed_repeatedly(digits_bundle: Bundle, tmp_path: Path) -> None:
    sittings = 0
    while True:
        run, _ = measured(digits_bundle, tmp_path, StopAfter(3), resume=True)
        sittings += 1
        if run.complete:
            break
        assert sittings < 20
    assert sittings > 3
    assert_whole(run)


@pytest.mark.slow
def test_resume_with_other_options_starts_a_new_run(digits_bundle: Bundle, stopped: Path) -> None:
    messages: list[str] = []

    class Listening(Silent):
        def say(self, message: str) -> None:
            messages.append(message)

    other = msgspec.structs.replace(SETTINGS, seed=7)
    run, _ = measure_bundle(digits_bundle.folder, SELECTION, other, stopped, Listening(), resume=True)
    assert any(str(stopped) in message for message in messages)
    assert_whole(run)
    assert run.run_id != read_run_or_journal(journal_in(stopped)).run_id, "the unfinished run stays"


@pytest.mark.slow
def test_a_damaged_line_and_all_later_ones_are_dropped(digits_bundle: Bundle, stopped: Path) -> None:
    path = journal_in(stopped)
    content, (_, entries) = path.read_bytes(), read_journal(path)
    last = content.rindex(b"\n", 0, len(content) - 1) + 1
    for cut in (last + 1, (last + len(content)) // 2, len(content) - 1):
        path.write_bytes(content[:cut])
        assert read_journal(path)[1] == entries[:-1]
    middle = content.index(b"\n", len(content) // 2) + 20
    path.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
    kept = read_journal(path)[1]
    assert 0 < len(kept) < len(entries)
    assert kept == entries[: len(kept)]
    run, _ = measured(digits_bundle, stopped, resume=True)
    assert_whole(run)


@pytest.mark.parametrize("content", [b"", b"hello\n", b"00000000 {}\n", bytes(1000)])
def test_an_invalid_journal_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / f"run-x{JOURNAL}"
    path.write_bytes(content)
    with pytest.raises(ResultsError) as caught:
        read_run_or_journal(path)
    assert path.name in caught.value.problem


@pytest.mark.slow
def test_a_run_that_is_still_measuring_cannot_be_resumed(digits_bundle: Bundle, stopped: Path) -> None:
    journal, _, _ = Journal.reopen(journal_in(stopped))
    with journal, pytest.raises(BadInput) as caught:
        measured(digits_bundle, stopped, resume=True)
    assert str(journal.path) in caught.value.problem


@pytest.mark.slow
def test_a_full_disk_stops_the_run_and_keeps_its_trials(
    digits_bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append, trials = Journal.append, 0

    def full(self: Journal, entry: object) -> None:
        nonlocal trials
        trials += isinstance(entry, TrialMade)
        if trials > 4:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        append(self, entry)  # type: ignore[arg-type]

    monkeypatch.setattr(Journal, "append", full)
    run, path = measured(digits_bundle, tmp_path)
    assert not run.complete
    assert os.strerror(errno.ENOSPC) in run.stopped
    assert sum(len(result.trials) for result in read_run(path).results) == 5
    monkeypatch.undo()
    resumed, _ = measured(digits_bundle, tmp_path, resume=True)
    assert_whole(resumed)
