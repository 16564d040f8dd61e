"""SIGTERM, SIGINT and SIGHUP at random moments: every command ends soon, says so, and leaves nothing behind.

``make faults`` makes 60 of them and prints how long the slowest took; without it there are a few. How long it took is a
figure for docs/reliability.md, not a condition, for a busy machine would decide it.
"""

import os
import random
import signal
from collections import defaultdict
from pathlib import Path

import pytest

from edge_bench.bench.io.files import PART
from edge_bench.bench.measure.plan import Selection
from edge_bench.bench.progress import Silent
from edge_bench.bench.records.bundle import MANIFEST, Bundle
from edge_bench.bench.records.run import Settings
from edge_bench.bench.records.run_files import read_run
from tests.command_line import REPOSITORY
from tests.factories import measure_bundle
from tests.faults.harness import KILLS, Station

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
COUNT = 60 if KILLS >= 50 else 8


@pytest.mark.slow
def test_every_command_ends_soon_and_clean_at_any_moment(digits_bundle: Bundle, tmp_path: Path) -> None:
    station, generator, slowest = Station(tmp_path), random.Random(9), defaultdict[str, float](float)
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
        # one that came before Python was up ends it without a word, as the kernel does it; one that came at the end was
        # too late
        too_early = [-sent] if ended.reached == "nothing yet" and not ended.errors else []
        assert ended.code in (130, 0, *too_early), (name, ended)
        assert "Traceback" not in ended.errors, (name, ended)
        assert "Exception ignored" not in ended.errors, (name, ended)
        assert station.leftovers() == [], (name, ended)
        slowest[name] = max(slowest[name], ended.took)
    for path in (tmp_path / "new").glob("run-*.json"):
        read_run(path)
    print(f"{COUNT} signals; the slowest end: { ({name: f'{took:.2f} s' for name, took in slowest.items()}) }")


def test_an_interruption_while_a_class_is_made_keeps_its_exit_code_and_its_line(tmp_path: Path) -> None:
    """Dataclasses are made by `exec`, and where it is interrupted there, Python would end by SIGINT."""
    (tmp_path / "typer.py").write_text("exec('raise KeyboardInterrupt')")
    environment = {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(REPOSITORY)])}
    ended = Station(tmp_path, environment).run("compare", "measured")
    assert (ended.code, ended.errors) == (130, "error: interrupted\n")


def test_an_interruption_inside_a_command_is_said(tmp_path: Path) -> None:
    (tmp_path / "numpy.py").write_text("raise KeyboardInterrupt")
    environment = {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(REPOSITORY)])}
    ended = Station(tmp_path, environment).run("compare", "measured")
    assert (ended.code, ended.errors) == (130, "error: interrupted\n")


def _commands(bundle: Path) -> list[tuple[tuple[object, ...], float]]:
    """Each with how long it takes, in seconds, on a quiet machine."""
    return [
        (("run", bundle, "--variant", "dynamic,keras", "--limit", 60, "--trials", 6, "--processes", 2,
          "--results", "new"), 12),
        (("compare", "measured"), 1.0),
        (("train", "--dataset", "digits", "--epochs", 2, "--bundle", "trained", "--overwrite"), 14),
        (("report", "measured", "--bundle", bundle, "-o", "report.html"), 4),
        (("export", bundle / "model.keras", "--bundle", "exported", "--overwrite"), 12),
        (("inspect", bundle / "model.keras"), 12),
    ]  # fmt: skip


SIGHTS = {"a checkpoint is written": f"training/.*{PART}*", "variants are made": "variants/*", "the end": MANIFEST}


@pytest.mark.slow
@pytest.mark.skipif(KILLS < 50, reason="part of `make faults`: TensorFlow is started five times")
def test_an_interruption_in_a_narrow_place_leaves_a_training_that_goes_on(tmp_path: Path) -> None:
    station, arguments = Station(tmp_path), ("train", "--dataset", "digits", "--epochs", 2, "--bundle", "b", "--resume")
    for sight in SIGHTS.values():
        ended = station.run(*arguments, when=tmp_path / "b" / sight, after=0.0, number=signal.SIGTERM)
        assert ended.code in (130, 0), ended
        assert station.leftovers() == [], ended
    assert station.run(*arguments).code == 0
    bundle = Bundle.open(tmp_path / "b")
    for variant in bundle.variants:
        bundle.checked(variant)
