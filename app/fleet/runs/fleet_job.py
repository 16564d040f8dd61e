"""A benchmark on all engines at the same time."""

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

__all__ = ["STOPPING", "Outcome", "outcome_of", "prepare_state", "run_fleet"]

STOPPING = "stopping and cleaning up all engines; press Ctrl-C again to skip the clean-up"


@dataclass(frozen=True)
class Outcome:
    """The result of a fleet command: the rows of all engines, and the fetched Runs."""

    devices: Sequence[DeviceState]
    runs: Sequence[Run]
    interrupted: bool
    folder: Path

    @property
    def missing(self) -> list[DeviceState]:
        """Engines without a Run, or that were not cleaned up."""
        return [device for device in self.devices if not device.done]


def run_fleet(
    spec: FleetJobSpec, engines: Sequence[EngineSetting], view: FleetView, *, resume: bool = False
) -> Outcome:
    """Measure the bundle on all engines at the same time. A failure is reported in its row; the other engines run.

    With ``resume``, only engines without a Run from an earlier command with the same bundle, options and engines are
    measured. Ctrl-C stops and cleans up all engines; the outcome is then ``interrupted``.
    """
    writable_folder(spec.results)
    state = prepare_state(spec, engines, view, resume=resume)
    with only_writer(state.folder):
        jobs = [DeviceJob(spec, state, row, view) for row in state.record.devices if not row.done]
        interrupted = _run_in_parallel(jobs, view)
    return outcome_of(spec, state, interrupted)


def outcome_of(spec: FleetJobSpec, state: FleetState, interrupted: bool) -> Outcome:
    """Return the outcome of a fleet command, with its Runs read from the results folder."""
    rows = state.record.devices
    runs = [read_run(spec.results / row.run_file) for row in rows if row.run_file]
    return Outcome(rows, runs, interrupted, state.folder)


def prepare_state(spec: FleetJobSpec, engines: Sequence[EngineSetting], view: FleetView, *, resume: bool) -> FleetState:
    """Return the state of the earlier command to resume, otherwise a new one."""
    digest, options = spec.bundle.digest, spec.options
    earlier = FleetState.find(spec.results, digest, options, engines)
    if earlier and resume:
        for row in earlier.record.devices:
            if row.run_file and not _readable(spec.results / row.run_file):
                earlier.set(msgspec.structs.replace(row, state="waiting", run_file="", run_id=""))
        done = sum(row.done for row in earlier.record.devices)
        view.say(f"resuming {earlier.folder.name}: {done} of {len(engines)} Runs are complete")
        return earlier
    if resume:
        view.say(f"{spec.results}: nothing to resume for this bundle, options and engines: starting again")
    elif earlier and any(not row.done for row in earlier.record.devices):
        view.say(
            f"{earlier.folder} is unfinished, with the same bundle, options and engines: continue it with --resume"
        )
    return FleetState.new(spec.results, digest, options, spec.source.image, engines)


def _readable(path: Path) -> bool:
    try:
        read_run(path)
    except ResultsError:
        return False
    return True


def _run_in_parallel(jobs: Sequence[DeviceJob], view: FleetView) -> bool:
    """Run each job in a thread, and return whether the user interrupted them. A second interruption does not wait."""
    finished = [threading.Event() for _ in jobs]

    def work(job: DeviceJob, event: threading.Event) -> None:
        try:
            job.work()
        finally:
            event.set()

    try:
        for job, event in zip(jobs, finished, strict=True):
            threading.Thread(target=work, args=(job, event), daemon=True).start()
        _wait(finished)
    except KeyboardInterrupt:
        view.say(STOPPING)
        for job in jobs:
            threading.Thread(target=job.cancel, daemon=True).start()
        _wait(finished)
        return True
    return False


def _wait(events: Sequence[threading.Event]) -> None:
    """Wait for events instead of joining threads: an interrupted join marks its thread as ended (bpo-45274)."""
    for event in events:
        event.wait()
