"""Profiles of ``run --profile``, made after all trials, in processes of their own."""

from collections.abc import Sequence

from edge_bench.bench.dataset.workload import Workload
from edge_bench.bench.measure.peaks.peaks import PeakMeter
from edge_bench.bench.measure.plan import Planned
from edge_bench.bench.measure.profiling.configuration import profile_configuration
from edge_bench.bench.measure.recording.recorder import Recorder
from edge_bench.bench.progress import Progress
from edge_bench.bench.records.journal.entries import ProfileMade
from edge_bench.bench.records.run import Failure, Settings
from edge_bench.bench.system.machine import describe_machine
from edge_bench.bench.worker.process import WorkerFailed

__all__ = ["profile_all"]


def profile_all(
    workload: Workload,
    planned: Sequence[Planned],
    settings: Settings,
    progress: Progress,
    recorder: Recorder,
    numbers: Sequence[int],
) -> None:
    """Profile these configurations.

    A profile that fails is a warning of its configuration, whose trials are kept.
    """
    progress.start("profiling", len(numbers))
    progress.expect(None)
    meter = PeakMeter(describe_machine(), settings.timeout_s, settings.cpus)
    for number in numbers:
        progress.advance(0, str(planned[number].configuration))
        try:
            made = profile_configuration(workload, planned[number], settings)
            entry = ProfileMade(number=number, profile=meter.with_peaks(made))
        except WorkerFailed as cause:
            entry = ProfileMade(number=number, problem=_problem(cause.failure))
        recorder.add(entry)
        progress.advance(1)


def _problem(failure: Failure) -> str:
    return f"no profile: {failure.message}" + (f"; {failure.remedy}" if failure.remedy else "")
