"""Training with several workers: real processes, TensorFlow's all-reduce between them, and its failures."""

import errno
import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

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
from tests.app.cli.named import assert_names
from tests.app.training.weights import assert_same_weights
from tests.command_line import CommandLine, Refuses, assert_refused, clean_environment, command

DIGITS = ("--dataset", "digits", "--batch-size", 32)


@contextmanager
def workers(tmp_path: Path, *chief: object, other: tuple[object, ...] = ()) -> Iterator[list["subprocess.Popen[str]"]]:
    """Start two workers on free local ports; the chief writes to ``tmp_path/b``."""
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


def checkpoint_values(bundle: Path) -> list[Any]:
    """Return the weights and the optimizer's state in the checkpoint."""
    state = read_state(bundle)
    assert state is not None
    model = load_checkpoint(bundle, state)
    return [np.asarray(variable.numpy()) for variable in [*model.weights, *model.optimizer.variables]]


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("--worker-index", 0), ("--worker-index", "--workers")),
        (("--workers", "a:1,b:2"), ("--worker-index", "2")),
        (("--workers", "a:1,b:2", "--worker-index", 2), ("--worker-index", "2")),
        (("--workers", "a:1,b", "--worker-index", 0), ("--workers", "'b'")),
        (("--workers", "a:1,a:1", "--worker-index", 0), ("--workers", "'a:1,a:1'")),
        (("--workers", "2", "--worker-index", 0), ("--worker-index", "--workers", "2")),
        (("--workers", "0"), ("--workers", "0")),
    ],
)
def test_workers_that_are_not_described_completely_are_refused(
    options: tuple[object, ...], named: tuple[str, ...]
) -> None:
    values = {str(name).removeprefix("--"): value for name, value in zip(options[::2], options[1::2], strict=True)}
    with pytest.raises(BadInput) as caught:
        stated_cluster(values.get("workers"), values.get("worker-index"), {})  # type: ignore[arg-type]
    for value in named:
        assert value in caught.value.problem


def test_tf_config_is_used_without_options() -> None:
    def config(**jobs: list[str]) -> dict[str, str]:
        return {"TF_CONFIG": json.dumps({"cluster": jobs, "task": {"type": "worker", "index": 0}})}

    assert stated_cluster(None, None, config(worker=["a:1", "b:2"])) == Cluster(("a:1", "b:2"), 0)
    assert stated_cluster(None, None, config(chief=["c:1"], worker=["a:1"])) == Cluster(("c:1", "a:1"), 1)
    assert stated_cluster("x:1,y:2", 1, config(worker=["a:1", "b:2"])) == Cluster(("x:1", "y:2"), 1)
    assert stated_cluster(None, None, config(worker=["a:1"])) is None
    assert stated_cluster("1", None, {}) is None
    for broken in ({"TF_CONFIG": "{"}, {"TF_CONFIG": "[]"}, config(worker=["a:1"], ps=["b:2"]), config(chief=["a:1"])):
        with pytest.raises(BadInput) as caught:
            stated_cluster(None, None, broken)
        assert "TF_CONFIG" in caught.value.problem


def test_a_port_in_use_and_missing_workers_are_named(refuses: Refuses) -> None:
    mine, other = free_addresses(2)
    cluster = Cluster((mine, other, "no-such-host.invalid:2222"), 0)
    with listening(cluster):
        refused = refuses(
            "train", *DIGITS, "--bundle", "b", "--workers", f"{mine},{other}", "--worker-index", 0
        )  # fmt: skip
        assert_names(refused, mine.split(":")[1], "--workers")
        with pytest.raises(EdgeBenchError) as caught:
            wait_for_others(cluster, 0, Silent(), lambda: None)
        assert f"worker 1 ({other})" in caught.value.problem
        assert os.strerror(errno.ECONNREFUSED) in caught.value.problem
        with listening(Cluster(cluster.addresses, 1)), pytest.raises(EdgeBenchError) as unknown:
            wait_for_others(cluster, 0, Silent(), lambda: None)
        assert "worker 2 (no-such-host.invalid:2222)" in unknown.value.problem


