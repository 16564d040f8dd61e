"""The command line as a person meets it: answers, refusals, exit codes."""

import json
import os
import signal
import subprocess
from pathlib import Path

import msgspec
import numpy as np
import pytest
import typer.main

from edge_bench.app.cli.main import app
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.journal import JOURNAL
from edge_bench.bench.records.run import Run
from edge_bench.bench.records.run_files import read_run
from tests.command_line import REPOSITORY, CommandLine, assert_refused, clean_environment, command

QUICK = ("--trials", 2, "--processes", 1, "--limit", 40, "--runtime", "litert")
COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]
OPTIONS = [
    (name, option) for name, entry in COMMANDS.items() for option in entry.params if option.param_type_name == "option"
]


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_says_what_it_does_and_stands_in_the_readme(name: str) -> None:
    assert COMMANDS[name].help
    assert f"edge-bench {name}" in (REPOSITORY / "README.md").read_text()


@pytest.mark.parametrize(("name", "option"), OPTIONS, ids=lambda value: getattr(value, "name", value))
def test_every_option_has_help_and_an_environment_variable(name: str, option: object) -> None:
    if "--help" in option.opts:  # type: ignore[attr-defined]
        return
    assert option.help, f"{name} {option.opts}"  # type: ignore[attr-defined]
    assert str(option.envvar).startswith("EDGE_BENCH_"), f"{name} {option.opts}"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("train", "--epochs", 0), "--epochs"),
        (("train", "--epochs", "many"), "--epochs"),
        (("train", "--dataset", "nope"), "nope"),
        (("train", "--dropout", 1.5), "--dropout"),
        (("train", "--bundle", "/proc/nowhere/bundle", "--dataset", "digits"), "/proc/nowhere"),
        (("run", "nowhere"), "there is no bundle"),
        (("run", "{bundle}", "--trials", 0), "--trials"),
        (("run", "{bundle}", "--limit", -1), "--limit"),
        (("run", "{bundle}", "--variant", "nope"), "no variant 'nope'"),
        (("run", "{bundle}", "--runtime", "nope"), "no runtime is called 'nope'"),
        (("run", "{bundle}", "--threads", "0"), "--threads"),
        (("run", "{bundle}", "--batch-size", "1,x"), "--batch-size"),
        (("run", "{bundle}", "--results", "/proc/results"), "/proc/results"),
        (("run", "{bundle}", "--format", "xml"), "--format"),
        (("compare", "nowhere.json"), "no such file"),
        (("compare", "."), "holds no Run files"),
        (("compare", "{bundle}/manifest.json"), "not a whole run"),
        (("compare",), "runs"),
        (("nope",), "nope"),
        (("run", "--nope"), "--nope"),
    ],
    ids=lambda value: " ".join(map(str, value)).replace("/", "_")[:40] if isinstance(value, tuple) else "",
)
def test_bad_input_gets_one_or_two_lines_and_exit_code_2(
    edge_bench: CommandLine, digits_bundle: Bundle, arguments: tuple[object, ...], words: str
) -> None:
    done = edge_bench(*(str(part).format(bundle=digits_bundle.folder) for part in arguments))
    assert_refused(done, words)
    assert done.stdout == ""


def test_run_writes_a_run_and_compare_reads_it(edge_bench: CommandLine, digits_bundle: Bundle, tmp_path: Path) -> None:
    done = edge_bench("run", digits_bundle.folder, "--variant", "float32,dynamic", "--results", "out", *QUICK)
    assert done.returncode == 0, done.stderr
    assert "float32" in done.stdout
    assert "ms an image" in done.stdout
    (path,) = (tmp_path / "out").iterdir()
    assert path.name in done.stderr
    assert [len(result.trials) for result in read_run(path).results] == [2, 2]
    compared = edge_bench("compare", "out", "--format", "json")
    assert compared.returncode == 0, compared.stderr
    rows = json.loads(compared.stdout)
    assert [row["variant"] for row in rows] == ["float32", "dynamic"]
    assert rows[1]["agreement"] > 0.9
    assert rows[1]["size_ratio"] < 0.5


def test_every_option_can_be_given_by_its_environment_variable(edge_bench: CommandLine, digits_bundle: Bundle) -> None:
    done = edge_bench(
        "run", "--format", "json", "--quiet",
        EDGE_BENCH_BUNDLE=str(digits_bundle.folder), EDGE_BENCH_VARIANT="int8", EDGE_BENCH_RUNTIME="litert",
        EDGE_BENCH_TRIALS="3", EDGE_BENCH_LIMIT="20", EDGE_BENCH_PROCESSES="1",
    )  # fmt: skip
    (row,) = json.loads(done.stdout)
    assert (row["variant"], row["trials"], row["images"]) == ("int8", 3, 20)


def test_when_nothing_could_be_measured_the_table_says_why_and_the_exit_code_is_1(
    edge_bench: CommandLine, bundle_copy: Path
) -> None:
    (bundle_copy / "variants" / "dynamic.tflite").write_bytes(b"x")
    done = edge_bench("run", bundle_copy, "--variant", "dynamic", *QUICK)
    assert_refused(done, "no configuration", code=1)
    assert "dynamic.tflite" in done.stdout
    assert "bad file" in done.stdout


