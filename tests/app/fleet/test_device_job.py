"""The work on one recorded engine that is cancelled, that meets a full disk here, or whose engine starts later."""

import contextlib
import dataclasses
import errno
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from edge_bench.app.fleet.docker.engine import Engine
from edge_bench.app.fleet.docker.errors import EngineTrouble
from edge_bench.app.fleet.docker.images import ImageSource
from edge_bench.app.fleet.docker.inventory import engine_settings
from edge_bench.app.fleet.docker.workspace import Workspace
from edge_bench.app.fleet.runs import device_job
from edge_bench.app.fleet.runs.device_job import DeviceJob
from edge_bench.app.fleet.runs.fleet_job import run_fleet
from edge_bench.app.fleet.runs.spec import FleetJobSpec
from edge_bench.app.fleet.runs.state import FleetState
from edge_bench.bench.records.bundle import Bundle
from studies.fleet.fleet_overhead import run_of, template
from studies.fleet.recorded_engine import RecordedEngine
from tests.fleet.engines import own_folder
from tests.fleet.saved import LAYERS, saved_image

SETTINGS = {"trials": 2, "limit": 200}


@dataclasses.dataclass
class View:
    """Progress that is not shown; the first time that the engine is doing ``what``, ``then`` is called."""

    what: str = ""
    then: Callable[[], object] = lambda: None
    seen: list[str] = dataclasses.field(default_factory=list)

    def update(self, engine: str, what: str, done: int = 0, steps: int = 0, note: str = "") -> None:
        self.seen.append(what)
        if self.what and what.startswith(self.what):
            self.what = ""
            self.then()

    def ended(self, engine: str, well: bool, message: str) -> None:
        pass

    def say(self, message: str) -> None:
        pass


class Starting(list[str]):
    """The requests of an engine that is still starting: it closes every connection."""

    def append(self, request: str) -> None:
        raise ConnectionAbortedError(request)


@pytest.fixture
def engine() -> Iterator[RecordedEngine]:
    """An engine ``pi`` that has the image and no Run."""
    folder = own_folder()
    made = RecordedEngine(folder / "pi.sock", {}, LAYERS, "x86_64")
    made.start()
    yield made
    made.stop()
    shutil.rmtree(folder)


@pytest.fixture
def source(engine: RecordedEngine) -> Iterator[ImageSource]:
    """The image that the engine has, as a file."""
    file = saved_image(engine.socket.parent / "edge.tar")
    with contextlib.closing(ImageSource(str(file), lambda: pytest.fail("a file is enough"))) as made:
        yield made


@pytest.fixture(scope="module")
def run(digits_bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A Run of the bundle on the engine ``pi``."""
    return run_of(template(digits_bundle.folder, tmp_path_factory.mktemp("template")), "pi", 1)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 4 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(place)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"no memory disk can be mounted here: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def job_on(
    source: ImageSource, engine: RecordedEngine, bundle: Bundle, results: Path, view: View, **spec: Any
) -> DeviceJob:
    """Return the work on an engine."""
    made = FleetJobSpec(bundle, [], SETTINGS, results, source, **spec)
    settings = engine_settings([engine.url], None)
    state = FleetState.new(results, bundle.digest, [], source.image, settings)
    return DeviceJob(made, state, state.record.devices[0], view)


@pytest.mark.parametrize("what", ["measuring", "fetch"])
def test_a_run_that_has_ended_is_fetched_after_ctrl_c(
    engine: RecordedEngine, source: ImageSource, run: bytes, digits_bundle: Bundle, tmp_path: Path, what: str
) -> None:
    engine.files = {"runs/run-1.json": run}
    view = View(what)
    job = job_on(source, engine, digits_bundle, tmp_path, view)
    view.then = job.cancel
    job.work()
    assert (job.row.state, job.row.reason) == ("done", "")
    assert (tmp_path / job.row.run_file).is_file()
    assert not engine.containers
    assert not engine.volumes


@pytest.mark.parametrize("what", ["measuring", "fetch"])
def test_a_full_disk_here_leaves_the_run_on_the_engine_until_resume(
    engine: RecordedEngine, source: ImageSource, run: bytes, digits_bundle: Bundle, disk: Path, what: str
) -> None:
    engine.files = {"runs/run-1.json": run}
    filler = disk / "filler"

    def fill() -> None:
        with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while file.write(bytes(4096)) == 4096:
                pass

    job = job_on(source, engine, digits_bundle, disk, View(what, fill))
    job.work()
    assert job.row.state == "failed"
    assert os.strerror(errno.ENOSPC) in job.row.reason
    assert "--resume" in job.row.remedy
    assert len(engine.containers) == 1
    filler.unlink()
    outcome = run_fleet(job.spec, [job.row.engine], View(), resume=True)
    assert [each.machine.hostname for each in outcome.runs] == ["pi"]
    assert not engine.containers
    assert not engine.volumes
    assert sum(request.endswith("/start") for request in engine.requests) == 2  # the check and the run, once


def test_an_engine_that_starts_later_is_waited_for_and_one_that_does_not_is_lost(
    engine: RecordedEngine,
    source: ImageSource,
    digits_bundle: Bundle,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(device_job, "_RETRY_SECONDS", 0.01)
    engine.requests = Starting()
    at_once = job_on(source, engine, digits_bundle, tmp_path / "a", View())
    at_once.work()
    assert (at_once.row.state, at_once.row.machine) == ("lost", "")
    view = View("lost")
    cancelled = job_on(source, engine, digits_bundle, tmp_path / "b", view, connect_timeout=60)
    view.then = cancelled.cancel
    cancelled.work()
    assert cancelled.row.state == "interrupted"
    view = View("lost", lambda: setattr(engine, "requests", []))
    job = job_on(source, engine, digits_bundle, tmp_path / "c", view, connect_timeout=60, min_memory=1 << 60)
    job.work()
    assert (job.row.state, bool(job.row.machine)) == ("failed", True)  # it answered; the memory is too small


@pytest.mark.parametrize(("image", "removed"), [("edge-bench:latest", False), ("edge-bench:fleet-1a2b3c4d5e6f", True)])
def test_only_an_image_that_was_sent_is_removed(engine: RecordedEngine, image: str, removed: bool) -> None:
    (setting,) = engine_settings([engine.url], None)
    with Engine(setting, timeout=10) as connected, contextlib.suppress(EngineTrouble):  # it cannot remove any
        Workspace(connected, "f", image).clean_up(remove_image=True)
    assert any(each.startswith("DELETE /images/") for each in engine.requests) == removed
