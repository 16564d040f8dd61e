"""Several Runs of one request: groups, interruptions, --resume and --once."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge_bench.bench.errors import BadInput, ResultsError
from edge_bench.bench.io.record_codec import encode_record
from edge_bench.bench.measure.plan import Selection
from edge_bench.bench.measure.repeats import Repeats, measure_repeats
from edge_bench.bench.measure.request import BenchmarkRequest
from edge_bench.bench.measure.schedule import schedule
from edge_bench.bench.progress import Progress, Silent
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.journal.journal import JOURNAL, Journal
from edge_bench.bench.records.run import Run, Settings
from edge_bench.bench.records.run_files import read_run
from tests.factories import measure_bundle

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("measure_here")]

QUICK = Settings(trials=2, processes=1, limit=20)
LIGHT = Selection(variants=["dynamic"], runtimes=["litert"])


class InterruptsTask(Silent):
    """Presses Ctrl-C at the beginning of a task, or after its first step."""

    def __init__(self, task: int, *, after_a_step: bool = False) -> None:
        self.tasks: list[str] = []
        self._task, self._after_a_step = task, after_a_step

    def start(self, what: str, steps: int, done: int = 0) -> None:
        self.tasks.append(what)
        if len(self.tasks) == self._task and not self._after_a_step:
            raise KeyboardInterrupt

    def advance(self, steps: int = 1, note: str = "") -> None:
        if steps and len(self.tasks) == self._task and self._after_a_step:
            raise KeyboardInterrupt


class Counts(Silent):
    """Counts the runs that are measured."""

    def __init__(self) -> None:
        self.tasks: list[str] = []

    def start(self, what: str, steps: int, done: int = 0) -> None:
        self.tasks.append(what)


class Says(Silent):
    """Keeps all messages."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def say(self, message: str) -> None:
        self.messages.append(message)


Repeat = Callable[..., Repeats]


@pytest.fixture
def repeat(digits_bundle: Bundle, tmp_path: Path) -> Repeat:
    """Make Runs of the bundle in a folder of their own."""

    def run(
        count: int, progress: Progress | None = None, *, settings: Settings = QUICK, where: str = "results", **how: Any
    ) -> Repeats:
        request = BenchmarkRequest.from_bundle(digits_bundle.folder, LIGHT, settings, Silent())
        return measure_repeats(request, tmp_path / where, progress or Silent(), count, **how)

    return run


def numbers(repeats: Repeats) -> list[int]:
    return [run.repeat for run in repeats.finished]


def trials(run: Run) -> int:
    return len(run.results[0].trials)


def test_repeats_are_whole_runs_of_one_group(repeat: Repeat, tmp_path: Path) -> None:
    progress = Counts()
    repeats = repeat(3, progress)
    assert (repeats.count, repeats.interrupted, repeats.error) == (3, False, None)
    assert numbers(repeats) == [1, 2, 3]
    assert [trials(run) for run in repeats.finished] == [2, 2, 2]
    assert len(progress.tasks) == 3
    assert all(f"{number} of 3" in task for number, task in enumerate(progress.tasks, 1))
    assert len({run.repeat_group for run in repeats.finished}) == 1
    assert repeats.finished[0].repeat_group
    assert len({run.run_id for run in repeats.finished}) == 3
    assert [run.images for run in repeats.finished] == [repeats.finished[0].images] * 3
    assert [run.settings for run in repeats.finished] == [QUICK] * 3
    assert {path for _, path in repeats.stored} == set((tmp_path / "results").iterdir())
    assert [read_run(path) for _, path in repeats.stored] == repeats.finished


def test_a_single_run_has_no_group(digits_bundle: Bundle, tmp_path: Path) -> None:
    run, _ = measure_bundle(digits_bundle.folder, LIGHT, QUICK, tmp_path, Silent())
    assert (run.repeat_group, run.repeat) == ("", 0)


@pytest.mark.parametrize("after_a_step", [False, True])
def test_an_interrupted_group_keeps_its_finished_runs_and_can_be_completed(
    repeat: Repeat, tmp_path: Path, *, after_a_step: bool
) -> None:
    first = repeat(3, InterruptsTask(2, after_a_step=after_a_step))
    assert first.interrupted
    assert numbers(first) == [1]
    assert [run.repeat for run, _ in first.stored if not run.complete] == ([2] if after_a_step else [])
    (journal,) = (tmp_path / "results").glob(f"*{JOURNAL}")

    progress = Counts()
    second = repeat(3, progress, resume=True)
    assert numbers(second) == [1, 2, 3]
    assert len(progress.tasks) == 2
    assert second.finished[0] == first.finished[0]
    assert second.stored[1][1] == journal.with_suffix(".json")
    assert {run.repeat_group for run in second.finished} == {first.finished[0].repeat_group}
    assert [trials(run) for run in second.finished] == [2, 2, 2]
    assert {path for _, path in second.stored} == set((tmp_path / "results").iterdir())


def test_an_interruption_of_the_first_run_leaves_no_finished_run(repeat: Repeat) -> None:
    with pytest.raises(KeyboardInterrupt):
        repeat(2, InterruptsTask(1))
    interrupted = repeat(2, InterruptsTask(1, after_a_step=True), resume=True)
    assert interrupted.interrupted
    assert interrupted.finished == []
    assert [(run.repeat, trials(run)) for run, _ in interrupted.stored] == [(1, 1)]


def test_a_larger_number_with_resume_adds_runs_to_a_finished_group(repeat: Repeat) -> None:
    first, second = repeat(2), repeat(3, resume=True)
    assert numbers(second) == [1, 2, 3]
    assert second.finished[:2] == first.finished
    progress = Counts()
    assert repeat(2, progress, resume=True).stored == second.stored
    assert progress.tasks == []


