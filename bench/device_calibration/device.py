"""The device file of this machine, from the Run of the calibration networks."""

import re
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np

from edge_bench.bench.device_calibration.fitting import FittedSet, MeasuredNetwork, fit_networks
from edge_bench.bench.device_calibration.measuring import RUNTIME
from edge_bench.bench.errors import EdgeBenchError
from edge_bench.bench.prediction.device_file import FORMAT, UNKNOWN_CLOCK, Device
from edge_bench.bench.prediction.fit import MeasuredModel
from edge_bench.bench.prediction.model_operators import ModelOperators, read_operators
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.run import Result, Run
from edge_bench.bench.system.machine import Machine
from edge_bench.bench.wording import counted

__all__ = ["Calibrated", "calibrated_device", "device_name"]

#: Clock to which parameters refer if the machine's is unknown, as on most virtual machines.
_ANY_CLOCK_GHZ = 1.0
#: Size of the last cache if it is unknown: that of a Raspberry Pi 4.
_ANY_CACHE_KB = 1024.0
_PERCENTILE = 90


class Calibrated(NamedTuple):
    """A device file, and the fits behind it, in the order of its parameter sets."""

    device: Device
    fits: Sequence[FittedSet]


def device_name(text: str) -> str:
    """Return a name of a device that is a valid file name: lower case, with hyphens for other characters."""
    return re.sub(r"[^a-z0-9+._]+", "-", text.lower().removesuffix(".toml")).strip("-._")[:60] or "device"


def calibrated_device(run: Run, bundle: Bundle, name: str, percentile: float = 50) -> Calibrated:
    """Return the device file of the machine that made the Run of the networks in ``bundle``.

    ``percentile`` of the invocations is what the device file predicts; the median, except in studies.
    It is unreliable if the Run is. Raise EdgeBenchError if too few networks were measured.
    """
    clock, evidence = _clock(run)
    operators = {variant.name: read_operators(bundle.folder / variant.file) for variant in bundle.variants}
    fits = list[FittedSet]()
    for precision in _PRECISIONS:
        for threads in sorted({each.configuration.threads for each in run.results}):
            measured = _networks(run.results, operators, precision, threads, percentile)
            try:
                fits.append(fit_networks(measured, precision, threads, clock, _cache_kb(run.machine)))
            except ValueError as cause:
                raise EdgeBenchError(
                    f"no calibration for {precision} with {counted(threads, 'thread')}: {cause}",
                    _first_failure(run.results) or "calibrate again",
                ) from None
    errors = [abs(error) for each in fits for error in each.errors.values()]
    machine, core = run.machine, run.machine.cpu or run.machine.architecture
    device = Device(
        format=FORMAT,
        name=name,
        board=machine.board or core,
        core=core,
        order="unknown",
        cores=machine.cores,
        clock_ghz=clock,
        clock_evidence=evidence,
        macs_per_cycle={},
        isa=[machine.architecture],
        memory_mb=[max(1, machine.memory_bytes >> 20)],
        personal=True,
        reliable=run.trusted is True,
        leave_one_out_error=float(np.mean(errors)),
        calibrated=f"{run.ended[:10]}, {RUNTIME} {_version(run.results)}, run {run.run_id[:8]}",
        parameters=[each.parameters for each in fits],
    )
    return Calibrated(device, fits)


_PRECISIONS: tuple[Literal["float32", "int8"], ...] = ("float32", "int8")


def _cache_kb(machine: Machine) -> float:
    return _ANY_CACHE_KB if machine.cache_bytes is None else machine.cache_bytes / 1024


def _clock(run: Run) -> tuple[float, str]:
    """Return the clock in GHz during the trials, and how it is known."""
    clocks = [trial.clock_mhz for result in run.results for trial in result.trials if trial.clock_mhz]
    if clocks:
        return float(np.median(clocks)) / 1000, "median clock after the trials"
    if run.machine.frequency_mhz:
        return run.machine.frequency_mhz / 1000, "maximum of the frequency driver"
    return _ANY_CLOCK_GHZ, UNKNOWN_CLOCK


def _networks(
    results: Sequence[Result], operators: Mapping[str, ModelOperators], precision: str, threads: int, percentile: float
) -> list[MeasuredNetwork]:
    found = []
    for result in results:
        variant = result.configuration.variant
        network = variant.removesuffix(f"-{precision}")
        if result.configuration.threads != threads or network == variant or not result.trials:
            continue
        latencies = result.latencies_ms_per_image()
        middle, high = np.percentile(latencies, (percentile, _PERCENTILE))
        row = MeasuredModel(operators[variant].operators, float(middle), network)
        found.append(MeasuredNetwork(row, float(high / middle)))
    return found


def _version(results: Sequence[Result]) -> str:
    return next((each.runtime_version for each in results if each.runtime_version), "")


def _first_failure(results: Sequence[Result]) -> str:
    return next((f"{each.configuration}: {each.failure.message}" for each in results if each.failure), "")
