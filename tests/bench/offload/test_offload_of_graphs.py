"""`offload` of a model with two inputs and three outputs, against a real server."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_bench.bench.errors import BadInput
from edge_bench.bench.io.record_codec import unpack
from edge_bench.bench.offload.records.files import read_offload
from edge_bench.bench.offload.records.offload import Offload
from edge_bench.bench.records.bundle import Bundle
from tests.command_line import CommandLine, Refuses, assert_refused
from tests.made.graph.graph_bundles import MIXED_OUTPUTS, mixed_bundle
from tests.serving import Served, served

pytestmark = pytest.mark.slow

FEW = ("--trials", 4, "--processes", 2, "--limit", 5, "--runtime", "litert")


@pytest.fixture(scope="module", params=[True, False], ids=["open batch", "one example"])
def bundle(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return mixed_bundle(tmp_path_factory.mktemp("mixed") / "bundle", open_batch=request.param)


@pytest.fixture(scope="module")
def server(bundle: Bundle) -> Iterator[Served]:
    with served(bundle.folder, "--runtime", "litert") as running:
        yield running


def written(folder: Path) -> Offload:
    (path,) = folder.glob("results/offload-*.json")
    return read_offload(path)


def test_outputs_here_and_there_are_measured_and_compared(
    edge_bench: CommandLine, bundle: Bundle, server: Served, tmp_path: Path
) -> None:
    done = edge_bench(
        "offload", bundle.folder, "--server", server.url, *FEW, "--in-flight", "1,3", "--link", "rtt=5ms",
        "--format", "json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    measured = written(tmp_path)
    assert {(arm.payload, arm.link, arm.in_flight) for arm in measured.remotes} == {
        ("raw", link, count) for link in ("direct", "rtt=5ms") for count in (1, 3)
    }
    assert all(len(arm.trials) == 4 and arm.failure is None for arm in measured.arms)
    assert measured.accuracies == []
    trial = measured.remotes[0].trials[0]
    parts = {name: unpack(values) for name, values in trial.parts.items()}
    assert (parts["compute"] > 0).all()
    assert (parts["compute"] <= parts["server"]).all()
    compared = measured.comparison
    assert compared is not None
    # the same model on the same runtime: every output is the same
    assert (compared.examples, compared.identical, compared.by_name) == (12, 12, True)
    assert [output.name for output in compared.outputs] == list(MIXED_OUTPUTS)
    for output in compared.outputs:
        assert (output.identical, output.other_shapes, output.difference.max_abs) == (12, 0, 0)
    here, there, *_ = json.loads(done.stdout)
    assert here["configuration"] == "local"
    assert there["outputs"]["identical"] == 12


def test_tables_and_the_report_show_the_outputs(
    edge_bench: CommandLine, bundle: Bundle, server: Served, tmp_path: Path
) -> None:
    done = edge_bench("offload", bundle.folder, "--server", server.url, *FEW, "--in-flight", "1", "--wide")
    assert done.returncode == 0, done.stderr
    assert "12 of 12 identical" in done.stdout
    assert all(name in done.stdout for name in MIXED_OUTPUTS)
    page = edge_bench("report", "results", "-o", "page.html")
    assert page.returncode == 0, page.stderr
    assert "12 of 12 identical" in (tmp_path / "page.html").read_text()


def test_only_raw_values_are_sent(refuses: Refuses, bundle: Bundle) -> None:
    error = refuses("offload", bundle.folder, "--server", "http://127.0.0.1:9", "--payload", "raw,png", kind=BadInput)
    assert "png" in error.problem
    assert "raw" in error.remedy


def test_local_inference_is_measured_without_a_server(edge_bench: CommandLine, bundle: Bundle, tmp_path: Path) -> None:
    done = edge_bench("offload", bundle.folder, "--server", "http://127.0.0.1:9", *FEW)
    assert_refused(done, "http://127.0.0.1:9", code=1)
    measured = written(tmp_path)
    assert len(measured.local.trials) == 4
    assert measured.comparison is None
