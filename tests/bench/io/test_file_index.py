"""The index of files: it gives what was derived from the present content, whatever happens to the files or to it."""

import hashlib
import itertools
import os
import resource
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from edge_bench.bench.errors import BadInput
from edge_bench.bench.io.file_index import Derived, FileIndex
from edge_bench.bench.io.python_process import module_environment

COUNT = 40


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files with a number each."""
    folder = tmp_path / "files"
    folder.mkdir()
    for number in range(COUNT):
        (folder / f"{number:02}").write_text(f"{number:04}")
    return folder


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """All files were written long ago."""
    now = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: now() + 60_000_000_000)


def derive(paths: Sequence[Path]) -> Derived:
    (path,) = paths
    data = path.read_bytes()
    if data == b"bad!":
        raise BadInput(f"{path}: bad")
    return Derived(hashlib.sha256(data).hexdigest(), b"own " + data, (b"part " + data[-1:], b"common"))


def read(index: Path, folder: Path) -> tuple[dict[str, bytes], set[str]]:
    """What the index yields for each file, and the files that were read."""
    names = sorted(file.name for file in folder.iterdir())
    opened = FileIndex(index, 1000)
    found, new = {}, set()
    for name, (derived, known) in zip(names, opened.derived(folder, [[name] for name in names], derive), strict=True):
        found[name] = b"bad" if isinstance(derived, BadInput) else b" ".join([derived.own, *derived.parts])
        new |= set() if known else {name}
    opened.close()
    return found, new


def right(folder: Path) -> dict[str, bytes]:
    found = {}
    for file in sorted(folder.iterdir()):
        data = file.read_bytes()
        found[file.name] = b"bad" if data == b"bad!" else b"own %s part %s common" % (data, data[-1:])
    return found


@pytest.mark.usefixtures("later")
def test_only_changed_files_are_read_again(tmp_path: Path, folder: Path) -> None:
    index = tmp_path / "new" / "index"
    assert read(index, folder) == (right(folder), set(right(folder)))
    assert read(index, folder) == (right(folder), set())

    (folder / "new").write_text("1234")
    (folder / "00").write_text("longer than before")
    in_place, replaced = folder / "01", folder / "02"
    for file in (in_place, replaced):  # of the same size and modification time
        before = file.stat()
        target = file if file is in_place else tmp_path / "other"
        target.write_text("9999")
        os.utime(target, ns=(before.st_atime_ns, before.st_mtime_ns))
        target.replace(file)
    (folder / "03").unlink()
    (folder / "04").rename(folder / "moved")
    (folder / "05").unlink()
    (folder / "05").symlink_to(folder / "06")
    (folder / "07").write_text("bad!")
    (folder / "08").touch()  # the same content
    assert read(index, folder) == (right(folder), {"new", "00", "01", "02", "moved", "05", "07"})
    (folder / "06").write_text("the link leads here")
    assert read(index, folder) == (right(folder), {"05", "06", "07"}), "what is refused is not kept"
    (folder / "03").write_text("0003")
    assert read(index, folder) == (right(folder), {"03", "07"}), "forgotten, although it is the same again"


def test_a_file_that_changed_a_moment_ago_is_compared_by_content(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two changes in one step of the file system's clock have the same times."""
    states: dict[Path, os.stat_result] = {}
    stat = Path.stat
    monkeypatch.setattr(Path, "stat", lambda path: states.setdefault(path, stat(path)))
    read(tmp_path / "index", folder)
    (folder / "00").write_text("9999")
    assert read(tmp_path / "index", folder) == (right(folder), {"00"})


@pytest.mark.slow
def test_a_damaged_index_is_made_again(tmp_path: Path, folder: Path) -> None:
    index = tmp_path / "index"
    read(index, folder)
    intact = index.read_bytes()
    damaged = [b"", b"no database", intact[:5000], intact[:100] + bytes(len(intact) - 100)]
    damaged += [intact[:at] + b"\xff" * 60 + intact[at + 60 :] for at in range(0, len(intact) - 60, 701)]
    for content in damaged:
        index.write_bytes(content)
        for _ in range(2):  # some damage is found by the second, which writes
            assert read(index, folder)[0] == right(folder)
        assert read(index, folder) == (right(folder), set())


