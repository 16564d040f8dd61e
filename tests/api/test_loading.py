"""Runs from files, folders and journals."""

import logging
from pathlib import Path

import msgspec
import pytest

import edge_bench
from edge_bench.bench.records.journal.journal import JOURNAL, Journal
from edge_bench.bench.records.run_files import write_run
from tests.factories import result, run


def test_runs_from_files_and_folders_have_their_paths(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    made = [run(result("keras", "tensorflow", seconds)) for seconds in (1.0, 2.0)]
    paths = [write_run(each, tmp_path) for each in made]
    assert [each.path for each in edge_bench.load(tmp_path)] == sorted(paths)
    assert [each.record for each in edge_bench.load([str(paths[1]), paths[0]])] == [made[1], made[0]]
    copy = tmp_path / "copy.json"
    copy.write_bytes(paths[0].read_bytes())
    with caplog.at_level(logging.WARNING, "edge_bench"):
        assert len(edge_bench.load([tmp_path, copy])) == 2
    assert len(caplog.records) == 1


def test_a_journal_is_an_incomplete_run(tmp_path: Path) -> None:
    begun = run(msgspec.structs.replace(result("keras", "tensorflow", 1.0), trials=[], predictions=None))
    with Journal.create(tmp_path / f"run-x{JOURNAL}", begun) as journal:
        (loaded,) = edge_bench.load(journal.path)
    assert not loaded.complete
    assert loaded.configurations == ["keras/tensorflow/1/1"]
    with pytest.raises(edge_bench.BadInput):
        loaded.trials()


def test_files_that_are_no_runs_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing.json"):
        with pytest.raises(edge_bench.ResultsError) as refused:
            edge_bench.load(path)
        assert refused.value.remedy in refused.value.__notes__
    (tmp_path / "run-damaged.json").write_text("{}")
    with pytest.raises(edge_bench.ResultsError):
        edge_bench.load(tmp_path)


def test_only_runs_are_compared() -> None:
    with pytest.raises(TypeError, match="str"):
        edge_bench.compare(["run.json"])  # type: ignore[list-item]
    with pytest.raises(TypeError, match="int"):
        edge_bench.compare([], baseline=3)  # type: ignore[arg-type]
