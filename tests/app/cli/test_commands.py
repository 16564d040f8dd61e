"""The command line: results, refusals and exit codes."""

import json
import os
import re
import signal
import subprocess
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import typer.main

from edge_bench.app.cli.help import Command
from edge_bench.app.cli.main import app
from edge_bench.app.training.data.datasets import STAND_IN_NOTE
from edge_bench.bench.errors import BadInput, BundleError, EdgeBenchError, ResultsError
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.journal.journal import JOURNAL
from edge_bench.bench.records.run import Run
from edge_bench.bench.records.run_files import read_run
from edge_bench.bench.runtimes import RUNTIMES
from tests.app.cli.terminal import on_terminal
from tests.command_line import (
    REPOSITORY,
    CommandLine,
    Refuses,
    assert_refused,
    clean_environment,
    command,
    command_parameters,
)
from tests.faults.harness import group_lives

QUICK = ("--trials", 2, "--processes", 1, "--limit", 40, "--runtime", "litert")
PARAMETERS = list(command_parameters(with_names=True))
OPTIONS = [
    (name, parameter)
    for name, parameter in PARAMETERS
    if parameter.param_type_name == "option"
    and not {"--version", "--install-completion", "--show-completion"} & {*parameter.opts}
]
PAGES = [REPOSITORY / "README.md", *(REPOSITORY / "docs").glob("*.md")]
COMMANDS = sorted({name for name, _ in PARAMETERS if name})


def registered(name: str) -> Any:
    """The command of that name, such as ``fleet run``, as typer has it."""
    found: Any = typer.main.get_command(app)
    for part in name.split():
        found = found.commands[part]
    return found


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_and_is_in_the_documentation(name: str) -> None:
    entry = registered(name)
    assert entry.help
    if not entry.hidden:
        assert any(f"edge-bench {name}" in page.read_text() for page in PAGES)


@pytest.mark.parametrize(("name", "option"), OPTIONS, ids=lambda value: getattr(value, "name", value))
def test_every_option_has_help_and_an_environment_variable(name: str, option: Any) -> None:
    assert option.help, f"{name} {option.opts}"
    assert re.fullmatch(r"EDGE_BENCH_[A-Z_]+", option.envvar or ""), f"{name} {option.opts}"


@pytest.mark.slow
@pytest.mark.parametrize("value", ["", "  "])
def test_no_option_ignores_an_empty_value(value: str) -> None:
    for name, option in OPTIONS:
        command = registered(name)
        if isinstance(command, Command) and not option.is_flag:
            flag = max(option.opts, key=len)
            with pytest.raises(BadInput, match=flag):
                command.make_context(name, [flag, value])


def test_an_environment_variable_has_one_meaning() -> None:
    context, meanings = typer.Context(registered("")), defaultdict(set)
    for _, option in OPTIONS:
        flags_and_type, _ = option.get_help_record(context)
        meanings[option.envvar].add(flags_and_type.lower().replace("list[path]", "path"))
    uses = Counter((name, parameter.envvar) for name, parameter in PARAMETERS if parameter.envvar)
    assert {variable: found for variable, found in meanings.items() if len(found) > 1} == {}
    assert set(uses.values()) == {1}, "a command reads a variable once"
    # read by other code, or set in the images
    assert not meanings.keys() & {f"EDGE_BENCH_{name}" for name in ("CACHE", "DATA", "IMAGE", "REVISION", "VERSION")}


@pytest.mark.slow
def test_help_and_version_have_no_environment_variable() -> None:
    group = registered("")
    (version,) = [parameter for name, parameter in PARAMETERS if "--version" in parameter.opts]
    shown = [version, group.get_help_option(typer.Context(group))]
    shown += [registered(name).get_help_option(typer.Context(registered(name))) for name in COMMANDS]
    assert all("--help" in option.opts for option in shown[1:])
    assert {option.envvar for option in shown} == {None}


