"""What a run takes by default under an emulator, which is 50 to 300 times slower."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from edge_bench.bench.dataset.options import DataOptions
from edge_bench.bench.io.files import write_atomically
from edge_bench.bench.io.record_codec import encode_record
from edge_bench.bench.measure import request
from edge_bench.bench.measure.plan import Selection
from edge_bench.bench.measure.request import EMULATED_LIMIT, BenchmarkRequest
from edge_bench.bench.progress import Silent
from edge_bench.bench.records.bundle import LIGHT, MANIFEST
from edge_bench.bench.records.run import Settings
from tests.made.graph.graph_bundles import mixed_bundle
from tests.made.graph.graphs import mixed_tflite

EVERYTHING = Selection(variants=[], runtimes=[])


@pytest.fixture(autouse=True)
def _emulated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request, "emulation_signs", lambda: ["a sign"])


def test_random_inputs_are_as_many_as_without_an_emulator(tmp_path: Path) -> None:
    model = mixed_tflite(tmp_path / "mixed.tflite", signature="serving_default")
    options = DataOptions(task="tensor", ranges=("ids=0..9",))
    made = BenchmarkRequest.from_files([model], options, Selection(runtimes=["litert"]), Settings(), Silent())
    assert made.settings.limit is None
    assert len(made.workload.indices) < EMULATED_LIMIT


@pytest.mark.parametrize("names", [[LIGHT, "float32"], ["float32", "int8"]])
def test_a_bundle_is_measured_with_its_light_variant_if_it_has_one(tmp_path: Path, names: Sequence[str]) -> None:
    bundle = mixed_bundle(tmp_path / "bundle")
    variants = [msgspec.structs.replace(bundle.variants[0], name=name) for name in names]
    manifest = msgspec.structs.replace(bundle.manifest, variants=variants)
    write_atomically(bundle.folder / MANIFEST, encode_record(manifest))
    made = BenchmarkRequest.from_bundle(bundle.folder, EVERYTHING, Settings(), Silent())
    measured = {item.configuration.variant for item in made.planned}
    assert measured == ({LIGHT} if LIGHT in names else set(names))
    assert made.settings.limit == EMULATED_LIMIT
