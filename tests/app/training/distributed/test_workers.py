"""Training past one machine: real processes, TensorFlow's own all-reduce between them, and what goes wrong there."""

import json
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from edge_bench.app.training.distributed.cluster import (
    Cluster,
    free_addresses,
    listening,
    stated_cluster,
    wait_for_others,
)
from edge_bench.app.training.fit.checkpoints import TrainingSettings, load_checkpoint, read_state
from edge_bench.app.training.job import train_bundle
from edge_bench.bench.errors import BadInput, EdgeBenchError
from edge_bench.bench.progress import Silent
from edge_bench.bench.records.bundle import Bundle
from tests.command_line import CommandLine, assert_refused, clean_environment, command

DIGITS = ("--dataset", "digits", "--batch-size", 32)


@contextmanager
def workers(tmp_path: Path, *chief: object, other: tuple[object, ...] = ()) -> Iterator[list["subprocess.Popen[str]"]]:
    """Two workers on addresses of their own; the chief writes to ``tmp_path/b``."""
    addresses = ",".join(free_addresses(2))
    options = [
        ("--worker-index", 0, "--bundle", tmp_path / "b", *chief),
        ("--worker-index", 1, "--bundle", tmp_path / "no", *other),
    ]
    started = [
        subprocess.Popen(
            command("train", "--workers", addresses, *own),
            env=clean_environment(tmp_path),
            cwd=tmp_path,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for own in options
    ]
    try:
        yield started
    finally:
        for process in started:
            process.kill()
            process.communicate()


def ended(process: "subprocess.Popen[str]") -> "subprocess.CompletedProcess[str]":
    stdout, stderr = process.communicate(timeout=120)
    return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)


def everything_learnt(bundle: Path) -> list[Any]:
    """Weights and the optimizer's state in the checkpoint."""
    state = read_state(bundle)
    assert state is not None
    model = load_checkpoint(bundle, state)
    return [np.asarray(variable.numpy()) for variable in [*model.weights, *model.optimizer.variables]]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (("--worker-index", 0), "--workers"),
        (("--workers", "a:1,b:2"), "--worker-index must say which"),
        (("--workers", "a:1,b:2", "--worker-index", 2), "--worker-index must say which"),
        (("--workers", "a:1,b", "--worker-index", 0), "'b' is no host:port"),
        (("--workers", "a:1,a:1", "--worker-index", 0), "different addresses"),
        (("--workers", "2", "--worker-index", 0), "--worker-index is for addresses"),
        (("--workers", "0"), "at least one"),
    ],
)
def test_who_trains_must_be_said_whole(said: tuple[object, ...], words: str) -> None:
    named = {str(name).removeprefix("--"): value for name, value in zip(said[::2], said[1::2], strict=True)}
    with pytest.raises(BadInput) as caught:
        stated_cluster(named.get("workers"), named.get("worker-index"), {})  # type: ignore[arg-type]
    assert words in caught.value.problem + caught.value.remedy


def test_tf_config_is_heeded_where_nothing_else_is_said() -> None:
    def config(**jobs: list[str]) -> dict[str, str]:
        return {"TF_CONFIG": json.dumps({"cluster": jobs, "task": {"type": "worker", "index": 0}})}

    assert stated_cluster(None, None, config(worker=["a:1", "b:2"])) == Cluster(("a:1", "b:2"), 0)
    assert stated_cluster(None, None, config(chief=["c:1"], worker=["a:1"])) == Cluster(("c:1", "a:1"), 1)
    assert stated_cluster("x:1,y:2", 1, config(worker=["a:1", "b:2"])) == Cluster(("x:1", "y:2"), 1)
    assert stated_cluster(None, None, config(worker=["a:1"])) is None
    assert stated_cluster("1", None, {}) is None
    for broken in ({"TF_CONFIG": "{"}, {"TF_CONFIG": "[]"}, config(worker=["a:1"], ps=["b:2"]), config(chief=["a:1"])):
        with pytest.raises(BadInput, match="TF_CONFIG"):
            stated_cluster(None, None, broken)


def test_a_port_in_use_and_a_worker_that_is_not_there_are_named(edge_bench: CommandLine) -> None:
    mine, other = free_addresses(2)
    cluster = Cluster((mine, other, "no-such-host.invalid:2222"), 0)
    with listening(cluster):
        done = edge_bench("train", *DIGITS, "--bundle", "b", "--workers", f"{mine},{other}", "--worker-index", 0)
        assert_refused(done, f"port {mine.split(':')[1]}", "in use", "--workers")
        with pytest.raises(EdgeBenchError, match=r"refused.*and 1 more") as caught:
            wait_for_others(cluster, 0, Silent(), lambda: None)
        assert f"worker 1 ({other})" in caught.value.problem
        with listening(Cluster(cluster.addresses, 1)), pytest.raises(EdgeBenchError, match="nobody knows that name"):
            wait_for_others(cluster, 0, Silent(), lambda: None)


