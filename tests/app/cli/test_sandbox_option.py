"""What commands say about the sandbox of models, and ``--require-sandbox``."""

import json
from pathlib import Path

import pytest

from edge_bench.bench.errors import BadInput
from edge_bench.bench.records.run_files import read_run
from edge_bench.bench.sandbox.support import VARIABLE, sandbox_support
from tests.command_line import CommandLine, Refuses, call_here
from tests.made.images import class_folders
from tests.made.tflite_models import brightness_tflite

OFF = {VARIABLE: "off"}
COMMANDS = [
    ("run", "x.tflite"), ("serve", "x.tflite"), ("inspect", "x.tflite"), ("export", "x.keras"), ("doctor",), ("all",),
    ("offload", "--server", "http://127.0.0.1:9"),
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_a_required_sandbox_that_is_not_active_is_refused(refuses: Refuses, command: tuple[str, ...]) -> None:
    error = refuses(*command, "--require-sandbox", **OFF)
    assert isinstance(error, BadInput)
    assert "--require-sandbox" in error.problem
    assert VARIABLE in error.remedy


@pytest.mark.slow
def test_doctor_names_the_active_parts(tmp_path: Path) -> None:
    parts = sandbox_support().parts
    (machine,) = json.loads(call_here("doctor", "--format", "json", cwd=tmp_path).stdout)
    assert machine["sandbox"] == parts
    off = call_here("doctor", "--format", "json", cwd=tmp_path, **OFF)
    (machine,) = json.loads(off.stdout)
    assert machine["sandbox"] == []
    assert [finding["spoils"] for finding in machine["findings"] if VARIABLE in finding["what"]] == [False]
    assert off.stderr.count(VARIABLE) == 2  # one line: the problem and its remedy
    assert off.code == 0


@pytest.mark.slow
def test_a_run_records_whether_its_workers_were_sandboxed(edge_bench: CommandLine, tmp_path: Path) -> None:
    class_folders(tmp_path / "images", range(4), 6)
    brightness_tflite(tmp_path / "m.tflite", [0, 1, 2, 3])
    command = (
        "run",
        "m.tflite",
        "--data",
        "images",
        "--preprocess",
        "unit",
        "--runtime",
        "litert",
        "--trials",
        1,
        "--processes",
        1,
    )
    for folder, environment in (("with", {}), ("without", OFF)):
        done = edge_bench(*command, "--results", folder, cwd=tmp_path, **environment)
        assert done.returncode == 0, done.stderr
    inside, outside = (read_run(next((tmp_path / name).glob("run-*.json"))) for name in ("with", "without"))
    assert inside.sandbox == sandbox_support().parts
    assert outside.sandbox == []
    assert [finding.spoils for finding in outside.findings if VARIABLE in finding.what] == [False]
    assert not [finding for finding in inside.findings if VARIABLE in finding.what]
    assert inside.results[0].labels().tolist() == outside.results[0].labels().tolist()