def test_an_entry_that_someone_changed_is_not_used(tmp_path: Path, folder: Path) -> None:
    index = tmp_path / "index"
    for change in (
        "UPDATE files SET own = x'00' WHERE name = x'3030'",
        "UPDATE files SET sha256 = (SELECT sha256 FROM files WHERE name = x'3031') WHERE name = x'3030'",
        "UPDATE parts SET content = x'00'",
        "DELETE FROM parts",
        "UPDATE files SET parts = 1",
        "DROP TABLE parts",
        "ALTER TABLE files DROP COLUMN own",
    ):
        read(index, folder)
        with sqlite3.connect(index) as database:
            database.execute(change)
        database.close()
        assert read(index, folder)[0] == right(folder), change


def test_without_a_place_for_it_every_file_is_read(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "index").mkdir()
    for index in (tmp_path / "file" / "index", tmp_path / "index"):
        for _ in range(2):
            assert read(index, folder) == (right(folder), set(right(folder)))
        assert FileIndex(index, 1000).problem


def test_a_full_disk_has_no_effect_but_on_the_next_time(tmp_path: Path, folder: Path) -> None:
    index, limits = tmp_path / "index", resource.getrlimit(resource.RLIMIT_FSIZE)
    read(index, folder)
    for file in itertools.islice(folder.iterdir(), COUNT // 2):
        file.write_text("another content")
    resource.setrlimit(resource.RLIMIT_FSIZE, (index.stat().st_size // 2, limits[1]))
    try:
        assert read(index, folder)[0] == right(folder)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert read(index, folder)[0] == right(folder)
    assert read(index, folder) == (right(folder), set())


@pytest.mark.slow  # it waits for the lock
def test_a_locked_index_is_not_waited_for_without_end(tmp_path: Path, folder: Path) -> None:
    index = tmp_path / "index"
    read(index, folder)
    with sqlite3.connect(index) as database:
        database.execute("BEGIN EXCLUSIVE")
        assert read(index, folder) == (right(folder), set(right(folder)))
    database.close()
    assert read(index, folder) == (right(folder), set()), "it was not removed"


KILLED = """
import itertools, os, signal, sys, time
from collections.abc import Sequence
from pathlib import Path
from edge_bench.bench.io.file_index import FileIndex
from tests.bench.io.test_file_index import derive
clock = itertools.count(0, 100)
time.monotonic = lambda: next(clock)  # each entry is written at once
index, folder = map(Path, sys.argv[1:])
names = sorted(file.name for file in folder.iterdir())
for number, _ in enumerate(FileIndex(index, 1000).derived(folder, [[name] for name in names], derive)):
    if number == 25:
        os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.slow
def test_a_killed_process_leaves_what_it_has_written(tmp_path: Path, folder: Path) -> None:
    index = tmp_path / "index"
    environment = module_environment() | {"PYTHONPATH": str(Path(__file__).parents[3])}
    killed = subprocess.run([sys.executable, "-c", KILLED, str(index), str(folder)], env=environment, check=False)
    assert killed.returncode < 0
    found, new = read(index, folder)
    assert found == right(folder)
    assert 0 < len(new) < COUNT


@pytest.mark.slow
def test_several_processes_make_one_index_at_once(tmp_path: Path, folder: Path) -> None:
    code = KILLED.replace("SIGKILL", "SIGCONT")
    environment = module_environment() | {"PYTHONPATH": str(Path(__file__).parents[3])}
    command = [sys.executable, "-c", code, str(tmp_path / "index"), str(folder)]
    processes = [subprocess.Popen(command, env=environment) for _ in range(4)]
    assert [process.wait(60) for process in processes] == [0] * 4
    assert read(tmp_path / "index", folder) == (right(folder), set())