def test_the_wait_ends_when_the_last_worker_comes() -> None:
    cluster = Cluster(free_addresses(2), 0)
    with socket.socket() as late:

        def come() -> None:
            late.bind(("127.0.0.1", int(cluster.addresses[1].split(":")[1])))
            late.listen()

        wait_for_others(cluster, 60, Silent(), come)  # it is not there at the first look


@pytest.mark.slow
def test_two_workers_learn_what_one_learns(tmp_path: Path) -> None:
    """Without dropout the only difference is the order in which numbers are added up."""
    settings = TrainingSettings(dataset="digits", epochs=3, batch_size=32, dropout=0.0)
    with workers(tmp_path, *DIGITS, "--no-dropout", "--epochs", 3, "--stop-after", 1) as (chief, other):
        train_bundle(tmp_path / "alone", settings, Silent(), stop_after=1)
        done = ended(chief), ended(other)
    assert [each.returncode for each in done] == [0, 0], done
    assert "1 of 3 epochs are done" in done[0].stdout
    assert "worker 1 of 2: 1 epochs trained along" in done[1].stdout
    assert not (tmp_path / "no").exists()
    for together, alone in zip(everything_learnt(tmp_path / "b"), everything_learnt(tmp_path / "alone"), strict=True):
        np.testing.assert_allclose(together, alone, atol=1e-3)
    here, there = read_state(tmp_path / "b"), read_state(tmp_path / "alone")
    assert here is not None
    assert there is not None
    assert (here.settings, here.dataset_sha256) == (there.settings, there.dataset_sha256)
    assert (here.history.workers, there.history.workers) == ([2], [1])
    for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
        np.testing.assert_allclose(getattr(here.history, name), getattr(there.history, name), atol=1e-4)


@pytest.mark.slow
def test_a_lost_worker_ends_the_others_and_resume_makes_what_would_have_been(
    tmp_path: Path, edge_bench: CommandLine
) -> None:
    with workers(tmp_path, *DIGITS, "--epochs", 8) as (chief, other):
        while (state := read_state(tmp_path / "b")) is None or state.epochs_done < 1:
            assert chief.poll() is None, chief.communicate()
        other.send_signal(signal.SIGKILL)
        assert_refused(ended(chief), "worker 1", "gone", "--resume", code=1)
    state = read_state(tmp_path / "b")
    assert state is not None
    assert 0 < state.epochs_done < 8
    models = []
    for folder, options in (("b", ("--resume",)), ("whole", (*DIGITS, "--epochs", 8))):
        done = edge_bench("train", "--bundle", folder, "--workers", 2, *options)
        assert done.returncode == 0, done.stderr
        assert Bundle.open(tmp_path / folder).manifest.hyper_parameters["workers"] == 2
        assert json.loads((tmp_path / folder / "history.json").read_bytes())["workers"] == [2] * 8
        models.append(keras.models.load_model(tmp_path / folder / "model.keras").get_weights())
    for resumed, whole in zip(*models, strict=True):
        np.testing.assert_array_equal(resumed, whole)


@pytest.mark.slow
def test_a_worker_with_other_settings_is_refused_on_both_sides(tmp_path: Path) -> None:
    with workers(tmp_path, *DIGITS, other=("--epochs", 9, "--seed", 42)) as (chief, other):
        assert_refused(ended(other), "epochs 9 here, 100 at the chief", code=2)
        assert_refused(ended(chief), "worker 1", "epochs 9", code=2)


@pytest.mark.slow
def test_where_all_is_done_nobody_waits(bundle_copy: Path) -> None:
    assert bundle_copy.name == "bundle"
    bundle_copy.rename(bundle_copy.with_name("b"))
    with workers(bundle_copy.parent, "--resume") as (chief, other):
        done = [ended(chief), ended(other)]
    assert [each.returncode for each in done] == [0, 0], done
    assert "nothing was left to train" in done[1].stdout


def test_a_bundle_that_one_worker_trained_says_nothing_of_workers(digits_bundle: Bundle) -> None:
    assert "workers" not in digits_bundle.manifest.hyper_parameters
    assert json.loads((digits_bundle.folder / "history.json").read_bytes())["workers"] == [1, 1, 1]
