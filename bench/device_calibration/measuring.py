"""The measurement of the calibration networks on this machine: one Run of `edge-bench run`."""

from collections.abc import Sequence
from pathlib import Path

from edge_bench.bench.analysis.times.reliability import reliability_of
from edge_bench.bench.errors import BadInput, NotTrusted
from edge_bench.bench.measure.plan import Selection
from edge_bench.bench.measure.request import BenchmarkRequest
from edge_bench.bench.measure.schedule import AT_ONCE
from edge_bench.bench.measure.session import StoredRun, measure
from edge_bench.bench.measure.stored.matching import matching_runs
from edge_bench.bench.progress import Progress
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.run import Run, Settings
from edge_bench.bench.system.concurrent_runs import concurrent_runs, runtime_folders
from edge_bench.bench.system.environment import concurrent_run_findings, load_now, machine_findings
from edge_bench.bench.system.machine import Finding, Machine, describe_machine, usable_cores

__all__ = [
    "RUNTIME",
    "calibration_settings",
    "measure_networks",
    "refuse_emulated",
    "require_ready",
    "require_reliable",
    "threads_of",
]

#: The runtime whose kernels are calibrated.
RUNTIME = "litert"
#: Trials and processes of each network: 20 networks with one and all threads take a few minutes.
TRIALS, PROCESSES = 15, 3


def calibration_settings(trials: int = TRIALS, processes: int = PROCESSES, timeout: float = 600.0) -> Settings:
    """Return the settings of the Run."""
    return Settings(trials=trials, processes=processes, timeout_s=timeout, at_once=AT_ONCE)


def threads_of(cores: int) -> list[int]:
    """Return the numbers of threads to calibrate: one, and one per core."""
    return sorted({1, cores})


def refuse_emulated(machine: Machine) -> None:
    """Raise BadInput if the machine is emulated."""
    if machine.emulated:
        raise BadInput(
            f"this machine is emulated ({machine.emulation_signs[0]}): its times are not those of a device",
            "calibrate on the device",
        )


def require_ready(*, force: bool) -> None:
    """Raise an error if times on this machine would not be valid (always), or not reliable (unless ``force``)."""
    machine = describe_machine()
    refuse_emulated(machine)
    if force:
        return
    others = concurrent_run_findings(concurrent_runs(*runtime_folders()), now=True)
    spoiling = [each for each in (*machine_findings(machine), *others) if each.spoils]
    if found := [*spoiling, *load_now(machine)]:
        raise _not_reliable(found)


def _not_reliable(findings: Sequence[Finding]) -> NotTrusted:
    """Return the error for findings that make a calibration unreliable."""
    more = f", and {len(findings) - 1} more reasons" if len(findings) > 1 else ""
    return NotTrusted(
        f"this machine is not reliable enough to calibrate: {findings[0].what}{more}",
        f"{findings[0].remedy}; or use --force, which marks the device file as unreliable",
    )


def measure_networks(
    bundle: Bundle,
    results: Path,
    progress: Progress,
    settings: Settings,
    *,
    force: bool = False,
    once: bool = False,
    resume: bool = False,
) -> StoredRun:
    """Measure every network with one and all threads; return the Run, which is incomplete after Ctrl-C, and its path.

    Raise an error before the first measurement if this machine is not ready (`require_ready`, with ``force``).
    With ``once`` return a complete Run of the same networks, settings and machine, if there is one in ``results``. With
    ``resume`` continue an interrupted one.
    """
    refuse_emulated(describe_machine())
    selection = Selection(runtimes=[RUNTIME], threads=threads_of(usable_cores()))
    request = BenchmarkRequest.from_bundle(bundle.folder, selection, settings, progress)
    _require_usable(request)
    if not (once and next(matching_runs(results, request, None), None)):
        require_ready(force=force)
    return measure(request, results, progress, once=once, resume=resume)


def _require_usable(request: BenchmarkRequest) -> None:
    """Raise an error if a network cannot be measured, as all are needed."""
    for item in request.planned:
        if item.failure is not None:
            raise BadInput(f"{item.configuration}: {item.failure.message}", item.failure.remedy)


def require_reliable(run: Run, path: Path, *, force: bool) -> None:
    """Raise NotTrusted if the times of a complete Run are not reliable, unless ``force``."""
    reasons = reliability_of([run]).reasons
    if force or (run.trusted and not reasons):
        return
    first = reasons[0].what if reasons else "no configuration was measured"
    more = f", and {len(reasons) - 1} more reasons" if len(reasons) > 1 else ""
    raise NotTrusted(
        f"the times are not reliable enough to calibrate: {first}{more}",
        "stop other programs and calibrate again; or use --once --force, which uses these measurements and marks the "
        f"device file as unreliable (they are kept in {path})",
    )
