"""What commands print with ``--format json`` and ``jsonl`` is what the published schemas describe."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from edge_bench.app.fleet.docker.engine import Description
from edge_bench.app.fleet.docker.inventory import EngineSetting
from edge_bench.app.fleet.runs.state import DeviceState
from edge_bench.app.fleet.status import EngineStatus
from edge_bench.app.render.formats import Format
from edge_bench.app.render.table import Table
from edge_bench.app.render.text.table import render
from edge_bench.app.tables.fleet import engines_table, fleet_table
from edge_bench.app.tables.nights import night_table
from edge_bench.app.tables.offload.table import offload_tables
from edge_bench.app.tables.rows.registry import ROWS
from edge_bench.app.tables.runs.comparison import comparison_table
from edge_bench.app.tables.runs.repeats import repeats_table
from edge_bench.app.tables.runs.run import run_table
from edge_bench.bench.analysis.answer.machines import compare_machines
from edge_bench.bench.analysis.comparison.comparison import compare
from edge_bench.bench.offload.analysis.assessment import assess
from edge_bench.bench.records.run import Failure, Run
from edge_bench.bench.records.run_files import write_run
from tests.command_line import call_here
from tests.factories import arm, group, machine, offload, repeats, result, run
from tests.made.graph.task_runs import task_result, task_run, tensors
from tests.made.nights.whole import NIGHT
from tests.nine_configurations import nine, on_pi

FAILED = msgspec.structs.replace(
    result("int8", "litert", 1.0), trials=[], predictions=None, failure=Failure(kind="crashed", message="x")
)


def check(name: str, rows: Sequence[Any]) -> None:
    """Assert that each row is of one of the schema's types, and that nothing is in it that the type does not have."""
    assert rows
    for row in rows:
        errors = []
        for kind in ROWS[name]:
            try:
                msgspec.convert(row, kind, strict=True)
                break
            except msgspec.ValidationError as error:
                errors.append(f"{kind.__name__}: {error}")
        else:
            raise AssertionError("; ".join(errors))


def check_table(name: str, table: Table) -> None:
    rows = json.loads(render(table, Format.JSON))
    check(name, rows)
    assert [json.loads(line) for line in render(table, Format.JSONL).splitlines()] == rows


def tensor_run() -> Run:
    values = np.arange(40, dtype=np.float32).reshape(20, 2)
    return task_run("tensor", *(task_result(f"v{number}", tensors(a=values + number)) for number in range(2)),
                    examples=20)  # fmt: skip


RUNS = {
    "nine": nine,
    "failed": lambda: run(result("keras", "tensorflow", 1.0), FAILED),
    "emulated": lambda: run(result("a", "x", 1.0), on=machine(emulated=True, emulation_signs=["a"])),
    "tensors": tensor_run,
}


@pytest.mark.parametrize("name", RUNS)
def test_run_and_compare(name: str) -> None:
    made = RUNS[name]()
    check_table("run", run_table(made))
    check_table("compare", comparison_table(compare([made])))


def test_compare_of_machines_and_repeats() -> None:
    check_table("compare", comparison_table(compare([nine(), on_pi()])))
    check_table("run-repeats", repeats_table(group(repeats(nine(), 3))))


def test_offload() -> None:
    made = offload(arm(3.0, where="local"), arm(5.0, noise=0.2), arm(2.0, payload="png"), arm(2.0, in_flight=8))
    one = [msgspec.structs.replace(each, trials=each.trials[:6]) for each in made.arms]
    emulated = msgspec.structs.replace(made, machine=machine(emulated=True))
    rows = {}
    for name, each in {"made": made, "one": msgspec.structs.replace(made, arms=one), "emulated": emulated}.items():
        table = offload_tables(each, assess(each))[0]
        check_table("offload", table)
        rows[name] = list(table.records)[1:]
        header, *lines = list(csv.reader(render(table, Format.CSV).splitlines()))
        assert {"verdict_reliable", "verdict_reason", "p50_verdict", "trusted"} <= set(header)
        assert len(lines) == len(each.arms)
    assert [row["verdict_reliable"] for row in rows["made"]] == [False, True, True]
    assert [row["unstable"] for row in rows["made"]] == [True, False, False]
    assert [row["best"] for row in rows["made"]] == [False, True, False]
    assert all("process" in row["verdict_reason"] for row in rows["one"])
    assert all("EMULATED" in row["verdict_reason"] and row["verdict_reliable"] is None for row in rows["emulated"])