def test_the_wait_ends_when_the_last_worker_listens() -> None:
    cluster = Cluster(free_addresses(2), 0)
    with socket.socket() as late:

        def listen() -> None:
            late.bind(("127.0.0.1", int(cluster.addresses[1].split(":")[1])))
            late.listen()

        wait_for_others(cluster, 60, Silent(), listen)  # called after the first attempt


@pytest.mark.slow
def test_two_workers_train_the_same_weights_as_one(tmp_path: Path) -> None:
    """Without dropout they differ only by the order of additions."""
    settings = TrainingSettings(dataset="digits", epochs=3, batch_size=32, dropout=0.0)
    with workers(tmp_path, *DIGITS, "--no-dropout", "--epochs", 3, "--stop-after", 1) as (chief, other):
        train_bundle(tmp_path / "alone", settings, Silent(), stop_after=1)
        done = ended(chief), ended(other)
    assert [each.returncode for each in done] == [0, 0], done
    assert str(tmp_path / "b") in done[0].stdout
    assert "worker 1" in done[1].stdout
    assert not (tmp_path / "no").exists()
    for together, alone in zip(checkpoint_values(tmp_path / "b"), checkpoint_values(tmp_path / "alone"), strict=True):
        np.testing.assert_allclose(together, alone, atol=1e-3)
    here, there = read_state(tmp_path / "b"), read_state(tmp_path / "alone")
    assert here is not None
    assert there is not None
    assert (here.settings, here.dataset_sha256) == (there.settings, there.dataset_sha256)
    assert (here.history.workers, there.history.workers) == ([2], [1])
    for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
        np.testing.assert_allclose(getattr(here.history, name), getattr(there.history, name), atol=1e-4)


@pytest.mark.nightly
def test_a_lost_worker_ends_the_others_and_resume_gives_the_same_weights(
    tmp_path: Path, edge_bench: CommandLine
) -> None:
    with workers(tmp_path, *DIGITS, "--epochs", 5) as (chief, other):
        while (state := read_state(tmp_path / "b")) is None or state.epochs_done < 1:
            assert chief.poll() is None, chief.communicate()
        other.send_signal(signal.SIGKILL)
        assert_refused(ended(chief), "worker 1", "--resume", code=1)
    state = read_state(tmp_path / "b")
    assert state is not None
    assert 0 < state.epochs_done < 5
    for folder, options in (("b", ("--resume",)), ("whole", (*DIGITS, "--epochs", 5))):
        done = edge_bench("train", "--bundle", folder, "--workers", 2, *options)
        assert done.returncode == 0, done.stderr
        assert Bundle.open(tmp_path / folder).manifest.hyper_parameters["workers"] == 2
        assert json.loads((tmp_path / folder / "history.json").read_bytes())["workers"] == [2] * 5
    assert_same_weights(tmp_path / "b", tmp_path / "whole")


@pytest.mark.slow
def test_a_worker_with_other_settings_is_refused_on_both_sides(tmp_path: Path) -> None:
    with workers(tmp_path, *DIGITS, other=("--epochs", 9, "--seed", 42)) as (chief, other):
        refused = ended(other), ended(chief)
    assert_refused(refused[0], "epochs", "9", "30", code=2)
    assert_refused(refused[1], "worker 1", "epochs", "9", "30", code=2)


@pytest.mark.nightly
def test_workers_of_a_completed_training_exit_at_once(bundle_copy: Path) -> None:
    before = Bundle.open(bundle_copy)
    bundle_copy.rename(bundle_copy.with_name("b"))
    with workers(bundle_copy.parent, "--resume") as (chief, other):
        done = [ended(chief), ended(other)]
    assert [each.returncode for each in done] == [0, 0], done
    assert Bundle.open(bundle_copy.with_name("b")).digest == before.digest
    assert not (bundle_copy.with_name("no")).exists()


def test_a_bundle_of_one_worker_has_no_number_of_workers(digits_bundle: Bundle) -> None:
    assert "workers" not in digits_bundle.manifest.hyper_parameters
    assert json.loads((digits_bundle.folder / "history.json").read_bytes())["workers"] == [1, 1, 1]
