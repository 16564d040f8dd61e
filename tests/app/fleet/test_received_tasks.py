"""Runs of a task other than classify from another machine: accepted if they are of the bundle's task and examples."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from edge_bench.app.fleet.docker.engine import platform_of
from edge_bench.app.fleet.docker.errors import EngineTrouble
from edge_bench.app.fleet.runs.receive import Expected, newest_complete
from edge_bench.bench.io.files import sha256_of, write_atomically
from edge_bench.bench.io.record_codec import encode_record
from edge_bench.bench.records.bundle import MANIFEST, Bundle
from edge_bench.bench.records.manifest import File
from edge_bench.bench.records.outputs.decoding import ScoreDecoding
from edge_bench.bench.records.outputs.scores import ValueTruth
from edge_bench.bench.records.outputs.truth import encode_truth
from edge_bench.bench.records.run import Run
from edge_bench.bench.records.run_files import read_run, write_run
from edge_bench.bench.tasks.scores.tables import packed_values, unpacked_values
from tests.command_line import call
from tests.made.graph.graph_bundles import mixed_bundle, mixed_inputs

pytestmark = pytest.mark.slow

#: An alteration of a Run, as its file has it.
Change = Callable[[Run], Run]
EXAMPLES = 12
SEEN = 6


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A regression of three columns with true values."""
    made = mixed_bundle(tmp_path_factory.mktemp("made") / "bundle", EXAMPLES)
    path = made.folder / "test/truth.json"
    path.write_bytes(encode_truth(packed_values(2.0 * mixed_inputs(EXAMPLES)["values"].astype(np.float64))))
    manifest = msgspec.structs.replace(
        made.manifest,
        task="regress",
        decodings={"dynamic": ScoreDecoding(output=0)},
        truth=File(file="test/truth.json", bytes=path.stat().st_size, sha256=sha256_of(path)),
    )
    write_atomically(made.folder / MANIFEST, encode_record(manifest))
    return Bundle.open(made.folder)


@pytest.fixture(scope="module")
def measured(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A Run of the bundle's first examples."""
    folder = tmp_path_factory.mktemp("measured")
    done = call(
        "run", bundle.folder, "--runtime", "litert", "--trials", 1, "--processes", 1, "--limit", SEEN,
        "--results", folder, cwd=folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return read_run(next(folder.glob("run-*.json")))


def received(run: Run, bundle: Bundle, folder: Path) -> Run:
    """Return the accepted Run. Raise EngineTrouble if it is refused."""
    platform = platform_of(run.machine.architecture)
    expected = Expected(bundle, {"limit": SEEN, "trials": 1}, run.machine.hostname, platform)
    return newest_complete([write_run(run, folder)], expected)


def test_a_run_of_the_bundle_is_accepted(measured: Run, bundle: Bundle, tmp_path: Path) -> None:
    assert received(measured, bundle, tmp_path) == measured


def changed(**fields: Any) -> Change:
    return lambda run: msgspec.structs.replace(run, **fields)


def other_truth(run: Run) -> Run:
    """One of the true values is another one."""
    assert isinstance(run.truth, ValueTruth)
    values = unpacked_values(run.truth)
    values[-1, -1] += 1
    return msgspec.structs.replace(run, truth=packed_values(values))


def without_outputs(run: Run) -> Run:
    return msgspec.structs.replace(run, results=[msgspec.structs.replace(each, outputs=None) for each in run.results])


def more_examples(run: Run) -> Run:
    return msgspec.structs.replace(run, images=msgspec.structs.replace(run.images, total_images=EXAMPLES + 1))


@pytest.mark.parametrize(
    "change",
    [
        changed(truth=None),
        changed(decodings={"dynamic": ScoreDecoding(output=2)}),
        changed(decodings={}),
        other_truth,
        without_outputs,
        more_examples,
        lambda run: msgspec.structs.replace(without_outputs(run), task="classify", truth=None),
    ],
    ids=["no truth", "other output", "no decodings", "other truth", "no outputs", "more examples", "other task"],
)
def test_a_run_that_is_not_of_the_bundle_is_refused(
    measured: Run, bundle: Bundle, tmp_path: Path, change: Change
) -> None:
    with pytest.raises(EngineTrouble):
        received(change(measured), bundle, tmp_path)
