"""Real small disks and real read-only mounts; only root can mount them, and root is not stopped by modes."""

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge_bench.app.training.fit.checkpoints import read_state
from edge_bench.app.training.job import train_bundle
from edge_bench.bench.errors import BadInput, EdgeBenchError
from edge_bench.bench.measure.plan import Selection
from edge_bench.bench.measure.run_builder import read_run_or_journal
from edge_bench.bench.progress import Silent
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.journal import JOURNAL
from edge_bench.bench.records.run import Settings
from edge_bench.bench.records.run_files import read_run
from tests.app.training.weights import SHORT, assert_same_weights
from tests.command_line import CommandLine, assert_refused
from tests.factories import measure_bundle

Mount = Callable[..., Path]
LIGHT = Selection(variants=["dynamic"], runtimes=["litert"])
SETTINGS = Settings(trials=12, processes=2)


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Mount]:
    """Mounts a memory disk of so many MiB; ``again`` changes its options."""
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
    """After so many steps of some work nothing more fits."""

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


def test_a_disk_that_fills_up_stops_the_run_and_nothing_measured_is_lost(
    digits_bundle: Bundle, mount: Mount, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = mount("disk", "size=24m")
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    filling = FillsTheDisk(disk, "measuring", 3)
    run, path = measure_bundle(digits_bundle.folder, LIGHT, SETTINGS, disk / "results", filling)
    assert "No space left" in run.stopped
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
@pytest.mark.parametrize(("what", "steps"), [("training", 1), ("exporting", 2)])
def test_a_disk_that_fills_up_stops_a_training_that_then_goes_on_to_the_same_weights(
    digits_bundle: Bundle, mount: Mount, what: str, steps: int
) -> None:
    disk = mount("disk", "size=64m")
    filling = FillsTheDisk(disk, what, steps)
    with pytest.raises(EdgeBenchError, match="No space left") as caught:
        train_bundle(disk / "bundle", SHORT, filling)
    assert "--resume" in caught.value.remedy
    state = read_state(disk / "bundle")
    assert state is not None
    assert state.epochs_done == (steps if what == "training" else SHORT.epochs)
    filling.filler.unlink()
    bundle = train_bundle(disk / "bundle", SHORT, Silent(), resume=True)
    assert isinstance(bundle, Bundle)
    assert_same_weights(bundle.folder, digits_bundle.folder)
    assert not list(disk.rglob(".*"))


def test_a_bundle_that_would_not_fit_is_refused_before_it_is_trained(mount: Mount) -> None:
    with pytest.raises(BadInput, match="MB are free"):
        train_bundle(mount("disk", "size=8m") / "bundle", SHORT, Silent())


@pytest.mark.slow
def test_read_only_folders_are_read_and_refused_to_be_written(
    digits_bundle: Bundle, mount: Mount, edge_bench: CommandLine
) -> None:
    disk = mount("disk", "size=64m")
    shutil.copytree(digits_bundle.folder, disk / "bundle")
    quick = ("--variant", "dynamic", "--runtime", "litert", "--trials", 2, "--processes", 1, "--limit", 20)
    measure_bundle(digits_bundle.folder, LIGHT, Settings(trials=2, processes=1, limit=20), disk / "results", Silent())
    mount("disk", "ro")
    assert_refused(edge_bench("run", disk / "bundle", *quick, "--results", disk / "results"), "Read-only file system")
    assert_refused(
        edge_bench("train", "--dataset", "digits", "--bundle", disk / "new"), "Read-only file system", "--bundle"
    )
    assert_refused(
        edge_bench("train", "--dataset", "digits", "--bundle", disk / "bundle", "--overwrite"), "Read-only file system"
    )
    assert_refused(edge_bench("report", disk / "results", "-o", disk / "r.html"), "Read-only file system")
    for done in (edge_bench("run", disk / "bundle", *quick), edge_bench("compare", disk / "results")):
        assert done.returncode == 0, done.stderr
        assert "dynamic" in done.stdout


@pytest.mark.slow
def test_the_working_directory_may_be_read_only(digits_bundle: Bundle, mount: Mount, edge_bench: CommandLine) -> None:
    """Also one that is no longer there."""
    here = mount("here", "size=1m,ro")
    elsewhere = here.parent / "elsewhere"
    run = ("run", digits_bundle.folder, "--variant", "dynamic", "--runtime", "litert", "--trials", 1, "--processes", 1,
           "--limit", 20)  # fmt: skip
    assert_refused(edge_bench(*run, cwd=str(here)), "results: cannot be written", "--results")
    assert edge_bench(*run, "--results", elsewhere, cwd=str(here)).returncode == 0
    assert edge_bench("compare", elsewhere, cwd=str(here)).returncode == 0