def test_fleet() -> None:
    setting = EngineSetting(name="a", url="tcp://b:1")
    description = Description(host="h", version="v", api="a", system="s", architecture="x", platform="p", cores=1,
                              memory_bytes=1)  # fmt: skip
    desk, pi = nine(), on_pi()
    compared = compare([desk, pi])
    devices = [
        DeviceState(engine=setting),
        *(DeviceState(engine=setting, state="done", run_file="x", run_id=each.run_id) for each in (pi, desk)),
    ]
    table = fleet_table(devices, compared, compare_machines([desk, pi], compared))
    check_table("fleet-run", table)
    failed, slow, fast = table.records
    assert (failed["verdict"], failed["fastest"], failed["configurations"]) == (None, None, [])
    assert (fast["fastest"], slow["fastest"]) == (True, False)
    assert (slow["verdict"], slow["verdict_reliable"], slow["trusted"]) == ("slower", False, False)
    assert slow["time_ratio"] == pytest.approx(10, rel=0.05)
    assert len(slow["configurations"]) == 9
    check_table("fleet-run", fleet_table([DeviceState(engine=setting)]))
    statuses = [EngineStatus(setting, description, ["x"], ["y"]), EngineStatus(setting, reason="no")]
    check_table("fleet-list", engines_table(statuses))


def test_nights_have_the_rows_of_their_schema() -> None:
    check_table("nightly", night_table(NIGHT))


@pytest.mark.parametrize("form", ["json", "jsonl"])
def test_commands_on_run_files(form: str, tmp_path: Path) -> None:
    old, new = nine(), nine()
    for folder, made in (("old", old), ("new", new)):
        (tmp_path / folder).mkdir()
        write_run(made, tmp_path / folder)
    for name, words in {
        "compare": ("compare", "new", "old"),
        "compare-baseline": ("compare", "new", "--baseline", "old", "--fail-if-accuracy-drops", "1"),
        "history": ("history", "new", "old"),
    }.items():
        done = call_here(*words, "--format", form, cwd=tmp_path)
        assert done.code in (0, 3), done
        rows = json.loads(done.stdout) if form == "json" else [json.loads(line) for line in done.stdout.splitlines()]
        check(name, rows)
        verdicts = [row for row in rows if row.get("verdict") or row.get("change")]
        assert all(row["verdict_reliable"] is False for row in verdicts)  # the Runs are not reliable
        assert all(row["verdict_reason"] for row in rows if name == "history")  # too few for a verdict


@pytest.mark.slow
def test_doctor_and_inspect(tmp_path: Path) -> None:
    from tests.fuzz import seeds

    done = call_here("doctor", "--format", "json", cwd=tmp_path)
    check("doctor", json.loads(done.stdout))
    (tmp_path / "x.tflite").write_bytes(seeds.tflites()[0])
    done = call_here("inspect", "x.tflite", "--format", "json", cwd=tmp_path)
    assert done.code == 0, done
    check("inspect", json.loads(done.stdout))


def test_verdicts_have_their_reliability_and_a_reason_without_an_interval() -> None:
    one = run(*(msgspec.structs.replace(each, trials=each.trials[:6]) for each in nine().results))
    records = list(comparison_table(compare([one])).records)
    assert all("process" in record["verdict_reason"] for record in records if record["verdict"])
    unreliable = list(comparison_table(compare([nine()])).records)
    assert {record["verdict_reliable"] for record in unreliable if record["verdict"]} == {False}
    assert {record["trusted"] for record in unreliable} == {False}
    assert all("10 %" in record["not_trusted_because"] for record in run_table(nine()).records)
    assert [record["unstable"] for record in run_table(nine()).records].count(True) == 2
