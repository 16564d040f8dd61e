"""Small disks and read-only mounts. Only root can mount them, and file modes do not stop root."""

import contextlib
import errno
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge_bench.app.training.fit.checkpoints import read_state
from edge_bench.app.training.job import train_bundle
from edge_bench.bench.errors import BadInput, DiskFull, EdgeBenchError, ResultsError
from edge_bench.bench.measure.plan import Selection
from edge_bench.bench.measure.recording.run_builder import read_run_or_journal
from edge_bench.bench.progress import Silent
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.journal.journal import JOURNAL, Journal
from edge_bench.bench.records.nights.files import write_night
from edge_bench.bench.records.nights.night import Night
from edge_bench.bench.records.run import Settings
from edge_bench.bench.records.run_files import read_run, write_run
from tests.app.training.weights import SHORT, assert_same_weights
from tests.command_line import CommandLine, Refuses, refusal
from tests.factories import measure_bundle
from tests.made.nights.fleet import BEGIN, made_run, settings_file

Mount = Callable[..., Path]
LIGHT = Selection(variants=["dynamic"], runtimes=["litert"])
SETTINGS = Settings(trials=6, processes=2)


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Mount]:
    """Mount a memory disk with these options. A second call with the same name remounts it with new options."""
    mounted: list[Path] = []

    def call(name: str, options: str) -> Path:
        place = tmp_path / name
        again = place in mounted
        place.mkdir(exist_ok=True)
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"remount,{options}" if again else options, "tmpfs", str(place)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            pytest.skip(f"no memory disk can be mounted here: {done.stderr.strip()}")
        if not again:
            mounted.append(place)
        return place

    yield call
    for place in mounted:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


class FillsTheDisk(Silent):
    """Fills the disk after a number of steps of the work ``what``."""

    def __init__(self, disk: Path, what: str, steps: int) -> None:
        self.filler, self.what, self.left, self.on = disk / "filler", what, steps, False

    def start(self, what: str, steps: int, done: int = 0) -> None:
        self.on = what == self.what

    def advance(self, steps: int = 1, note: str = "") -> None:
        self.left -= steps if self.on else 0
        if self.left == 0 and steps and self.on:
            with self.filler.open("wb", buffering=0) as file:
                for size in (1 << 20, 1 << 10, 1):
                    try:
                        while file.write(bytes(size)) == size:
                            pass
                    except OSError:
                        continue


def test_a_full_disk_is_a_failure_and_a_folder_that_cannot_be_written_is_wrong_input(
    mount: Mount, tmp_path: Path, refuses: Refuses
) -> None:
    disk = mount("disk", "size=2m")
    settings = settings_file(tmp_path, f'results = "{disk}"\n', ["pi4"])
    files = list(tmp_path.glob("*.toml"))
    (disk / "nights").mkdir()
    with contextlib.suppress(OSError), (disk / "filler").open("wb", buffering=0) as file:
        while file.write(bytes(4096)) == 4096:
            pass
    night, made = Night(number=1, began=BEGIN.isoformat()), made_run("pi4", BEGIN, 0.1)
    writes: list[Callable[[], object]] = [
        lambda: write_night(night, disk),
        lambda: write_run(made, disk),
        lambda: Journal.create(disk / "x.journal", made),
    ]
    for write in writes:
        with pytest.raises(DiskFull) as caught:
            write()
        assert caught.value.exit_code == 1
        assert "free disk space" in caught.value.remedy
    assert refuses("nightly", settings, kind=DiskFull).exit_code == 1  # no space for a night
    assert list(tmp_path.glob("*.toml")) == files
    mount("disk", "ro")
    for write in writes:
        with pytest.raises(ResultsError) as refused:
            write()
        assert refused.value.exit_code == 2
    assert refuses("nightly", settings).exit_code == 2


