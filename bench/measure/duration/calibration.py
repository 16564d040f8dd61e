"""The costs of a run, measured with one generation of workers on a few images."""

import time
from collections.abc import Callable, Sequence

from edge_bench.bench.dataset.workload import Workload
from edge_bench.bench.interrupts import defer_interrupts
from edge_bench.bench.measure.duration.cost import ConfigurationCost, RunCost
from edge_bench.bench.measure.plan import Planned
from edge_bench.bench.measure.schedule import passes_per_trial
from edge_bench.bench.measure.workers.graph_outputs import record_outputs
from edge_bench.bench.measure.workers.preparation import files_for, preparation
from edge_bench.bench.progress import Progress, Silent
from edge_bench.bench.records.run import Settings
from edge_bench.bench.worker.messages import Ready, Time, Timed
from edge_bench.bench.worker.process import WorkerFailed, WorkerProcess

__all__ = ["SAMPLE", "measure_cost"]

#: Number of images for measuring the costs.
SAMPLE = 200


def measure_cost(
    workload: Workload,
    planned: Sequence[Planned],
    settings: Settings,
    progress: Progress,
    clock: Callable[[], float] = time.monotonic,
) -> RunCost:
    """Start a worker for each configuration, as a run does, and time its work on the workload's images.

    A configuration that fails costs nothing; the run itself reports the reason.
    """
    runnable = [item for item in planned if item.failure is None]
    workers = list[WorkerProcess]()
    costs, start_seconds, began = list[ConfigurationCost](), 0.0, clock()
    progress.start("measuring speed for --budget", len(runnable))
    progress.expect(None)  # most of the time is spent starting the workers
    try:
        for item in runnable:
            with defer_interrupts():  # a worker that is not in the list would not be stopped
                files = files_for(workload, item)
                runtime, limit = item.configuration.runtime, settings.memory_limit
                workers.append(WorkerProcess(runtime, limit, files=files, delegate=item.delegate_file))
        ready = [_imported(worker, settings.timeout_s) for worker in workers]
        start_seconds += clock() - began
        for item, worker, is_ready in zip(runnable, workers, ready, strict=True):
            if is_ready:
                try:
                    seconds, cost = _one_cost(workload, item, worker, settings, clock)
                except WorkerFailed:
                    pass
                else:
                    start_seconds += seconds
                    costs.append(cost)
            worker.stop()
            progress.advance(1, str(item.configuration))
    finally:
        for worker in workers:
            worker.stop()
    progress.finish()
    return RunCost(costs, start_seconds)


def _imported(worker: WorkerProcess, timeout: float) -> bool:
    try:
        worker.wait_for(Ready, timeout)
    except WorkerFailed:
        return False
    return True


def _one_cost(
    workload: Workload, planned: Planned, worker: WorkerProcess, settings: Settings, clock: Callable[[], float]
) -> tuple[float, ConfigurationCost]:
    """Return the seconds to load and warm up, and the costs of the configuration. Raise WorkerFailed."""
    images, began = len(workload.indices), clock()
    prepared = worker.ask(*preparation(workload, planned, settings), settings.timeout_s)
    start = min((prepared.load_ns + prepared.first_inference_ns + prepared.warm_up_ns) / 1e9, clock() - began)
    inputs = clock() - began - start
    record = 0.0
    if workload.graphs and not settings.stateful:
        began = clock()
        variant = planned.configuration.variant
        record_outputs(worker, workload, 0, variant, 0, settings.timeout_s, Silent())
        record = clock() - began
    passes, began = passes_per_trial(prepared.pass_ns), clock()
    timed = worker.ask(Time(passes=passes), Timed, settings.timeout_s)
    pass_seconds = timed.elapsed_ns / passes / 1e9
    return start, ConfigurationCost(
        image_seconds=pass_seconds / images,
        trial_seconds=max(0.0, clock() - began - timed.elapsed_ns / 1e9),
        input_seconds=max(0.0, inputs) / images,
        record_seconds=record / images,
    )
