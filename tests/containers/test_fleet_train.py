"""`edge-bench fleet train`: one training on two engines in turn, here one engine named twice."""

import contextlib
import json
import re
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from edge_bench.app.fleet.docker.engine import Engine
from edge_bench.app.fleet.docker.images import ImageSource, ensure_image
from edge_bench.app.fleet.docker.inventory import EngineSetting, local_engine_setting
from edge_bench.app.training.fit.checkpoints import TrainingSettings, read_state
from edge_bench.app.training.job import train_bundle
from edge_bench.bench.progress import Silent
from edge_bench.bench.records.bundle import Bundle
from tests.app.training.weights import assert_same_weights
from tests.command_line import CommandLine, assert_refused, clean_environment, command
from tests.containers.compose import HOST, docker

pytestmark = pytest.mark.containers


def socket() -> str:
    """Return the URL of this machine's engine."""
    answer = docker("context", "inspect", "--format", "{{.Endpoints.docker.Host}}")
    return answer.stdout.strip()


def follow(*arguments: str) -> "subprocess.Popen[str]":
    """Start a docker command whose lines appear as events do, on both of its outputs."""
    return subprocess.Popen(["docker", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def first_line(followed: "subprocess.Popen[str]", pattern: str) -> str:
    """Return the first line that matches, empty if the command ends without one; then end it."""
    with followed:
        assert followed.stdout is not None
        line = next((line for line in followed.stdout if re.search(pattern, line)), "")
        followed.kill()
    return line.strip()


def leftovers() -> str:
    """Return the ids of containers and volumes of fleet commands."""
    listings = (docker(kind, "ls", *every, "--quiet", "--filter", "label=edge-bench.fleet") for kind, *every in
                (("container", "--all"), ("volume",)))  # fmt: skip
    return "".join(listing.stdout for listing in listings)


def test_an_image_that_the_engine_has_is_neither_saved_nor_sent(
    images: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    source = ImageSource(HOST, lambda: Engine(local_engine_setting()))
    with contextlib.closing(source), Engine(EngineSetting(name="here", url=socket())) as engine:
        assert ensure_image(engine, source, lambda _: None) == (HOST, 0)
        assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.nightly
def test_training_on_two_machines_in_turn_gives_the_weights_of_one(
    images: None, edge_bench: CommandLine, tmp_path: Path
) -> None:
    before = leftovers()
    engines = ("--engine", socket(), "--engine", socket(), "--image", HOST)
    options = ("--dataset", "digits", "--batch-size", 32, "--epochs", 3, "--stop-after", 2)
    done = edge_bench("fleet", "train", "b", *engines, *options)
    assert done.returncode == 0, done.stderr
    assert leftovers() == before
    assert "digits" in done.stdout
    assert {"2/2", "1/1"} <= set(re.findall(r"\b\d+/\d+\b", done.stderr))  # epochs of each machine
    bundle = Bundle.open(tmp_path / "b")
    assert not (tmp_path / "b" / "training").exists()
    assert len(json.loads((bundle.folder / "history.json").read_bytes())["loss"]) == 3
    alone = train_bundle(tmp_path / "alone", TrainingSettings(dataset="digits", epochs=3, batch_size=32), Silent())
    assert isinstance(alone, Bundle)
    assert_same_weights(bundle.folder, alone.folder)
    again = edge_bench("fleet", "train", "b", *engines, *options)
    assert_refused(again, "--resume")
    assert edge_bench("fleet", "train", "b", *engines, *options, "--resume").returncode == 0


def test_the_last_finished_epoch_of_a_killed_container_is_fetched(images: None, tmp_path: Path) -> None:
    before = leftovers()
    options = ("--engine", socket(), "--image", HOST, "--dataset", "digits", "--batch-size", 32, "--epochs", 300)
    now = int(time.time())  # without --since, earlier events are repeated
    started = follow("events", "--since", str(now), "--until", str(now + 300), "--filter", "event=start",
                     "--filter", "label=edge-bench.role=train", "--format", "{{.ID}}")  # fmt: skip
    training = subprocess.Popen(
        command("fleet", "train", tmp_path / "b", *options),
        env=clean_environment(tmp_path), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        ours = first_line(started, r"^[0-9a-f]{12}")
        assert first_line(follow("logs", "--follow", ours), r"\b[1-9]\d*/300\b"), "no epoch was finished"
        docker("kill", ours)
        stdout, stderr = training.communicate(timeout=120)
    finally:
        training.kill()
        training.communicate()
    done = subprocess.CompletedProcess(training.args, training.returncode, stdout, stderr)
    assert_refused(done, "--resume", code=1)
    assert leftovers() == before
    state = read_state(tmp_path / "b")
    assert state is not None
    assert 0 < state.epochs_done < 300
