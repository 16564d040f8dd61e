"""A benchmark on every engine at once, and the Runs that came back."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from edge_bench.app.fleet.docker.inventory import EngineSetting
from edge_bench.app.fleet.runs.device_job import DeviceJob
from edge_bench.app.fleet.runs.spec import FleetJobSpec
from edge_bench.app.fleet.runs.state import DeviceState, FleetState
from edge_bench.bench.errors import ResultsError
from edge_bench.bench.io.disk_space import writable_folder
from edge_bench.bench.io.locks import only_writer
from edge_bench.bench.progress import FleetView
from edge_bench.bench.records.run import Run
from edge_bench.bench.records.run_files import read_run

__all__ = ["Outcome", "prepare_state", "run_fleet"]


@dataclass(frozen=True)
class Outcome:
    """What a fleet command has: every engine's row, and the Runs that are here."""

    devices: Sequence[DeviceState]
    runs: Sequence[Run]
    interrupted: bool
    folder: Path

    @property
    def missing(self) -> list[DeviceState]:
        """Engines without a Run, or with something of ours left on them."""
        return [device for device in self.devices if not device.done]


def run_fleet(
    spec: FleetJobSpec, engines: Sequence[EngineSetting], view: FleetView, *, resume: bool = False
) -> Outcome:
    """Measures the bundle on every engine at once; what fails is a row, and the rest goes on.

    With ``resume`` only what an earlier command of the same bundle, options and engines has not brought here.
    Ctrl-C stops and cleans up everywhere, and what is here already comes back, with ``interrupted``.
    """
    writable_folder(spec.results)
    state = prepare_state(spec, engines, view, resume=resume)
    with only_writer(state.folder):
        todo = [DeviceJob(spec, state, row, view) for row in state.record.devices if not row.done]
        interrupted = _all_at_once(todo, view)
    rows = state.record.devices
    runs = [read_run(spec.results / row.run_file) for row in rows if row.run_file]
    return Outcome(rows, runs, interrupted, state.folder)


def prepare_state(spec: FleetJobSpec, engines: Sequence[EngineSetting], view: FleetView, *, resume: bool) -> FleetState:
    """What an earlier command has left to do, or a new beginning."""
    digest, options = spec.bundle.digest, spec.options
    found = FleetState.find(spec.results, digest, options, engines)
    if found and resume:
        for row in found.record.devices:
            if row.run_file and not _readable(spec.results / row.run_file):
                found.set(msgspec.structs.replace(row, state="waiting", run_file="", run_id=""))
        done = sum(row.done for row in found.record.devices)
        view.say(f"going on with {found.folder.name}: {done} of {len(engines)} Runs are here")
        return found
    if resume:
        view.say(f"{spec.results}: nothing of this bundle, these options and engines to go on with; it begins anew")
    elif found and any(not row.done for row in found.record.devices):
        view.say(f"{found.folder} is of the same, and unfinished: --resume would go on with it")
    return FleetState.new(spec.results, digest, options, spec.source.image, engines)


def _readable(path: Path) -> bool:
    try:
        read_run(path)
    except ResultsError:
        return False
    return True


def _all_at_once(devices: Sequence[DeviceJob], view: FleetView) -> bool:
    """A thread each, as they mostly wait. Whether it was interrupted; a second interruption waits for nobody."""
    over = [threading.Event() for _ in devices]

    def work(device: DeviceJob, done: threading.Event) -> None:
        try:
            device.work()
        finally:
            done.set()

    try:
        for device, done in zip(devices, over, strict=True):
            threading.Thread(target=work, args=(device, done), daemon=True).start()
        _wait(over)
    except KeyboardInterrupt:
        view.say("stopping and cleaning up everywhere; Ctrl-C again leaves things as they are")
        for device in devices:
            threading.Thread(target=device.cancel, daemon=True).start()
        _wait(over)
        return True
    return False


def _wait(events: Sequence[threading.Event]) -> None:
    """Not by joining threads: an interrupted join takes them for ended (bpo-45274)."""
    for event in events:
        event.wait()
