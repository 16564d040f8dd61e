"""Files that anybody may put into folders that all users share: registry files of runs, and the cache."""

import fcntl
import json
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from edge_bench.bench.errors import EdgeBenchError
from edge_bench.bench.io.files import PART
from edge_bench.bench.io.temporary import cache_folder
from edge_bench.bench.measure.plan import Selection
from edge_bench.bench.measure.request import BenchmarkRequest
from edge_bench.bench.measure.session import measure
from edge_bench.bench.progress import Silent
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.run import Settings
from edge_bench.bench.records.run_files import read_run
from edge_bench.bench.system.concurrent_runs import MAX_RUNS, concurrent_runs, detect_concurrent_runs
from edge_bench.bench.system.environment import concurrent_run_findings

BOOT = Path("/proc/sys/kernel/random/boot_id").read_text().strip()


@contextmanager
def forged(folder: Path, count: int = 1, first: int = 0, **fields: object) -> Iterator[None]:
    """Put locked registry files of runs that do not exist into a folder."""
    handles = []
    for number in range(first, first + count):
        path = folder / f".measuring.forged{number}{PART}"
        record = {"run_id": f"{number:08}", "process": 1, "host": "pi", "boot": BOOT} | fields
        path.write_text(json.dumps(record) + "\n")
        path.chmod(0o666)
        handles.append(os.open(path, os.O_RDONLY))
        fcntl.flock(handles[-1], fcntl.LOCK_EX)
    yield
    for handle in handles:
        os.close(handle)


@pytest.mark.parametrize(
    "fields",
    [
        {"host": "h" * 300_000},
        {"host": "h" * 65},
        {"host": "\x1b[2J"},
        {"host": "a\nrun trusted: yes"},
        {"host": "<b>"},
        {"host": 5},
        {"run_id": "r" * 65},
        {"run_id": ""},
        {"run_id": "../x"},
        {"process": -1},
        {"process": 1 << 70},
        {"boot": BOOT + "x" * 5000},
    ],
    ids=lambda fields: f"{next(iter(fields))}={str(next(iter(fields.values())))[:12]!a}",
)
def test_a_record_with_a_field_that_no_run_writes_is_ignored(tmp_path: Path, fields: dict[str, Any]) -> None:
    with forged(tmp_path, **fields), detect_concurrent_runs("mine", "here", tmp_path) as here:
        assert here.poll() == []
        assert concurrent_runs(tmp_path) != []
        assert [run.run_id for run in concurrent_runs(tmp_path)] == ["mine"]


@pytest.mark.slow
def test_thousands_of_records_become_one_short_finding(tmp_path: Path) -> None:
    began = time.process_time()
    with forged(tmp_path, 3000), detect_concurrent_runs("mine", "here", tmp_path) as here:
        found = here.poll()
        assert len(found) == MAX_RUNS
        assert here.poll() == []
        (finding,) = concurrent_run_findings(found)
        assert finding.spoils
        assert len(finding.what) < 500
        (now,) = concurrent_run_findings(concurrent_runs(tmp_path), now=True)
        assert len(now.what) < 500
    assert time.process_time() - began < 5


@pytest.mark.slow
@pytest.mark.skipif(os.getuid() != 0, reason="needs root, to give files to somebody else")
def test_the_records_of_others_do_not_hide_those_of_this_user(tmp_path: Path) -> None:
    with forged(tmp_path, 3000):
        for path in tmp_path.iterdir():
            os.chown(path, 12345, 12345)
        with detect_concurrent_runs("second", "here", tmp_path):
            assert "second" in {run.run_id for run in concurrent_runs(tmp_path)}


def test_registry_files_of_other_users_are_not_read(tmp_path: Path) -> None:
    with detect_concurrent_runs("mine", "here", tmp_path) as here:
        (own,) = tmp_path.iterdir()
        assert own.stat().st_mode & 0o777 == 0o644, "others may read it, not write it"
        with own.open("a") as file:
            file.write(json.dumps({"run_id": "appended", "boot": BOOT}) + "\n")
        assert here.poll() == []
        os.link(own, tmp_path / f".measuring.link{PART}")
        assert concurrent_runs(tmp_path) == [], "a file with two names is not of a run"
        (tmp_path / f".measuring.link{PART}").unlink()


@pytest.mark.slow
def test_a_valid_run_is_read_despite_forged_records_beside_it(
    digits_bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    monkeypatch.setenv("EDGE_BENCH_RUNTIME_DIR", str(shared))
    request = BenchmarkRequest.from_bundle(
        digits_bundle.folder,
        Selection(variants=["dynamic"], runtimes=["litert"]),
        Settings(trials=2, processes=1, limit=20),
        Silent(),
    )
    with forged(shared, 20, host="h" * 300_000), forged(shared, 20, first=20):
        run, path = measure(request, tmp_path / "results", Silent())
    assert read_run(path).findings == run.findings
    assert sum("other runs" in finding.what for finding in run.findings) == 1


# -- the cache of decoded images, if there is no home folder


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The system's temporary folder, for a user without a writable home folder."""
    folder = tmp_path / "temporary"
    folder.mkdir(mode=0o1777)
    for name in ("EDGE_BENCH_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HOME", str(tmp_path / "file"))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_a_cache_without_a_home_folder_is_private_and_the_same_next_time(temporary: Path) -> None:
    folder = cache_folder()
    assert folder.parent == temporary
    assert folder.stat().st_mode & 0o777 == 0o700
    assert str(os.getuid()) in folder.name
    assert cache_folder() == folder


def planted(kind: str, path: Path) -> None:
    """Put something of somebody else where the cache would be."""
    elsewhere = path.with_name("elsewhere")
    elsewhere.mkdir()
    if kind == "link":
        path.symlink_to(elsewhere, target_is_directory=True)
    elif kind == "file":
        path.write_text("")
    elif kind == "dangling link":
        path.symlink_to(path.with_name("nowhere"))
    else:
        path.mkdir()
        path.chmod(0o777)
        if kind == "of another user":
            path.chmod(0o700)
            os.chown(path, 12345, 12345)


@pytest.mark.parametrize("kind", ["link", "dangling link", "file", "open to all", "of another user"])
def test_a_cache_with_another_owner_or_open_permissions_is_not_used(temporary: Path, kind: str) -> None:
    if kind == "of another user" and os.getuid() != 0:
        pytest.skip("needs root, to give a folder to somebody else")
    path = cache_folder()
    path.rmdir()
    planted(kind, path)
    used = cache_folder()
    assert used != path
    assert used.stat().st_uid == os.getuid()
    assert used.stat().st_mode & 0o777 == 0o700
    assert used.parent == temporary
    assert not used.is_symlink()
    assert cache_folder() == used, "one for the whole process"
    assert list((temporary / "elsewhere").iterdir()) == []


def test_a_temporary_folder_that_cannot_be_written_is_an_error_with_a_remedy(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(temporary / "missing"))
    with pytest.raises(EdgeBenchError) as refusal:
        cache_folder()
    assert "EDGE_BENCH_CACHE" in refusal.value.remedy
