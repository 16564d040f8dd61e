"""Runs in the formats of github-action-benchmark and Bencher."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from edge_bench.app.render.escaping import visible
from edge_bench.bench.errors import BadInput, NotTrusted
from edge_bench.bench.io.record_codec import encode_record
from edge_bench.bench.records.run import Failure, Run
from edge_bench.bench.system.machine import Finding
from tests.command_line import Refuses, call_here
from tests.factories import group, machine, repeats, result, run
from tests.github.models import layered_tflite

SCHEMAS = Path(__file__).with_name("schemas")
FORMATS = ("bencher", "github-action-benchmark")
DYNAMIC = "dynamic on litert, 1 thread, batch 1"


def reliable(*results: Any, **how: Any) -> Run:
    return msgspec.structs.replace(run(*results, **how), trusted=True)


def exported(form: str, folder: Path, *runs: Run, command: tuple[object, ...] = ("compare", ".")) -> Any:
    """Return what a command exports of Runs in a folder, after validating it."""
    for number, each in enumerate(runs):
        (folder / f"run-{number}.json").write_bytes(encode_record(each))
    outcome = call_here(*command, "--format", form, cwd=folder)
    assert outcome.code == 0, outcome.error
    values = json.loads(outcome.stdout)
    jsonschema.validate(values, json.loads((SCHEMAS / f"{form}.json").read_text()))
    return values


def test_bencher_gets_each_value_with_its_interval(tmp_path: Path) -> None:
    values = exported("bencher", tmp_path, reliable(result("dynamic", "litert", 0.1, wrong=3, noise=0.01)))
    assert values.keys() == {DYNAMIC}
    measures = values[DYNAMIC]
    latency = measures["latency"]
    assert latency["value"] == pytest.approx(1e6, rel=0.03)  # ns: 0.1 s for 100 images
    assert latency["lower_value"] < latency["value"] < latency["upper_value"]
    assert measures["accuracy"]["value"] == pytest.approx(97)
    assert measures["accuracy"]["lower_value"] == pytest.approx(91.5, abs=0.1)  # Wilson
    assert measures["accuracy"]["upper_value"] == pytest.approx(99.0, abs=0.1)
    assert measures["file-size"] == {"value": 1000}


def test_github_action_benchmark_gets_values_of_which_less_is_better(tmp_path: Path) -> None:
    values = exported("github-action-benchmark", tmp_path, reliable(result("dynamic", "litert", 0.1, wrong=3)))
    time, error, size = values
    assert (time["name"], time["unit"]) == (DYNAMIC, "ms/image")
    assert time["value"] == pytest.approx(1, rel=0.01)
    low, high = map(float, time["range"].strip("[]").split(", "))
    assert low <= time["value"] <= high
    assert (error["name"], error["unit"], error["range"]) == (f"{DYNAMIC}: 100 % − accuracy", "%", "[1.025, 8.452]")
    assert error["value"] == pytest.approx(3)
    assert (size["value"], size["unit"]) == (1000, "bytes")


@pytest.mark.parametrize("form", FORMATS)
def test_history_exports_the_newest_run_and_compare_the_newest_of_each_configuration(form: str, tmp_path: Path) -> None:
    runs = repeats(reliable(result("dynamic", "litert", 0.1)), count=3, variation=0.3)
    for command in (("compare", "."), ("history", ".")):
        values = exported(form, tmp_path, *runs, command=command)
        last = 10 * runs[-1].results[0].pass_seconds()
        times = [each["value"] for each in values if each["unit"] == "ms/image"] if isinstance(values, list) else None
        found = times or [each["latency"]["value"] / 1e6 for each in values.values()]
        assert found == [pytest.approx(sorted(last)[15], rel=0.01)]


def test_repeats_have_one_value_with_the_interval_over_runs(tmp_path: Path) -> None:
    runs = group(repeats(reliable(result("dynamic", "litert", 0.1)), count=5, variation=0.02))
    latency = exported("bencher", tmp_path, *runs)[DYNAMIC]["latency"]
    assert 1.01 < latency["upper_value"] / latency["lower_value"] < 1.2


def test_several_machines_have_names_of_their_own(tmp_path: Path) -> None:
    runs = [reliable(result("dynamic", "litert", 0.1), on=machine(hostname=name)) for name in ("desk", "pi")]
    names = list(exported("bencher", tmp_path, *runs))
    assert len(names) == 2
    assert all(name.startswith(DYNAMIC) for name in names)


def test_a_gate_exports_the_new_runs_and_still_fails(tmp_path: Path) -> None:
    old, new = (reliable(result("dynamic", "litert", seconds)) for seconds in (0.1, 0.2))
    (tmp_path / "old.json").write_bytes(encode_record(old))
    (tmp_path / "new.json").write_bytes(encode_record(new))
    command = ("compare", "new.json", "--baseline", "old.json", "--fail-if-slower", "5%", "--format", "bencher")
    outcome = call_here(*command, cwd=tmp_path)
    assert outcome.code == 3
    assert json.loads(outcome.stdout)[DYNAMIC]["latency"]["value"] == pytest.approx(2e6, rel=0.01)


UNSTABLE = msgspec.structs.replace(
    result("int8", "litert", 0.1),
    trials=[
        msgspec.structs.replace(trial, elapsed_ns=trial.elapsed_ns * (1 + number % 2))
        for number, trial in enumerate(result("int8", "litert", 0.1).trials)
    ],
)
CRASHED = msgspec.structs.replace(result("int8", "litert", 0.1), failure=Failure(kind="crashed", message="SIGSEGV"))


@pytest.mark.parametrize("other", [UNSTABLE, CRASHED], ids=["unstable", "crashed"])
def test_a_time_that_is_not_reliable_is_left_out_with_a_note(other: Any, tmp_path: Path) -> None:
    whole = reliable(result("dynamic", "litert", 0.1), other)
    for form in FORMATS:
        values = exported(form, tmp_path, whole)
        if form == "bencher":
            assert [name for name, each in values.items() if "latency" in each] == [DYNAMIC]
            assert values["int8 on litert, 1 thread, batch 1"]["file-size"] == {"value": 1000}
        else:
            assert [each["name"] for each in values if each["unit"] == "ms/image"] == [DYNAMIC]
    outcome = call_here("compare", ".", "--format", "bencher", cwd=tmp_path)
    assert "int8 on litert" in outcome.stderr


FINDING = Finding(what="the processor was throttled", remedy="cool it", spoils=True)
REFUSED = {
    "emulated": reliable(result("a", "x", 1.0), on=machine(emulated=True, emulation_signs=["a"])),
    "not reliable": msgspec.structs.replace(run(result("a", "x", 1.0)), trusted=False, findings=[FINDING]),
    "unknown": run(result("a", "x", 1.0)),
    "one process": reliable(
        msgspec.structs.replace(
            result("a", "x", 1.0), trials=[t for t in result("a", "x", 1.0).trials if not t.process]
        )
    ),
}


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("name", REFUSED)
def test_without_a_reliable_time_nothing_is_exported(name: str, form: str, tmp_path: Path) -> None:
    (tmp_path / "run-0.json").write_bytes(encode_record(REFUSED[name]))
    for command in ("compare", "history"):
        outcome = call_here(command, ".", "--format", form, cwd=tmp_path)
        assert (outcome.code, type(outcome.error), outcome.stdout) == (4, NotTrusted, "")
    if name == "not reliable":
        outcome = call_here("compare", ".", "--format", form, cwd=tmp_path)
        assert "throttled" in str(outcome.error)


def test_a_load_has_no_time_to_export(refuses: Refuses) -> None:
    assert isinstance(refuses("run", "model.tflite", "--duration", "1m", "--format", "bencher"), BadInput)


def test_other_commands_have_no_such_format(refuses: Refuses) -> None:
    assert "bencher" in str(refuses("doctor", "--format", "bencher"))


@pytest.mark.parametrize("form", FORMATS)
def test_a_hostile_name_is_text(form: str, tmp_path: Path) -> None:
    name = 'a\x1b[31m\u202e"'
    values = exported(form, tmp_path, reliable(result(name, "litert", 0.1)))
    names = list(values) if isinstance(values, dict) else [each["name"] for each in values]
    assert all(each.startswith(name) for each in names)  # JSON escapes it
    shown = call_here("compare", ".", "--format", form, cwd=tmp_path).stdout
    assert visible(shown) == shown


@pytest.mark.slow
def test_run_saves_what_it_cannot_export(tmp_path: Path) -> None:
    layered_tflite(tmp_path / "model.tflite", 1)
    command = ("run", "model.tflite", "--runtime", "litert", "--trials", 2, "--processes", 1, "--format", "bencher")
    outcome = call_here(*command, cwd=tmp_path)  # times of one process are not exported
    assert (outcome.code, type(outcome.error), outcome.stdout) == (4, NotTrusted, "")
    (path,) = (tmp_path / "results").glob("run-*.json")
    assert path.name in outcome.stderr
