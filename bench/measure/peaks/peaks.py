"""The peaks of this machine for the configurations of one command."""

from pathlib import Path

import msgspec

from edge_bench.bench.measure.peaks.bandwidth import Moved, measure_bandwidth
from edge_bench.bench.measure.peaks.compute import ComputePeaks, compute_peaks, has_probes
from edge_bench.bench.measure.peaks.load import Load
from edge_bench.bench.records.profile import Peaks, Profile
from edge_bench.bench.runtimes import runtime_named
from edge_bench.bench.system.caches import last_cache_bytes, second_cache_share
from edge_bench.bench.system.cores import measured_cores
from edge_bench.bench.system.machine import Machine
from edge_bench.bench.system.memory import available_memory
from edge_bench.bench.system.sensors import Sensors
from edge_bench.bench.wording import size
from edge_bench.bench.worker.process import WorkerFailed

__all__ = ["PeakMeter"]

#: Bytes of arrays in memory: four times the last cache, as STREAM requires, within these limits.
_LEAST_BYTES, _MOST_BYTES = 64 << 20, 512 << 20
#: Bytes per core of arrays in the second-level cache: half of its share; this if it is unknown.
_CACHED_BYTES = 64 << 10


class PeakMeter:
    """Measures peaks, each once: a configuration with the same runtime and threads gets the same ones.

    They are not kept for another command, because clock, temperature and other programs change.
    """

    def __init__(self, machine: Machine, timeout: float, cpus: str = "", root: Path = Path("/")) -> None:
        """``timeout`` is in seconds for each step of a worker, ``cpus`` are the measured cores; empty: all."""
        self._machine, self._timeout, self._cores, self._root = machine, timeout, measured_cores(cpus), root
        self._peaks: dict[tuple[str, int], Peaks] = {}

    def with_peaks(self, profile: Profile) -> Profile:
        """Return the profile with the peaks of its runtime and threads."""
        return msgspec.structs.replace(profile, peaks=self.peaks(profile.runtime, profile.threads))

    def peaks(self, runtime: str, threads: int) -> Peaks | None:
        """Return the peaks of a runtime with this number of threads; None on an emulated machine.

        A rate that cannot be measured is missing, and ``method`` says why.
        """
        if self._machine.emulated:
            return None
        if (runtime, threads) not in self._peaks:
            self._peaks[runtime, threads] = self._measured(runtime, threads)
        return self._peaks[runtime, threads]

    def _measured(self, name: str, threads: int) -> Peaks:
        load = Load(Sensors(self._root, cores=self._cores), self._machine.cores)
        runtime = runtime_named(name)
        if has_probes(runtime):
            compute = compute_peaks(runtime, threads, self._timeout, load)
        else:
            compute = ComputePeaks(missing={"compute": f"edge-bench makes no models for {name}"})
        cache, (memory_size, cached_size) = last_cache_bytes(self._root), self._sizes(threads)
        memory, cached = (self._moved(threads, each, compute, load) for each in (memory_size, cached_size))
        return Peaks(
            threads=threads,
            macs_per_second=compute.rates,
            bytes_per_second=_best(memory),
            cached_bytes_per_second=_best(cached),
            cache_bytes=cache,
            method=_method(name, memory_size, cached_size, compute),
            disturbed=load.reasons,
        )

    def _sizes(self, threads: int) -> tuple[int, int]:
        """Return the bytes of arrays in memory and in the cache, of all threads together."""
        wanted = max(_LEAST_BYTES, 4 * (last_cache_bytes(self._root) or 0))
        memory = min(wanted, _MOST_BYTES, max(available_memory(self._root) // 4, 1 << 20))
        return memory, threads * ((second_cache_share(self._root) or 2 * _CACHED_BYTES) // 2)

    def _moved(self, threads: int, size_bytes: int, compute: ComputePeaks, load: Load) -> Moved | None:
        try:
            with load.watch() as watched:
                moved = measure_bandwidth(threads, size_bytes, self._timeout)
                watched.own_ns = moved.cpu_ns
        except WorkerFailed as cause:
            compute.missing["bytes"] = cause.failure.message
            return None
        return moved


def _best(moved: Moved | None) -> float | None:
    return None if moved is None else max(moved.copied, moved.read)


def _method(name: str, memory: int, cached: int, compute: ComputePeaks) -> str:
    parts = [
        f"multiply-accumulates: fastest invocation of convolutions and matrix products of edge-bench's own on {name}",
        f"bytes: the faster of copying and reading arrays of {size(memory)} in memory and {size(cached)} in caches",
        *(f"{what} not measured: {why}" for what, why in compute.missing.items()),
    ]
    return "; ".join(parts)
