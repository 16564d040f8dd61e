"""Runs and a page that the report tests share."""

from pathlib import Path

import msgspec
import pytest

from edge_bench.bench.io.record_codec import pack
from edge_bench.bench.measure.plan import Selection
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.run import Run
from tests.app.report.pages import EMULATED, page_of
from tests.factories import measure
from tests.in_process.workers import workers_here


@pytest.fixture(scope="session")
def real_run(digits_bundle: Bundle) -> Run:
    """Four trials of each of LiteRT's variants on 60 images."""
    with workers_here():
        return measure(digits_bundle, Selection(runtimes=["litert"]))


@pytest.fixture(scope="session")
def emulated_run(real_run: Run) -> Run:
    """The same Run as if from an emulated machine, with two other labels in every result."""
    results = []
    for item in real_run.results:
        labels = item.labels()
        labels[:2] = (labels[:2] + 1) % 10
        results.append(msgspec.structs.replace(item, predictions=pack(labels)))
    return msgspec.structs.replace(real_run, run_id="e" * 32, machine=EMULATED, results=results)


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory, real_run: Run, emulated_run: Run, digits_bundle: Bundle) -> Path:
    """The page of both Runs and their bundle."""
    folder = tmp_path_factory.mktemp("report")
    page_of(folder, [real_run, emulated_run], digits_bundle.folder)
    return folder / "report.html"
