"""Measure a model on this machine and on the engines of the fleet."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from edge_bench.app.fleet.docker.engine import Engine
from edge_bench.app.fleet.docker.images import ImageSource
from edge_bench.app.fleet.docker.inventory import EngineSetting, local_engine_setting
from edge_bench.app.fleet.runs.fleet_job import run_fleet
from edge_bench.app.fleet.runs.spec import FleetJobSpec
from edge_bench.app.fleet.runs.state import DeviceState
from edge_bench.app.nightly.settings.reading import THIS_MACHINE, NightlySettings
from edge_bench.app.nightly.work.outcome import EngineOutcome, Request
from edge_bench.app.nightly.work.this_machine import measure_here
from edge_bench.app.render.progress.fleet import fleet_view
from edge_bench.bench.errors import EdgeBenchError
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.nights.night import MeasurementState
from edge_bench.bench.records.run_files import read_run

__all__ = ["FleetMeasurer", "seconds_to_wait"]

#: After a power cut, this machine and the engines start at the same time. Until so many seconds after its own start, an
#: engine that does not answer may still be starting.
_STARTING_SECONDS = 300.0


@dataclass(frozen=True)
class FleetMeasurer:
    """Measures on this machine with `run`, then on all Docker engines at once as `fleet run` does."""

    settings: NightlySettings
    lock: int | None = None  # a file descriptor, see `measure_here`
    quiet: bool = False

    def measure(self, request: Request) -> list[EngineOutcome]:
        """Return an outcome for each engine, in the order of the request."""
        options = _with_variants(self.settings.options.everywhere, request.variants)
        found = []
        if THIS_MACHINE in request.engines:
            arguments = [*map(str, request.model.paths), *request.model.data_options, *options]
            arguments += self.settings.options.this_machine
            found.append(measure_here(arguments, request.own_folder, self.lock, quiet=self.quiet))
        if engines := [engine for engine in self.settings.engines if engine.name in request.engines]:
            try:
                found += self._measure_fleet(request, engines, options)
            except EdgeBenchError as cause:  # the bundle or the image cannot be used
                found += [_failed(engine.name, cause) for engine in engines]
        return found

    def _measure_fleet(
        self, request: Request, engines: Sequence[EngineSetting], options: Sequence[str]
    ) -> list[EngineOutcome]:
        settings = self.settings
        if request.model.bundle is None:
            raise ValueError("engines measure bundles only")
        source = ImageSource(
            settings.image, lambda: Engine(local_engine_setting(settings.local_engine or None), settings.api_timeout)
        )
        folder = request.fleet_folder
        spec = FleetJobSpec(
            Bundle.open(request.model.bundle), options, settings.options.stated, folder, source,
            timeout=settings.api_timeout, connect_timeout=seconds_to_wait(),
            reconnect_timeout=settings.reconnect_timeout,
        )  # fmt: skip
        try:
            with fleet_view([engine.name for engine in engines], quiet=self.quiet) as view:
                outcome = run_fleet(spec, engines, view, resume=any(folder.glob("fleet-*")))
        finally:
            source.close()
        if outcome.interrupted:
            raise KeyboardInterrupt
        return [_outcome(device, request, settings.image) for device in outcome.devices]


def seconds_to_wait() -> float:
    """Return for how long engines that do not answer are waited for: only soon after the start of this machine."""
    since_start = time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
    return max(0.0, _STARTING_SECONDS - since_start)


def _with_variants(options: Sequence[str], variants: str) -> list[str]:
    """Return options of `run` with other variants, if there are any."""
    if not variants:
        return list(options)
    pairs = [pair for pair in zip(options[::2], options[1::2], strict=True) if pair[0] != "--variant"]
    return [part for pair in pairs for part in pair] + ["--variant", variants]


def _failed(engine: str, cause: EdgeBenchError) -> EngineOutcome:
    return EngineOutcome(engine, MeasurementState.FAILED, cause.problem, cause.remedy)


def _outcome(device: DeviceState, request: Request, image: str) -> EngineOutcome:
    name = device.engine.name
    if device.run_file:
        path = request.fleet_folder / device.run_file
        run = read_run(path)
        if run.results_with_trials:
            return EngineOutcome(
                name, MeasurementState.DELIVERED, device.reason, device.remedy, image=image, run=run, path=path
            )
        return EngineOutcome(name, MeasurementState.FAILED, "no configuration could be measured", image=image)
    silent = device.state == "lost" or not device.machine
    state = MeasurementState.SILENT if silent else MeasurementState.FAILED
    return EngineOutcome(name, state, device.reason, device.remedy, image=image)
