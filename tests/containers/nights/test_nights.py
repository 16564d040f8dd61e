"""Nights on a real Docker engine: one that does not answer, and a new model measured beside the old one."""

import os
from pathlib import Path

import msgspec
import pytest

from edge_bench.bench.io.record_codec import encode_record
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.nights.files import read_recent_nights
from edge_bench.bench.records.nights.night import ConfirmationKind, MeasurementState, Rule
from edge_bench.bench.records.run_files import read_run
from tests.command_line import CommandLine
from tests.containers.compose import NATIVE

pytestmark = [pytest.mark.containers, pytest.mark.usefixtures("native_image")]

SETTINGS = f"""
[[model]]
name = "digits"
bundle = "bundle"
[run]
variant = "int8"
runtime = "litert"
trials = 5
limit = 100
runs_per_night = 2
[fleet]
image = "{NATIVE}"
[[fleet.engine]]
name = "real"
url = "{os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")}"
"""
DEAD = '[[fleet.engine]]\nname = "dead"\nurl = "unix:///nowhere/docker.sock"\n'


def test_a_silent_engine_and_a_slower_model_on_a_docker_engine(
    bundle_copy: Path, tmp_path: Path, edge_bench: CommandLine
) -> None:
    if bundle_copy.name != "bundle":
        bundle_copy.rename(tmp_path / "bundle")
    folder, path, results = tmp_path / "bundle", tmp_path / "edge-bench.toml", tmp_path / "results"
    path.write_text(SETTINGS + DEAD)
    first = edge_bench("nightly", path)
    assert first.returncode == 1, first.stderr
    (night,) = read_recent_nights(results, 9)[0]
    assert [each.state for each in night.measurements] == [MeasurementState.DELIVERED, MeasurementState.SILENT]
    assert [(each.engine, each.reported) for each in night.silent] == [("dead", True)]
    assert len(night.measurements[0].more_runs) == 1

    # the int8 variant becomes the float32 one, which takes more than twice as long
    bundle = Bundle.open(folder)
    float32 = bundle.variant("float32")
    slower = msgspec.structs.replace(
        bundle.variant("int8"), file=float32.file, bytes=float32.bytes, sha256=float32.sha256
    )
    variants = [slower if each.name == "int8" else each for each in bundle.variants]
    (folder / "manifest.json").unlink()  # a hard link to the bundle that is kept
    (folder / "manifest.json").write_bytes(encode_record(msgspec.structs.replace(bundle.manifest, variants=variants)))
    path.write_text(SETTINGS)
    second = edge_bench("nightly", path)
    assert second.returncode == 3, second.stderr
    night = read_recent_nights(results, 9)[0][-1]
    (finding,) = night.reported
    assert (finding.rule, finding.engine, finding.verdict) == (Rule.NEW_MODEL, "real", "slower")
    assert any(each.startswith("model ") for each in finding.differences)
    confirmation = finding.confirmation
    assert confirmation is not None
    assert (confirmation.kind, confirmation.confirmed) == (ConfirmationKind.INTERLEAVED, True)
    run = read_run(results / "nights" / "confirmations" / confirmation.run_file)
    assert [each.configuration.variant for each in run.results] == ["int8", "old-int8"]