@pytest.mark.parametrize(
    ("arguments", "kind", "named"),
    [
        (("train", "--epochs", 0), BadInput, "--epochs"),
        (("train", "--epochs", "many"), BadInput, "--epochs"),
        (("train", "--dropout", 1.5), BadInput, "--dropout"),
        (("train", "--bundle", "/proc/nowhere/bundle", "--dataset", "digits"), BadInput, "/proc/nowhere"),
        (("run", "nowhere"), BundleError, "nowhere"),
        (("run", "{bundle}", "--trials", 0), BadInput, "--trials"),
        (("run", "{bundle}", "--limit", -1), BadInput, "--limit"),
        (("run", "{bundle}", "--variant", "nope"), BundleError, "nope"),
        (("run", "{bundle}", "--runtime", "nope"), BadInput, "nope"),
        (("run", "{bundle}", "--threads", "0"), BadInput, "--threads"),
        (("run", "{bundle}", "--batch-size", "1,x"), BadInput, "--batch-size"),
        (("run", "{bundle}", "--results", "/proc/results"), BadInput, "/proc/results"),
        (("run", "{bundle}", "--format", "xml"), BadInput, "--format"),
        (("compare", "nowhere.json"), ResultsError, "nowhere.json"),
        (("compare", "{bundle}/variants"), ResultsError, "{bundle}/variants"),
        (("compare", "{bundle}/manifest.json"), ResultsError, "manifest.json"),
        (("compare",), BadInput, "RUNS"),
        (("nope",), BadInput, "nope"),
        (("run", "--nope"), BadInput, "--nope"),
    ],
    ids=lambda value: " ".join(map(str, value)).replace("/", "_")[:40] if isinstance(value, tuple) else "",
)
def test_bad_input_is_refused_and_named(
    refuses: Refuses, digits_bundle: Bundle, arguments: tuple[object, ...], kind: type[EdgeBenchError], named: str
) -> None:
    refused = refuses(*(str(part).format(bundle=digits_bundle.folder) for part in arguments), kind=kind)
    assert named.format(bundle=digits_bundle.folder) in refused.problem


@pytest.mark.slow
def test_a_refused_command_prints_two_lines_and_exits_with_2(edge_bench: CommandLine) -> None:
    done = edge_bench("run", "nowhere")
    assert_refused(done, "nowhere")
    assert done.stdout == ""


@pytest.mark.slow
def test_run_writes_a_run_that_compare_reads(
    edge_bench: CommandLine, edge_bench_here: CommandLine, digits_bundle: Bundle, tmp_path: Path
) -> None:
    done = edge_bench("run", digits_bundle.folder, "--variant", "float32,dynamic", "--results", "out", *QUICK)
    assert done.returncode == 0, done.stderr
    assert all(variant in done.stdout for variant in ("float32", "dynamic"))
    (path,) = (tmp_path / "out").iterdir()
    assert f"saved: out/{path.name}" in done.stdout
    assert "edge-bench report out" in done.stdout
    assert [len(result.trials) for result in read_run(path).results] == [2, 2]
    compared = edge_bench_here("compare", "out", "--format", "json")
    assert compared.returncode == 0, compared.stderr
    rows = json.loads(compared.stdout)
    assert [row["variant"] for row in rows] == ["float32", "dynamic"]
    assert rows[1]["agreement"] > 0.9
    assert rows[1]["size_ratio"] < 0.5


@pytest.mark.slow
def test_options_can_be_given_as_environment_variables(edge_bench_here: CommandLine, digits_bundle: Bundle) -> None:
    done = edge_bench_here(
        "run", "--format", "json", "--quiet",
        EDGE_BENCH_BUNDLE=str(digits_bundle.folder), EDGE_BENCH_VARIANT="int8", EDGE_BENCH_RUNTIME="litert",
        EDGE_BENCH_TRIALS="3", EDGE_BENCH_LIMIT="20", EDGE_BENCH_PROCESSES="1", EDGE_BENCH_POWER="idle=1W,compute=3W",
    )  # fmt: skip
    (row,) = json.loads(done.stdout)
    assert row["energy_source"] == "stated"
    assert row["joules"] == pytest.approx(3 * row["pass_mean_s"] / 20)
    assert row["joules_above_idle"] == pytest.approx(2 * row["pass_mean_s"] / 20)
    assert (row["variant"], row["trials"], row["images"]) == ("int8", 3, 20)


def test_run_exits_with_1_and_prints_the_reason_if_nothing_could_be_measured(
    edge_bench_here: CommandLine, bundle_copy: Path, tmp_path: Path
) -> None:
    (bundle_copy / "variants" / "dynamic.tflite").write_bytes(b"x")
    done = edge_bench_here("run", bundle_copy, "--variant", "dynamic", *QUICK)
    assert_refused(done, code=1)
    assert "dynamic.tflite" in done.stdout
    assert "bad file" in done.stdout
    (path,) = (tmp_path / "results").iterdir()
    (result,) = read_run(path).results
    assert result.failure is not None
    assert (result.failure.kind, result.trials) == ("bad file", [])


@pytest.mark.slow
def test_ctrl_c_keeps_all_finished_trials_and_leaves_no_process(digits_bundle: Bundle, tmp_path: Path) -> None:
    with on_terminal(
        "run", digits_bundle.folder, "--variant", "dynamic", "--runtime", "litert", "--trials", 10_000,
        "--results", "results", cwd=tmp_path, stdout=tmp_path / "stdout",
    ) as running:  # fmt: skip
        running.wait_for_steps(1, 10_000)
        os.killpg(running.process.pid, signal.SIGINT)
        assert running.end() == 130, running.shown
        assert not group_lives(running.process.pid)
    assert "dynamic" in (tmp_path / "stdout").read_text()
    (path,) = (tmp_path / "results").glob("run-*.json")
    assert sorted((tmp_path / "results").iterdir()) == [path.with_suffix(JOURNAL), path]  # for --resume
    run = read_run(path)
    assert not run.complete
    assert len(run.results[0].trials) >= 1
    assert run.results[0].predictions is not None


