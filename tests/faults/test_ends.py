"""SIGTERM, SIGINT and SIGHUP: every command ends soon with exit code 130 and leaves no process or temporary file.

The ordinary tests send a signal at a fixed point. The nightly ones send it at random moments; ``make faults`` sends 60
and prints how long the slowest command took. That time is a figure for docs/reliability.md, not a condition, because it
depends on what else the machine does.
"""

import os
import random
import signal
from collections import defaultdict
from pathlib import Path

import pytest

from edge_bench.app.training.fit.checkpoints import read_state
from edge_bench.bench.io.files import PART
from edge_bench.bench.measure.plan import Selection
from edge_bench.bench.progress import Silent
from edge_bench.bench.records.bundle import MANIFEST, Bundle
from edge_bench.bench.records.run import Settings
from edge_bench.bench.records.run_files import read_run
from tests.command_line import REPOSITORY
from tests.factories import measure_bundle
from tests.faults.harness import KILLS, Ended, Station

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
COUNT = 60 if KILLS >= 50 else 8


@pytest.mark.slow
@pytest.mark.parametrize("name", ["run", "compare", "train", "report", "export", "inspect"])
def test_a_signal_at_a_fixed_point_ends_the_command(digits_bundle: Bundle, tmp_path: Path, name: str) -> None:
    station = Station(tmp_path)
    model, variant = digits_bundle.folder / "model.keras", digits_bundle.folder / "variants" / "dynamic.tflite"
    light = ("--variant", "dynamic", "--runtime", "litert", "--limit", 20, "--trials", 4, "--processes", 2)
    if name in ("compare", "report"):
        assert station.run("run", digits_bundle.folder, *light, "--results", "measured").code == 0
    point, sent, options = {
        "run": ("in-a-trial-of-the-second-process", signal.SIGINT, (digits_bundle.folder, *light, "--results", "new")),
        "compare": ("before-runs-are-read", signal.SIGTERM, ("measured",)),
        "train": ("between-two-epochs", signal.SIGTERM, ("--dataset", "digits", "--epochs", 2, "--bundle", "trained")),
        "report": ("before-a-page-is-drawn", signal.SIGHUP, ("measured", "-o", "report.html")),
        "export": ("before-a-variant-is-written", signal.SIGINT, (model, "--bundle", "exported")),
        "inspect": ("before-a-model-is-loaded", signal.SIGHUP, (variant,)),
    }[name]
    ended = station.run_to(point, sent, name, *options)
    assert ended.code == 130, ended
    assert "Traceback" not in ended.errors
    assert "Exception ignored" not in ended.errors
    assert station.leftovers() == []
    if name == "run":
        (path,) = (tmp_path / "new").glob("run-*.json")
        run = read_run(path)
        assert (run.complete, len(run.results[0].trials)) == (False, 2)
    if name == "train":
        state = read_state(tmp_path / "trained")
        assert state is not None
        assert state.epochs_done == 1
    assert not list(tmp_path.glob(f"*/{MANIFEST}"))
    assert not (tmp_path / "report.html").exists()


@pytest.mark.nightly
def test_a_signal_at_a_random_moment_ends_every_command(digits_bundle: Bundle, tmp_path: Path) -> None:
    station = Station(tmp_path, {"EDGE_BENCH_TRIAL_SECONDS": "0.2"})  # the durations below are with it
    generator, slowest = random.Random(9), defaultdict[str, float](float)
    measure_bundle(
        digits_bundle.folder, Selection(variants=["dynamic", "int8"], runtimes=["litert"]),
        Settings(trials=2, processes=1, limit=20), tmp_path / "measured", Silent(),
    )  # fmt: skip
    commands = _commands(digits_bundle.folder)
    for number in range(COUNT):
        arguments, longest = commands[number % len(commands)]
        after, sent = generator.uniform(0.1, longest), generator.choice(SIGNALS)
        ended = station.run(*arguments, after=after, number=sent, whole_group=generator.random() < 0.5)
        name = str(arguments[0])
        # before Python handles signals, the kernel ends the process without a message; at the end it is too late
        too_early = [-sent] if ended.reached == "nothing yet" and not ended.errors else []
        assert ended.code in (130, 0, *too_early), (name, ended)
        assert "Traceback" not in ended.errors, (name, ended)
        assert "Exception ignored" not in ended.errors, (name, ended)
        assert station.leftovers() == [], (name, ended)
        slowest[name] = max(slowest[name], ended.took)
    for path in (tmp_path / "new").glob("run-*.json"):
        read_run(path)
    print(f"{COUNT} signals; the slowest end: { ({name: f'{took:.2f} s' for name, took in slowest.items()}) }")


def test_an_interruption_inside_exec_is_reported_with_exit_code_130(tmp_path: Path) -> None:
    """Dataclasses use `exec`; an interruption inside it would end Python by SIGINT."""
    (tmp_path / "typer.py").write_text("exec('raise KeyboardInterrupt')")
    environment = {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(REPOSITORY)])}
    ended = Station(tmp_path, environment).run("compare", "measured")
    assert_one_error_line(ended)


def test_an_interruption_inside_a_command_is_reported(tmp_path: Path) -> None:
    (tmp_path / "numpy.py").write_text("raise KeyboardInterrupt")
    environment = {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(REPOSITORY)])}
    ended = Station(tmp_path, environment).run("compare", "measured")
    assert_one_error_line(ended)


def assert_one_error_line(ended: Ended) -> None:
    """Assert exit code 130 and one line on stderr."""
    assert ended.code == 130
    assert ended.errors.startswith("error:")
    assert ended.errors.count("\n") == 1


def _commands(bundle: Path) -> list[tuple[tuple[object, ...], float]]:
    """Return each command with its duration in seconds on an idle machine."""
    return [
        (("run", bundle, "--variant", "dynamic,keras", "--limit", 60, "--trials", 6, "--processes", 2,
          "--results", "new"), 12),
        (("compare", "measured"), 1.0),
        (("train", "--dataset", "digits", "--epochs", 2, "--bundle", "trained", "--overwrite"), 14),
        (("report", "measured", "--bundle", bundle, "-o", "report.html"), 4),
        (("export", bundle / "model.keras", "--bundle", "exported", "--overwrite"), 12),
        (("inspect", bundle / "model.keras"), 12),
    ]  # fmt: skip


#: Written while a checkpoint, the variants and the manifest are made.
SIGHTS = (f"training/.*{PART}*", "variants/*", MANIFEST)


@pytest.mark.nightly
def test_a_training_interrupted_while_it_writes_files_is_resumed(tmp_path: Path) -> None:
    station, arguments = Station(tmp_path), ("train", "--dataset", "digits", "--epochs", 2, "--bundle", "b", "--resume")
    for sight in SIGHTS:
        ended = station.run(*arguments, when=tmp_path / "b" / sight, after=0.0, number=signal.SIGTERM)
        assert ended.code in (130, 0), ended
        assert station.leftovers() == [], ended
    assert station.run(*arguments).code == 0
    bundle = Bundle.open(tmp_path / "b")
    for variant in bundle.variants:
        bundle.checked(variant)
