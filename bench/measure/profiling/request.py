"""Profiles of the configurations of a request, without trials."""

from collections.abc import Sequence
from typing import NamedTuple

from edge_bench.bench.errors import BadInput, EdgeBenchError
from edge_bench.bench.measure.peaks.peaks import PeakMeter
from edge_bench.bench.measure.plan import Planned
from edge_bench.bench.measure.profiling.configuration import profile_configuration
from edge_bench.bench.measure.request import BenchmarkRequest
from edge_bench.bench.progress import Progress
from edge_bench.bench.records.profile import Profile
from edge_bench.bench.records.run import Configuration, Failure
from edge_bench.bench.runtimes.profiling import why_no_profiler
from edge_bench.bench.system.machine import describe_machine
from edge_bench.bench.worker.process import WorkerFailed

__all__ = ["Profiles", "profile_request"]


class Profiles(NamedTuple):
    """The profiles of a request, and why configurations have none."""

    profiles: list[Profile]
    failures: list[tuple[Configuration, Failure]]


def profile_request(request: BenchmarkRequest, progress: Progress, *, chosen: bool) -> Profiles:
    """Profile each configuration in fresh workers.

    ``chosen``: the user selected runtimes. Otherwise those without a profiler are left out if there are others.

    Raise BadInput if no runtime has a profiler, EdgeBenchError if all configurations failed.
    """
    planned = _profilable(request.planned, chosen=chosen)
    profiles, failures = list[Profile](), list[tuple[Configuration, Failure]]()
    meter = PeakMeter(describe_machine(), request.settings.timeout_s, request.settings.cpus)
    progress.start("profiling", len(planned))
    for item in planned:
        progress.advance(0, str(item.configuration))
        try:
            profiles.append(meter.with_peaks(profile_configuration(request.workload, item, request.settings)))
        except WorkerFailed as cause:
            failures.append((item.configuration, cause.failure))
        progress.advance(1)
    progress.finish()
    if not profiles:
        configuration, failure = failures[0]
        raise EdgeBenchError(f"no configuration could be profiled: {configuration}: {failure.message}", failure.remedy)
    return Profiles(profiles, failures)


def _profilable(planned: Sequence[Planned], *, chosen: bool) -> Sequence[Planned]:
    """Return the configurations to profile; raise BadInput if the runtimes of all have no profiler."""
    why = [why_no_profiler(each.configuration.runtime, each.runtime_version) for each in planned]
    fitting = [each for each, reason in zip(planned, why, strict=True) if reason is None]
    reasons = [reason for reason in why if reason is not None]
    if not fitting and reasons:
        raise BadInput(reasons[-1][0], reasons[-1][1])
    return planned if chosen else fitting