@pytest.mark.slow
def test_a_full_disk_stops_the_run_and_no_trial_is_lost(
    digits_bundle: Bundle, mount: Mount, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = mount("disk", "size=24m")
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    filling = FillsTheDisk(disk, "measuring", 3)
    run, path = measure_bundle(digits_bundle.folder, LIGHT, SETTINGS, disk / "results", filling)
    assert os.strerror(errno.ENOSPC) in run.stopped
    assert path.parent == tmp_path / "temporary"
    (journal,) = (disk / "results").glob(f"*{JOURNAL}")
    kept = read_run_or_journal(journal).results[0].trials
    assert len(kept) >= 3
    assert read_run(path).results[0].trials[: len(kept)] == kept
    filling.filler.unlink()
    whole, _ = measure_bundle(digits_bundle.folder, LIGHT, SETTINGS, disk / "results", Silent(), resume=True)
    assert whole.complete
    assert whole.results[0].trials[: len(kept)] == kept
    assert len(whole.results[0].trials) == SETTINGS.trials
    assert [each.suffix for each in (disk / "results").iterdir()] == [".json"]


@pytest.mark.slow
@pytest.mark.parametrize(("what", "steps"), [pytest.param("training", 1, marks=pytest.mark.nightly), ("exporting", 2)])
def test_a_training_stopped_by_a_full_disk_is_resumed_to_the_same_weights(
    digits_bundle: Bundle, mount: Mount, what: str, steps: int
) -> None:
    disk = mount("disk", "size=64m")
    filling = FillsTheDisk(disk, what, steps)
    with pytest.raises(EdgeBenchError) as caught:
        train_bundle(disk / "bundle", SHORT, filling)
    assert os.strerror(errno.ENOSPC) in caught.value.problem
    assert "--resume" in caught.value.remedy
    state = read_state(disk / "bundle")
    assert state is not None
    assert state.epochs_done == (steps if what == "training" else SHORT.epochs)
    filling.filler.unlink()
    bundle = train_bundle(disk / "bundle", SHORT, Silent(), resume=True)
    assert isinstance(bundle, Bundle)
    assert_same_weights(bundle.folder, digits_bundle.folder)
    assert not list(disk.rglob(".*"))


@pytest.mark.slow
def test_a_bundle_that_does_not_fit_is_refused_before_training(mount: Mount) -> None:
    folder = mount("disk", "size=8m") / "bundle"
    with pytest.raises(BadInput) as caught:
        train_bundle(folder, SHORT, Silent())
    assert str(folder) in caught.value.problem
    assert list(folder.iterdir()) == []


@pytest.mark.slow
def test_read_only_folders_are_read_and_never_written(
    digits_bundle: Bundle, mount: Mount, edge_bench: CommandLine, refuses: Refuses
) -> None:
    disk = mount("disk", "size=64m")
    shutil.copytree(digits_bundle.folder, disk / "bundle")
    quick = ("--variant", "dynamic", "--runtime", "litert", "--trials", 2, "--processes", 1, "--limit", 20)
    measure_bundle(digits_bundle.folder, LIGHT, Settings(trials=2, processes=1, limit=20), disk / "results", Silent())
    mount("disk", "ro")
    for path, *arguments in (
        (disk / "results", "run", disk / "bundle", *quick, "--results", disk / "results"),
        (disk / "new", "train", "--dataset", "digits", "--bundle", disk / "new"),
        (disk / "bundle", "train", "--dataset", "digits", "--bundle", disk / "bundle", "--overwrite"),
        (disk / "r.html", "report", disk / "results", "-o", disk / "r.html"),
    ):
        refused = refuses(*arguments)
        assert str(path) in refused.problem
        assert os.strerror(errno.EROFS) in refused.problem
    for done in (edge_bench("run", disk / "bundle", *quick), edge_bench("compare", disk / "results")):
        assert done.returncode == 0, done.stderr
        assert "dynamic" in done.stdout


@pytest.mark.slow
def test_the_working_directory_may_be_read_only(digits_bundle: Bundle, mount: Mount, edge_bench: CommandLine) -> None:
    here = mount("here", "size=1m,ro")
    elsewhere = here.parent / "elsewhere"
    run = ("run", digits_bundle.folder, "--variant", "dynamic", "--runtime", "litert", "--trials", 1, "--processes", 1,
           "--limit", 20)  # fmt: skip
    refused = refusal(*run, cwd=here)
    assert "results" in refused.problem
    assert "--results" in refused.remedy
    assert edge_bench(*run, "--results", elsewhere, cwd=str(here)).returncode == 0
    assert edge_bench("compare", elsewhere, cwd=str(here)).returncode == 0
