"""Runs that the report tests share."""

import msgspec
import pytest

from edge_bench.bench.dataset.workload import bundle_workload
from edge_bench.bench.io.record_codec import pack
from edge_bench.bench.measure.plan import Selection, plan
from edge_bench.bench.measure.runner import run_benchmark
from edge_bench.bench.progress import Silent
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.run import Run, Settings
from tests.factories import machine

__all__ = ["EMULATED", "emulated_run", "real_run"]
EMULATED = machine(hostname="edge", architecture="aarch64", emulated=True, emulation_signs=["a sign"])


@pytest.fixture(scope="session")
def real_run(digits_bundle: Bundle) -> Run:
    """Six trials each of LiteRT's variants on real digits."""
    selection = Selection(runtimes=["litert"])
    return run_benchmark(
        bundle_workload(digits_bundle, 60),
        plan(digits_bundle, selection),
        Settings(trials=6, processes=3, limit=60),
        Silent(),
    )


@pytest.fixture(scope="session")
def emulated_run(real_run: Run) -> Run:
    """The same as an emulated edge's: other names, two labels that came out differently, times that mean nothing."""
    results = []
    for item in real_run.results:
        labels = item.labels()
        labels[:2] = (labels[:2] + 1) % 10
        results.append(msgspec.structs.replace(item, predictions=pack(labels)))
    return msgspec.structs.replace(real_run, run_id="e" * 32, machine=EMULATED, results=results)
