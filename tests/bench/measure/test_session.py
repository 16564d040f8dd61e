"""What becomes of a Run when its folder goes away while it is being made."""

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

QUICK = Settings(trials=2, processes=1, limit=20)
LIGHT = Selection(variants=["dynamic"], runtimes=["litert"])


class SpoilsTheFolder(Silent):
    """Puts a file where the results folder was, as soon as measuring begins."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.said = folder, ""

    def start(self, what: str, steps: int, done: int = 0) -> None:
        shutil.rmtree(self.folder)
        self.folder.write_text("in the way")

    def say(self, message: str) -> None:
        self.said += message


def test_a_results_folder_that_goes_away_while_measuring_loses_nothing(
    digits_bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    progress = SpoilsTheFolder(tmp_path / "results")
    run, path = measure_bundle(digits_bundle.folder, LIGHT, QUICK, tmp_path / "results", progress)
    assert path.parent == tmp_path / "temporary"
    assert read_run(path) == run
    assert len(run.results[0].trials) == 2
    assert str(path) in progress.said


def test_a_results_folder_that_cannot_be_written_is_found_before_anything_is_measured(
    digits_bundle: Bundle, tmp_path: Path
) -> None:
    (tmp_path / "results").write_text("in the way")
    with pytest.raises(ResultsError, match="cannot be written"):
        measure_bundle(digits_bundle.folder, LIGHT, QUICK, tmp_path / "results", Silent())


def test_once_finds_the_run_of_this_bundle_and_measures_whatever_is_not_the_same(
    digits_bundle: Bundle, tmp_path: Path
) -> None:
    results = tmp_path / "results"

    def once(selection: Selection, settings: Settings) -> Path:
        return measure_bundle(digits_bundle.folder, selection, settings, results, Silent(), once=True)[1]

    first = once(LIGHT, QUICK)
    assert once(LIGHT, QUICK) == first
    assert once(LIGHT, msgspec.structs.replace(QUICK, trials=3)) != first
    assert once(msgspec.structs.replace(LIGHT, variants=["int8"]), QUICK) != first
    assert len(list(results.iterdir())) == 3


def test_once_asks_only_for_what_was_stated(digits_bundle: Bundle, tmp_path: Path) -> None:
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
    assert once(LIGHT, msgspec.structs.replace(QUICK, trials=2, seed=1), "variant", "trials")
    assert not once(Selection(variants=["int8"], runtimes=["litert"]), QUICK, "variant")


def test_of_a_folder_with_runs_of_several_bundles_the_newest_runs_bundle_counts(
    digits_bundle: Bundle, tmp_path: Path
) -> None:
    older, _ = measure_bundle(digits_bundle.folder, LIGHT, QUICK, tmp_path / "results", Silent())
    newer = msgspec.structs.replace(
        older, run_id="f" * 32, began="2100-01-01T00:00:00+00:00",
        bundle=msgspec.structs.replace(older.bundle, sha256="0" * 64),
    )  # fmt: skip
    path = write_run(newer, tmp_path / "results")
    progress = SpoilsTheFolder(tmp_path)
    assert len(read_runs([tmp_path / "results"], progress)) == 2  # a report or a history shows them apart
    assert progress.said == ""
    assert read_runs([tmp_path / "results"], progress, one_bundle=True) == [newer]
    assert "1 Runs of other bundles" in progress.said
    assert read_runs([path, *(tmp_path / "results").glob("run-20*")], Silent()).count(older) == 1


def test_a_run_that_would_not_fit_on_the_disk_is_refused_before_it_starts(tmp_path: Path) -> None:
    require_run_space(tmp_path, 10_000 * 270, 10_000 * 270)
    with pytest.raises(ResultsError, match="MB are free"):
        require_run_space(tmp_path, 10**14, 10**14)