@pytest.mark.parametrize("after_a_step", [False, True])
def test_resume_with_a_smaller_number_is_satisfied_by_an_interrupted_group(
    repeat: Repeat, tmp_path: Path, *, after_a_step: bool
) -> None:
    first = repeat(4, InterruptsTask(3, after_a_step=after_a_step))
    for count in (2, 1):
        progress = Counts()
        again = repeat(count, progress, resume=True)
        assert numbers(again) == [1, 2]
        assert again.finished == first.finished
        assert (again.interrupted, progress.tasks) == (False, [])
    assert list((tmp_path / "results").glob(f"*{JOURNAL}"))  # the third run can still be continued
    assert numbers(repeat(3, resume=True)) == [1, 2, 3]


def test_a_group_that_is_being_measured_is_not_unfinished(repeat: Repeat, tmp_path: Path) -> None:
    repeat(3, InterruptsTask(2, after_a_step=True))
    (path,) = (tmp_path / "results").glob(f"*{JOURNAL}")
    journal, _, _ = Journal.reopen(path)  # as a command does that measures
    with journal:
        for count in (1, 3):
            with pytest.raises(BadInput) as caught:
                repeat(count, resume=True)
            assert str(path) in caught.value.problem
        progress = Says()
        other = repeat(2, progress)
        assert not any("--resume" in message for message in progress.messages)
    progress = Says()
    repeat(2, progress, settings=QUICK, once=False)
    assert any(str(path) in message and "--resume" in message for message in progress.messages)
    group = other.finished[0].repeat_group
    assert group not in {run.repeat_group for run in repeat(3, resume=True).finished}


def test_a_journal_whose_run_ends_meanwhile_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        Journal.reopen(tmp_path / f"run-1{JOURNAL}")


def test_resume_adds_nothing_to_a_group_with_other_settings_or_to_a_single_run(
    repeat: Repeat, digits_bundle: Bundle, tmp_path: Path
) -> None:
    single, _ = measure_bundle(digits_bundle.folder, LIGHT, QUICK, tmp_path / "results", Silent())
    first = repeat(2, InterruptsTask(2))
    other = repeat(2, resume=True, settings=msgspec.structs.replace(QUICK, trials=1))
    assert other.finished[0].repeat_group != first.finished[0].repeat_group
    assert single.run_id not in {run.run_id for run in other.finished}


def test_resume_after_a_kill_at_the_very_end_finds_all_runs(repeat: Repeat, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as killed:
        killed.setattr(Journal, "remove", lambda journal: None)
        first = repeat(2)
    assert len(list((tmp_path / "results").glob(f"*{JOURNAL}"))) == 2
    assert repeat(2, resume=True).stored == first.stored
    assert {path for _, path in first.stored} == set((tmp_path / "results").iterdir())


def test_once_reuses_a_group_with_as_many_runs_or_more(repeat: Repeat) -> None:
    first = repeat(3)
    again = Counts()
    for count in (2, 3):
        reused = repeat(count, again, once=True)
        assert (reused.stored, reused.count) == (first.stored, 3)
    assert again.tasks == []
    more = repeat(4, once=True)
    assert numbers(more) == [1, 2, 3, 4]
    assert more.finished[0].repeat_group != first.finished[0].repeat_group


def test_once_does_not_take_single_or_interrupted_runs_for_a_group(
    repeat: Repeat, digits_bundle: Bundle, tmp_path: Path
) -> None:
    for _ in range(2):
        measure_bundle(digits_bundle.folder, LIGHT, QUICK, tmp_path / "results", Silent())
    repeat(2, InterruptsTask(2, after_a_step=True))
    progress = Counts()
    assert numbers(repeat(2, progress, once=True)) == [1, 2]
    assert len(progress.tasks) == 2


def test_once_puts_only_runs_of_the_same_settings_and_images_into_a_group(repeat: Repeat, tmp_path: Path) -> None:
    group = repeat(1).finished[0].repeat_group
    other = repeat(2, settings=msgspec.structs.replace(QUICK, limit=10))
    forged = msgspec.structs.replace(other.finished[1], repeat_group=group)
    other.stored[1][1].write_bytes(encode_record(forged))
    progress = Counts()
    repeat(2, progress, once=True, explicit_options={"trials"})
    assert len(progress.tasks) == 2


def test_an_error_between_two_runs_keeps_the_finished_ones(repeat: Repeat, tmp_path: Path) -> None:
    class ReplacesTheFolder(Silent):
        """Replaces the results folder by a file when the first run has been measured."""

        def finish(self, note: str = "") -> None:
            results = tmp_path / "results"
            if results.is_dir():
                results.rename(tmp_path / "moved")
                results.write_text("in the way")

    repeats = repeat(3, ReplacesTheFolder())
    assert isinstance(repeats.error, ResultsError)
    assert numbers(repeats) == [1]
    repeats.stored[0][1].unlink()  # in the system's temporary folder


def test_the_order_of_trials_differs_between_repeats(digits_bundle: Bundle, tmp_path: Path) -> None:
    selection = Selection(variants=["dynamic", "float32", "int8"], runtimes=["litert"])
    request = BenchmarkRequest.from_bundle(digits_bundle.folder, selection, QUICK, Silent())
    orders = []
    for run in measure_repeats(request, tmp_path, Silent(), 2).finished:
        made = {trial.sequence_number: n for n, result in enumerate(run.results) for trial in result.trials}
        orders.append([made[number] for number in sorted(made)])
    single = [number for generation in schedule(3, 2, 1, QUICK.seed) for order in generation.rounds for number in order]
    assert orders[0] == single
    assert orders[1] != single