@pytest.mark.slow
def test_ctrl_c_keeps_what_was_measured_and_leaves_no_process(digits_bundle: Bundle, tmp_path: Path) -> None:
    process = subprocess.Popen(
        command("run", digits_bundle.folder, "--variant", "dynamic", "--runtime", "litert", "--trials", 10_000,
                "--results", tmp_path / "results"),
        env=clean_environment(tmp_path), cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    assert process.stderr is not None
    lines = []
    for line in process.stderr:  # until the first line that counts trials
        lines.append(line)
        if "left" in line:
            break
    os.killpg(process.pid, signal.SIGINT)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 130, lines
    assert "INTERRUPTED" in out
    (path,) = (tmp_path / "results").glob("run-*.json")
    assert sorted((tmp_path / "results").iterdir()) == [path.with_suffix(JOURNAL), path]  # for --resume
    run = read_run(path)
    assert not run.complete
    assert len(run.results[0].trials) >= 1
    assert run.results[0].predictions is not None
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


def test_strict_ends_with_4_where_the_measurement_is_spoiled(
    edge_bench: CommandLine, digits_bundle: Bundle, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    code = (
        "from edge_bench.bench.measure import recorder; from edge_bench.app.cli import entry\n"
        "from edge_bench.bench.system.machine import Finding\n"
        "recorder.machine_findings = lambda machine: [Finding(what='it is hot', remedy='cool it', spoils=True)]\n"
        f"entry.main(['run', {str(digits_bundle.folder)!r}, '--variant', 'dynamic', '--strict', '--quiet',\n"
        f"  *{[str(part) for part in QUICK]!r}])\n"
    )
    done = subprocess.run(
        [*command()[:1], "-c", code],
        env=clean_environment(tmp_path),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert_refused(done, "it is hot", code=4)
    assert "it is hot" in done.stdout


def test_a_closed_stdout_is_no_traceback(edge_bench: CommandLine, tmp_path: Path) -> None:
    done = subprocess.run(
        f"{' '.join(command('doctor'))} | true", shell=True, env=clean_environment(tmp_path), cwd=REPOSITORY,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


def test_doctor_says_what_this_machine_is(edge_bench: CommandLine) -> None:
    done = edge_bench("doctor")
    assert done.returncode == 0
    for words in ("architecture", "memory", "litert", "tensorflow", "numpy"):
        assert words in done.stdout
    (machine,) = json.loads(edge_bench("doctor", "--format", "json").stdout)
    assert machine["cores"] >= 1
    assert machine["memory_bytes"] > 1 << 20


@pytest.mark.slow
def test_compare_with_adds_the_comparison_with_another_machine(
    edge_bench: CommandLine, digits_bundle: Bundle, tmp_path: Path
) -> None:
    arguments = ("run", digits_bundle.folder, "--variant", "dynamic", *QUICK)
    assert edge_bench(*arguments, "--results", "here").returncode == 0
    (path,) = (tmp_path / "here").iterdir()
    run = read_run(path)
    elsewhere = msgspec.structs.replace(
        run, run_id="f" * 32, machine=msgspec.structs.replace(run.machine, architecture="riscv64", hostname="elsewhere")
    )
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "run-1.json").write_bytes(msgspec.json.encode(elsewhere))
    (tmp_path / "there" / "run-2.json").write_text("not a run")
    done = edge_bench(*arguments, "--compare-with", f"{tmp_path / 'nowhere'}:{tmp_path / 'there'}")
    assert done.returncode == 0, done.stderr
    assert "elsewhere" in done.stdout
    assert "agreement" in done.stdout
    data = edge_bench(*arguments, "--compare-with", tmp_path / "there", "--format", "json")
    assert [row["variant"] for row in json.loads(data.stdout)] == ["dynamic"]  # one document, the run's
    page = edge_bench(*arguments, "--compare-with", tmp_path / "there", "--format", "html").stdout
    assert page.lower().count("<html") == 1
    assert "elsewhere" in page


@pytest.mark.slow
def test_all_trains_runs_compares_and_goes_on_where_it_ended(edge_bench: CommandLine, tmp_path: Path) -> None:
    arguments = ("all", "--dataset", "auto", "--epochs", 1, "--trials", 2, "--processes", 1, "--limit", 40)
    done = edge_bench(*arguments)
    assert done.returncode == 0, done.stderr
    assert "STAND-IN DATA" in done.stderr
    assert "absl" not in done.stderr  # nor anything else that TensorFlow prints for its developers
    assert done.stdout.count("STAND-IN DATA") >= 2  # in every table
    assert "baseline" in done.stdout
    bundle = Bundle.open(tmp_path / "artifacts" / "bundle")
    assert "STAND-IN DATA" in bundle.manifest.dataset.note
    (first,) = (tmp_path / "results").glob("run-*.json")
    run: Run = read_run(first)
    assert [r.failure for r in run.results if r.configuration.runtime != "tflite-runtime"] == [None] * 5
    assert np.isfinite([s for r in run.results for s in r.pass_seconds()]).all()
    data = edge_bench(*arguments, "--format", "json")
    assert len(json.loads(data.stdout)) == len(run.results)
    again = edge_bench(*arguments)
    assert again.returncode == 0, again.stderr
    assert first.name in again.stdout
    assert list((tmp_path / "results").glob("run-*.json")) == [first]
