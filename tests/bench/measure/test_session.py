"""A run from the request to its file: lost results folders, --once, and Runs of several bundles in one folder."""

import shutil
import tempfile
from pathlib import Path

import msgspec
import pytest

from edge_bench.bench.errors import ResultsError
from edge_bench.bench.io.disk_space import require_run_space
from edge_bench.bench.measure.plan import Selection
from edge_bench.bench.measure.stored_runs import read_runs
from edge_bench.bench.progress import Silent
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.run import Settings
from edge_bench.bench.records.run_files import read_run, write_run
from tests.factories import measure_bundle

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


def test_once_reuses_only_a_run_of_the_same_configurations_and_settings(digits_bundle: Bundle, tmp_path: Path) -> None:
    results = tmp_path / "results"

    def once(selection: Selection, settings: Settings) -> Path:
        return measure_bundle(digits_bundle.folder, selection, settings, results, Silent(), once=True)[1]

    first = once(LIGHT, QUICK)
    assert once(LIGHT, QUICK) == first
    assert once(LIGHT, msgspec.structs.replace(QUICK, trials=2)) != first
    assert once(msgspec.structs.replace(LIGHT, variants=["int8"]), QUICK) != first
    assert len(list(results.iterdir())) == 3


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


def test_from_a_folder_with_several_bundles_only_runs_of_the_newest_are_read(
    digits_bundle: Bundle, tmp_path: Path
) -> None:
    older, older_path = measure_bundle(digits_bundle.folder, LIGHT, QUICK, tmp_path / "results", Silent())
    newer = msgspec.structs.replace(
        older, run_id="f" * 32, began="2100-01-01T00:00:00+00:00",
        bundle=msgspec.structs.replace(older.bundle, sha256="0" * 64),
    )  # fmt: skip
    path = write_run(newer, tmp_path / "results")
    progress = Listening()
    assert len(read_runs([tmp_path / "results"], progress)) == 2  # a report or a history separates them
    assert progress.messages == ""
    assert read_runs([tmp_path / "results"], progress, one_bundle=True) == [newer]
    assert older_path.name in progress.messages
    assert path.name not in progress.messages
    assert read_runs([path, *(tmp_path / "results").glob("run-20*")], Silent()).count(older) == 1


def test_a_run_that_would_not_fit_on_the_disk_is_refused_before_it_starts(tmp_path: Path) -> None:
    require_run_space(tmp_path, 10_000 * 270, 10_000 * 270)
    with pytest.raises(ResultsError) as caught:
        require_run_space(tmp_path, 10**14, 10**14)
    assert str(tmp_path) in caught.value.problem
    assert "--limit" in caught.value.remedy