@pytest.mark.slow
def test_strict_exits_with_4_after_an_unreliable_measurement(digits_bundle: Bundle, tmp_path: Path) -> None:
    code = (
        "from edge_bench.bench.measure.recording import started_run; from edge_bench.app.cli import entry\n"
        "from edge_bench.bench.system.machine import Finding\n"
        "started_run.machine_findings = lambda machine: [Finding(what='it is hot', remedy='cool it', spoils=True)]\n"
        f"entry.main(['run', {str(digits_bundle.folder)!r}, '--variant', 'dynamic', '--strict', '--quiet',\n"
        f"  *{[str(part) for part in QUICK]!r}])\n"
    )
    done = subprocess.run(
        [*command()[:1], "-c", code], env=clean_environment(tmp_path), cwd=tmp_path,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert_refused(done, "it is hot", code=4)
    assert "it is hot" in done.stdout


@pytest.mark.slow
def test_doctor_describes_this_machine(edge_bench_here: CommandLine) -> None:
    done, data = edge_bench_here("doctor"), edge_bench_here("doctor", "--format", "json")
    assert done.returncode == 0, done.stderr
    (machine,) = json.loads(data.stdout)
    assert machine["cores"] >= 1
    assert machine["memory_bytes"] > 1 << 20
    libraries = machine["libraries"]
    for value in (
        machine["hostname"],
        machine["architecture"],
        *RUNTIMES,
        libraries["numpy"],
        libraries["ai-edge-litert"],
    ):
        assert value in done.stdout


@pytest.mark.slow
@pytest.mark.usefixtures("measure_here")
def test_compare_with_adds_a_comparison_with_another_machine(
    edge_bench_here: CommandLine, digits_bundle: Bundle, tmp_path: Path
) -> None:
    arguments = ("run", digits_bundle.folder, "--variant", "dynamic", *QUICK, "--once")
    alone = edge_bench_here(*arguments, "--results", "here")
    assert alone.returncode == 0, alone.stderr
    (path,) = (tmp_path / "here").iterdir()
    run = read_run(path)
    elsewhere = msgspec.structs.replace(
        run, run_id="f" * 32, machine=msgspec.structs.replace(run.machine, architecture="riscv64", hostname="elsewhere")
    )
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "run-1.json").write_bytes(msgspec.json.encode(elsewhere))
    (tmp_path / "there" / "run-2.json").write_text("not a run")
    done = edge_bench_here(*arguments, "--compare-with", f"{tmp_path / 'nowhere'}:{tmp_path / 'there'}")
    assert done.returncode == 0, done.stderr
    assert "elsewhere" in done.stdout
    assert "elsewhere" not in alone.stdout
    data = edge_bench_here(*arguments, "--compare-with", tmp_path / "there", "--format", "json")
    assert [row["variant"] for row in json.loads(data.stdout)] == ["dynamic"]  # one document, the run's
    page = edge_bench_here(*arguments, "--compare-with", tmp_path / "there", "--format", "html").stdout
    assert page.lower().count("<html") == 1
    assert page.count("<table") == 4  # the run, the comparison, agreement of the machines, attribution
    assert "elsewhere" in page


@pytest.mark.slow
def test_all_trains_runs_and_compares_and_skips_completed_steps(
    edge_bench: CommandLine, edge_bench_here: CommandLine, tmp_path: Path
) -> None:
    arguments = ("all", "--dataset", "auto", "--epochs", 1, "--trials", 2, "--processes", 1, "--limit", 40)
    done = edge_bench(*arguments)
    assert done.returncode == 0, done.stderr
    assert STAND_IN_NOTE in done.stderr
    assert "absl" not in done.stderr  # nor anything else that TensorFlow prints for its developers
    assert STAND_IN_NOTE in " ".join(done.stdout.split())
    bundle = Bundle.open(tmp_path / "artifacts" / "bundle")
    assert bundle.manifest.dataset.note == STAND_IN_NOTE
    (first,) = (tmp_path / "results").glob("run-*.json")
    run: Run = read_run(first)
    measured = [r for r in run.results if r.configuration.runtime != "tflite-runtime"]
    assert [r.failure for r in measured] == [None] * len(measured)
    assert sum(r.configuration.runtime in ("tensorflow", "litert") for r in measured) == 5
    assert np.isfinite([s for r in run.results for s in r.pass_seconds()]).all()
    again = edge_bench_here(*arguments, "--format", "json")
    assert again.returncode == 0, again.stderr
    assert first.name in again.stderr  # stdout is for the program that reads it
    assert len(json.loads(again.stdout)) == len(run.results)
    assert list((tmp_path / "results").glob("run-*.json")) == [first]
    assert Bundle.open(bundle.folder).digest == bundle.digest
