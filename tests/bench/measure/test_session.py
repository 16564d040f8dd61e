"""A run from the request to its file: lost results folders, --once, and Runs of several bundles in one folder."""

import shutil
import tempfile
from pathlib import Path

import msgspec
import pytest

from edge_bench.bench.analysis.labels.same_images import image_difference
from edge_bench.bench.errors import BadInput, ResultsError
from edge_bench.bench.io.disk_space import require_run_space
from edge_bench.bench.io.record_codec import encode_record
from edge_bench.bench.measure.plan import Selection
from edge_bench.bench.measure.stored.reading import model_difference, read_runs, runs_elsewhere
from edge_bench.bench.progress import Silent
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.journal.journal import JOURNAL, Journal
from edge_bench.bench.records.run import Run, Settings
from edge_bench.bench.records.run_files import read_run, write_run
from tests.factories import machine, measure_bundle, result, run

pytestmark = pytest.mark.usefixtures("measure_here")
QUICK = Settings(trials=1, processes=1, limit=20)
LIGHT = Selection(variants=["dynamic"], runtimes=["litert"])


class Listening(Silent):
    """Keeps all messages."""

    messages = ""

    def say(self, message: str) -> None:
        self.messages += message


class ReplacesTheFolder(Listening):
    """Replaces the results folder with a file as soon as measuring begins."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def start(self, what: str, steps: int, done: int = 0) -> None:
        shutil.rmtree(self.folder)
        self.folder.write_text("in the way")


class NeverStarts(Silent):
    def start(self, what: str, steps: int, done: int = 0) -> None:
        raise AssertionError("a measurement has begun")


def test_trials_are_kept_if_the_results_folder_disappears(
    digits_bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    progress = ReplacesTheFolder(tmp_path / "results")
    run, path = measure_bundle(digits_bundle.folder, LIGHT, QUICK, tmp_path / "results", progress)
    assert path.parent == tmp_path / "temporary"
    assert read_run(path) == run
    assert len(run.results[0].trials) == 1
    assert str(path) in progress.messages


def test_an_unwritable_results_folder_is_refused_before_measuring(digits_bundle: Bundle, tmp_path: Path) -> None:
    (tmp_path / "results").write_text("in the way")
    with pytest.raises(ResultsError) as caught:
        measure_bundle(digits_bundle.folder, LIGHT, QUICK, tmp_path / "results", NeverStarts())
    assert str(tmp_path / "results") in caught.value.problem
    assert "--results" in caught.value.remedy


@pytest.mark.slow
def test_once_reuses_only_a_run_of_the_same_configurations_and_settings(digits_bundle: Bundle, tmp_path: Path) -> None:
    results = tmp_path / "results"

    def once(selection: Selection, settings: Settings) -> Path:
        return measure_bundle(digits_bundle.folder, selection, settings, results, Silent(), once=True)[1]

    first = once(LIGHT, QUICK)
    assert once(LIGHT, QUICK) == first
    assert once(LIGHT, msgspec.structs.replace(QUICK, trials=2)) != first
    assert once(msgspec.structs.replace(LIGHT, variants=["int8"]), QUICK) != first
    assert len(list(results.iterdir())) == 3


@pytest.mark.slow
def test_once_compares_only_explicit_options(digits_bundle: Bundle, tmp_path: Path) -> None:
    _, first = measure_bundle(digits_bundle.folder, LIGHT, QUICK, tmp_path, Silent())

    def once(selection: Selection, settings: Settings, *explicit_options: str) -> bool:
        return (
            measure_bundle(
                digits_bundle.folder,
                selection,
                settings,
                tmp_path,
                Silent(),
                once=True,
                explicit_options=explicit_options,
            )[1]
            == first
        )

    assert once(Selection(runtimes=["litert"]), Settings(), "once", "runtime")
    assert once(LIGHT, msgspec.structs.replace(QUICK, seed=1), "variant", "trials")
    assert not once(Selection(variants=["int8"], runtimes=["litert"]), QUICK, "variant")


def test_only_runs_comparable_with_the_newest_are_read_from_a_folder(digits_bundle: Bundle, tmp_path: Path) -> None:
    older, older_path = measure_bundle(digits_bundle.folder, LIGHT, QUICK, tmp_path / "results", Silent())
    newer = msgspec.structs.replace(
        older, run_id="f" * 32, began="2100-01-01T00:00:00+00:00",
        bundle=msgspec.structs.replace(older.bundle, sha256="0" * 64),
    )  # fmt: skip
    path = write_run(newer, tmp_path / "results")
    progress = Listening()
    assert len(read_runs([tmp_path / "results"], progress)) == 2  # a report or a history separates them
    assert len(read_runs([tmp_path / "results"], progress, other_than=image_difference)) == 2  # of the same images
    assert progress.messages == ""
    assert read_runs([tmp_path / "results"], progress, other_than=model_difference) == [newer]
    assert older_path.name in progress.messages
    assert path.name not in progress.messages
    assert read_runs([path, *(tmp_path / "results").glob("run-20*")], Silent()).count(older) == 1


def test_runs_of_other_machines_are_the_newest_of_the_same_model_and_the_others_are_named(tmp_path: Path) -> None:
    def stored(name: str, run_id: str, whole: Run, **changes: object) -> Run:
        kept = msgspec.structs.replace(whole, run_id=run_id * 32, **changes)
        (tmp_path / f"run-{name}.json").write_bytes(encode_record(kept))
        return kept

    pi = machine(hostname="pi", architecture="aarch64")
    here, there = run(result("dynamic", "litert", 1.0)), run(result("dynamic", "litert", 3.0), on=pi)
    own = stored("1-own", "0", here)
    stored("2-earlier", "1", there, began="2026-01-01T00:00:00+00:00")
    newest = stored("3-newest", "2", there, began="2026-01-02T00:00:00+00:00")
    stored("4-model", "3", run(result("dynamic", "litert", 3.0), on=pi, bundle="another"))
    stored("5-interrupted", "4", there, complete=False)
    stored("6-here", "5", here)
    (tmp_path / "run-7-damaged.json").write_text("not a run")
    progress = Listening()
    assert runs_elsewhere(str(tmp_path), own, progress) == [newest]
    for left_out in ("2-earlier", "4-model", "5-interrupted", "6-here", "7-damaged"):
        assert progress.messages.count(left_out) == 1
    assert "1-own" not in progress.messages
    assert "3-newest" not in progress.messages
    assert runs_elsewhere(str(tmp_path / "nowhere"), own, progress) == []
    assert "nowhere" in progress.messages
    assert runs_elsewhere(None, own, progress) == []


def test_a_run_that_would_not_fit_on_the_disk_is_refused_before_it_starts(tmp_path: Path) -> None:
    require_run_space(tmp_path, 10_000 * 270, 10_000 * 270)
    with pytest.raises(ResultsError) as caught:
        require_run_space(tmp_path, 10**14, 10**14)
    assert str(tmp_path) in caught.value.problem
    assert "--limit" in caught.value.remedy


def stored_runs(folder: Path, count: int) -> list[Path]:
    folder.mkdir()
    return [
        write_run(msgspec.structs.replace(run(result("dynamic", "litert", 1.0)), run_id=f"{number:08}"), folder)
        for number in range(count)
    ]


def test_a_damaged_file_in_a_folder_is_left_out_only_on_request(tmp_path: Path) -> None:
    first, second, third = stored_runs(tmp_path / "results", 3)
    second.write_bytes(second.read_bytes()[:-100])
    with pytest.raises(ResultsError) as caught:
        read_runs([tmp_path / "results"], Silent())
    assert str(second) in caught.value.problem
    assert "remove" in caught.value.remedy
    progress = Listening()
    found = read_runs([tmp_path / "results"], progress, without_damaged=True)
    assert [each.run_id for each in found] == ["00000000", "00000002"]
    assert second.name in progress.messages
    with pytest.raises(ResultsError):
        read_runs([second], Silent(), without_damaged=True)
    for path in (first, third):
        path.write_text("{")
    with pytest.raises(ResultsError):
        read_runs([tmp_path / "results"], Silent(), without_damaged=True)


def test_a_run_counts_once_whatever_its_files_are_called(tmp_path: Path) -> None:
    first, second = stored_runs(tmp_path / "results", 2)
    copy = Path(shutil.copy(first, tmp_path / "results" / "run-copy.json"))
    elsewhere = Path(shutil.copy(second, tmp_path / "second.json"))
    progress = Listening()
    found = read_runs([tmp_path / "results", elsewhere], progress)
    assert [each.run_id for each in found] == ["00000000", "00000001"]
    assert copy.name in progress.messages
    assert elsewhere.name in progress.messages


def test_of_two_files_of_a_run_the_one_with_more_trials_is_read(tmp_path: Path) -> None:
    whole = run(result("dynamic", "litert", 1.0))
    fewer = [msgspec.structs.replace(each, trials=each.trials[:-1]) for each in whole.results]
    for name, each in (("a", msgspec.structs.replace(whole, results=fewer)), ("b", whole)):
        (tmp_path / f"{name}.json").write_bytes(encode_record(each))
    for order in ("ab", "ba"):
        assert read_runs([tmp_path / f"{name}.json" for name in order], Silent()) == [whole]


@pytest.mark.slow
def test_a_run_that_is_being_measured_is_not_unfinished(digits_bundle: Bundle, tmp_path: Path) -> None:
    class Interrupts(Silent):
        def advance(self, steps: int = 1, note: str = "") -> None:
            if steps:
                raise KeyboardInterrupt

    settings = msgspec.structs.replace(QUICK, trials=2)
    first, path = measure_bundle(digits_bundle.folder, LIGHT, settings, tmp_path, Interrupts())
    assert not first.complete
    journal, _, _ = Journal.reopen(path.with_suffix(JOURNAL))  # as a command does that measures
    with journal:
        with pytest.raises(BadInput) as caught:
            measure_bundle(digits_bundle.folder, LIGHT, settings, tmp_path, NeverStarts(), resume=True)
        assert str(journal.path) in caught.value.problem
        progress = Listening()
        other, _ = measure_bundle(digits_bundle.folder, LIGHT, settings, tmp_path, progress)
        assert other.complete
        assert "--resume" not in progress.messages
    resumed, _ = measure_bundle(digits_bundle.folder, LIGHT, settings, tmp_path, Silent(), resume=True)
    assert (resumed.run_id, resumed.complete) == (first.run_id, True)
