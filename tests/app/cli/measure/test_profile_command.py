"""``profile`` and ``run --profile``."""

import json
from pathlib import Path
from unittest import mock

import msgspec
import pytest

from edge_bench.app.tables.profiles.sentences import profile_answer, profile_trust
from edge_bench.app.tables.profiles.table import profile_table
from edge_bench.app.tables.rows.profiled import ProfileRow
from edge_bench.bench.errors import BadInput
from edge_bench.bench.measure.plan import Selection
from edge_bench.bench.measure.profiling import after_trials, request
from edge_bench.bench.model_formats.tflite import read_tflite
from edge_bench.bench.progress import Silent
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.profile import Profile
from edge_bench.bench.records.run import Run, Settings
from edge_bench.bench.records.run_files import read_run
from tests.command_line import CommandLine, Refuses, call_here
from tests.factories import measure_bundle
from tests.made.profiles import operator_time, profile
from tests.made.tflite_models import brightness_tflite

pytestmark = pytest.mark.usefixtures("measure_here")


@pytest.mark.slow
def test_profile_shows_every_operator_of_the_model(edge_bench_here: CommandLine, tmp_path: Path) -> None:
    path = brightness_tflite(tmp_path / "model.tflite", range(4), (1, 32, 32, 3))
    kinds = [node.name for node in read_tflite(path).nodes]
    figure = tmp_path / "roofline.svg"
    shown = edge_bench_here("profile", path, "--runtime", "litert", "--format", "json", "--figure", figure)
    assert figure.read_text().startswith("<?xml")
    (row,) = msgspec.json.decode(shown.stdout, type=list[ProfileRow])
    assert row.model_nodes == row.covered_nodes == len(kinds)
    assert [each.kind for each in row.operators] == [kinds[each.nodes[0]] for each in row.operators]
    dense = next(each for each in row.operators if each.kind == "FULLY_CONNECTED")
    assert dense.macs == 32 * 32 * 3 * 4
    assert row.peaks is not None
    assert set(row.peaks.macs_per_second) == {"float32", "int8"}
    assert dense.roof_share is None or dense.roof_share > 0
    assert row.invocations > 0
    assert row.processes == 3
    assert min(row.invocation_seconds, row.profiled_seconds) > 0
    assert sum(each.seconds for each in row.operators) == pytest.approx(row.operator_seconds)
    lines = edge_bench_here("profile", path, "--runtime", "litert", "--format", "csv").stdout.splitlines()
    assert len(lines) == 1 + len(row.operators)
    assert {"model", "variant", "runtime", "threads", "batch_size", "delegate"} <= set(lines[0].split(","))


def test_a_runtime_without_a_profiler_is_refused(refuses: Refuses, tmp_path: Path) -> None:
    path = brightness_tflite(tmp_path / "model.tflite", range(4))
    refused = refuses("profile", path, "--runtime", "tflite-runtime")
    assert isinstance(refused, BadInput)
    assert "--runtime litert" in refused.remedy


def test_measurements_are_printed_even_if_the_figure_cannot_be_drawn(tmp_path: Path) -> None:
    path = brightness_tflite(tmp_path / "model.tflite", range(4))
    found = request.Profiles([profile(operator_time(0, "SOFTMAX", 100, macs=0), invocation=101)], [])
    with mock.patch.object(request, "profile_request", return_value=found):
        shown = call_here("profile", path, "--runtime", "litert", "--figure", tmp_path / "a.svg", cwd=tmp_path)
    assert isinstance(shown.error, BadInput)
    assert "no roofline to draw" in str(shown.error)
    assert shown.stdout.startswith("SOFTMAX takes 99 %")


@pytest.mark.slow
def test_run_keeps_profiles_and_reports_why_one_failed(edge_bench_here: CommandLine, tmp_path: Path) -> None:
    path = brightness_tflite(tmp_path / "model.tflite", range(4))
    options = ["--runtime", "litert,tflite-runtime", "--trials", 2, "--processes", 1, "--profile"]
    shown = edge_bench_here("run", path, *options, "--format", "json", "--results", tmp_path / "results")
    (file,) = (tmp_path / "results").glob("*.json")
    stored = {each.configuration.runtime: each for each in read_run(file).results}
    found = stored["litert"].profile
    assert found is not None
    assert found.covered_nodes == len(read_tflite(path).nodes)
    assert stored["tflite-runtime"].profile is None
    assert any("no profile" in each for each in stored["tflite-runtime"].warnings)
    assert all(len(each.trials) == 2 and each.failure is None for each in stored.values())
    rows = {row["runtime"]: row["profile"] for row in json.loads(shown.stdout)}
    assert rows["tflite-runtime"] is None
    assert rows["litert"]["operator_seconds"] == pytest.approx(found.operator_seconds)


class Interrupts(Silent):
    """Interrupts the run when the second configuration is profiled."""

    begun = False
    profiled = 0

    def start(self, what: str, steps: int, done: int = 0) -> None:
        self.begun |= what == "profiling"

    def advance(self, steps: int = 1, note: str = "") -> None:
        self.profiled += steps * self.begun
        if self.profiled:
            raise KeyboardInterrupt


@pytest.mark.slow
def test_resume_profiles_only_what_is_missing(
    digits_bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = list[str]()

    def profiled(workload: object, planned: object, settings: object) -> Profile:
        asked.append(planned.configuration.variant)  # type: ignore[attr-defined]
        return profile(operator_time(0, "X", 1), invocation=1)

    monkeypatch.setattr(after_trials, "profile_configuration", profiled)
    selection = Selection(variants=["float32", "dynamic"], runtimes=["litert"])
    settings = Settings(trials=1, processes=1, limit=20, profile=True)
    first, _ = measure_bundle(digits_bundle.folder, selection, settings, tmp_path, Interrupts())
    assert not first.complete
    resumed, _ = measure_bundle(digits_bundle.folder, selection, settings, tmp_path, Silent(), resume=True)
    assert resumed.complete
    assert asked == ["float32", "dynamic"]
    assert _profiles(first) == [True, False]
    assert _profiles(resumed) == [True, True]


def _profiles(run: Run) -> list[bool]:
    return [result.profile is not None for result in run.results]


def test_the_answer_names_the_kind_and_the_operator_that_take_most_of_the_time() -> None:
    operators = [
        operator_time(0, "CONV_2D", 400), operator_time(1, "CONV_2D", 250), operator_time(2, "FULLY_CONNECTED", 300),
    ]  # fmt: skip
    made = profile(*operators, invocation=1000)
    assert profile_answer(made) == "CONV_2D takes 65 % of 1.00 ms: conv_2d_0 alone 40 %"
    longer = profile(*operators, invocation=900)
    assert profile_answer(longer) == "CONV_2D takes 68 % of 950 µs of all operators: conv_2d_0 alone 42 %"
    *rows, between = profile_table(longer).rows
    assert sum(float(row[4].removesuffix(" %")) for row in rows) == pytest.approx(100, abs=0.1)
    assert between[4] == ""  # as these shares add up
    assert profile_trust(made).startswith("Times add up: operators take 950 µs of 1.00 ms")
    assert profile_trust(profile(*operators, invocation=500)).startswith("! Times not reliable")
    assert profile_trust(profile(*operators, invocation=2000)).startswith("! Times incomplete")
    assert profile_trust(profile(*operators[:1], invocation=445)).startswith("! Times too short to be sure")
