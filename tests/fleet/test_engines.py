"""`edge-bench fleet run` on three real engines, one over ssh and one that emulates arm64, and their failures."""

import contextlib
import errno
import json
import os
import re
import signal
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge_bench.app.fleet.docker.engine import Engine
from edge_bench.app.fleet.docker.errors import EngineTrouble
from edge_bench.app.fleet.docker.images import ImageSource, ensure_image
from edge_bench.app.fleet.docker.inventory import EngineSetting, local_engine_setting
from edge_bench.app.fleet.docker.workspace import Workspace
from edge_bench.bench.analysis.comparison.comparison import compare
from tests.command_line import assert_refused, clean_environment, command
from tests.fleet.commands import PI_IS_MEASURING, QUICK, Engines, Leftovers, Measured, rows_in, runs_in, wait_for
from tests.made.graph.graph_bundles import mixed_bundle

pytestmark = [pytest.mark.containers, pytest.mark.slow]


def test_one_command_measures_on_three_engines(measured: Measured, nothing_left: Leftovers) -> None:
    done = measured.done
    assert done.returncode == 0, done.stderr
    for name, row in rows_in(measured.results).items():  # with pytest -s: the figures of docs/fleet.md
        print(
            name,
            *(f"{row[count] / 1e6:.2f}" for count in ("image_bytes", "bundle_bytes", "fetched_bytes")),
            row["seconds"],
        )
    runs = {run.machine.hostname: run for run in runs_in(measured.results)}
    assert set(runs) == {"amd", "by-ssh", "pi"}
    assert {name: run.machine.architecture for name, run in runs.items()} == {
        "amd": "x86_64", "by-ssh": "x86_64", "pi": "aarch64",
    }  # fmt: skip
    assert runs["pi"].emulated
    assert runs["pi"].machine.cpu == "Cortex-A72"
    assert all(run.machine.container for run in runs.values())
    across = [row.across for row in compare(list(runs.values())).rows if row.across]
    assert [(found.same, found.total) for found in across] == [(40, 40), (40, 40)]
    for name in runs:
        assert name in done.stdout
    assert all(row["image_bytes"] > 10_000_000 for row in rows_in(measured.results).values())


@pytest.mark.nightly
def test_a_bundle_of_several_inputs_is_measured_on_both_architectures(
    engines: Engines, tmp_path: Path, nothing_left: Leftovers
) -> None:
    bundle = mixed_bundle(tmp_path / "bundle")
    urls = [daemon.url for daemon in engines.daemons]
    fleet_file = tmp_path / "fleet.toml"
    fleet_file.write_text(
        f'[[engine]]\nname = "amd"\nurl = "{urls[0]}"\n'
        f'[[engine]]\nname = "pi"\nurl = "{urls[2]}"\nplatform = "linux/arm64"\n'
    )
    fleet_file.chmod(0o644)
    measuring = replace(engines, bundle=bundle.folder)
    done = measuring.run("--trials", 1, "--limit", 8, results=tmp_path / "results", fleet_file=fleet_file)
    assert done.returncode == 0, done.stderr
    runs = runs_in(tmp_path / "results")
    assert {run.machine.architecture for run in runs} == {"x86_64", "aarch64"}
    assert {(run.task, run.bundle.sha256) for run in runs} == {("tensor", bundle.digest)}
    (across,) = (row.outputs_across for row in compare(runs).rows if row.outputs_across)
    assert (across.agreement.identical, across.agreement.examples) == (8, 8)


def test_engines_that_fail_are_reported_and_the_others_finish(
    engines: Engines, tmp_path: Path, nothing_left: Leftovers
) -> None:
    listening = engines.sshd.url(engines.daemons[1])
    (tmp_path / "fleet.toml").write_text(
        f'ssh_config = "{engines.sshd.config}"\n'
        f'[[engine]]\nname = "good"\nurl = "{engines.daemons[0].url}"\n'
        f'[[engine]]\nname = "no-socket"\nurl = "unix://{tmp_path}/nobody.sock"\n'
        f'[[engine]]\nname = "no-docker"\nurl = "{listening}.nobody"\n'
        f'[[engine]]\nname = "no-host"\nurl = "ssh://root@127.0.0.1:9/docker.sock"\n'
        f'[[engine]]\nname = "no-port"\nurl = "tcp://127.0.0.1:9"\n'
        f'[[engine]]\nname = "no-context"\ncontext = "nobody"\n'
        f'[[engine]]\nname = "a-32-bit-pi"\nurl = "{engines.daemons[2].url}"\nplatform = "linux/arm/v7"\n'
        f'[[engine]]\nname = "no-memory"\nurl = "{engines.daemons[2].url}"\nmemory = "24M"\n'
    )
    done = engines.run(*QUICK, "--api-timeout", 60, "--why", results=tmp_path, fleet_file=tmp_path / "fleet.toml")
    assert_refused(done, "7", "8", "--resume", code=1)
    assert [run.machine.hostname for run in runs_in(tmp_path)] == ["good"]
    rows = rows_in(tmp_path)
    refused = os.strerror(errno.ECONNREFUSED)
    for name, state, values in (
        ("no-socket", "lost", [os.strerror(errno.ENOENT)]),
        ("no-docker", "lost", ["ssh://"]),
        ("no-host", "lost", ["127.0.0.1", "9", refused]),  # the message of ssh
        ("no-port", "lost", [refused]),
        ("no-context", "failed", ["nobody"]),
        ("a-32-bit-pi", "failed", [engines.image, "linux/amd64", "linux/arm64", "linux/arm/v7"]),
        ("no-memory", "failed", []),
    ):
        assert rows[name]["state"] == state, rows[name]
        message = f"{rows[name]['reason']}; {rows[name]['remedy']}"
        assert all(value in message for value in values), (name, message)
        assert "".join(rows[name]["reason"].split()) in "".join(done.stdout.split())  # lines are wrapped
        assert not rows[name]["run_file"]


@pytest.mark.parametrize("option", ["--min-memory", "--min-disk"])
def test_engines_with_too_little_memory_or_disk_run_nothing(
    engines: Engines, tmp_path: Path, nothing_left: Leftovers, option: str
) -> None:
    urls = [daemon.url for daemon in engines.daemons[:2]]
    assert_refused(engines.run(*QUICK, option, "900T", results=tmp_path, urls=urls), code=1)
    rows = rows_in(tmp_path).values()
    assert len(rows) == 2
    for row in rows:
        assert row["state"] == "failed"
        assert option in row["remedy"]
        assert "run" not in row["seconds"]


def test_a_run_is_resumed_after_the_command_was_killed_and_after_an_interruption_that_cleans_up_everywhere(
    engines: Engines, tmp_path: Path, nothing_left: Leftovers
) -> None:
    desk, pi = engines.daemons[1:]
    fleet_file = tmp_path / "fleet.toml"
    fleet_file.write_text(
        f'ssh_config = "{engines.sshd.config}"\n'
        f'[[engine]]\nname = "by-ssh"\nurl = "{engines.sshd.url(desk)}"\n'
        f'[[engine]]\nname = "pi"\nurl = "{pi.url}"\nplatform = "linux/arm64"\n'
    )
    long = ("--trials", 60, "--limit", 20)
    there: dict[str, Any] = {"results": tmp_path, "fleet_file": fleet_file}
    process = engines.start(*long, **there)
    wait_for(process, PI_IS_MEASURING)
    process.kill()
    process.communicate()
    assert any("pi: edge-bench-run" in left for left in nothing_left())  # it is still measuring
    resumed = engines.start(*long, "--resume", **there)
    # pi needs longer; by-ssh may have been done before the command was killed
    wait_for(resumed, r"^pi: run\b", r"\bby-ssh: done|\b1 of 2 Runs are complete")
    resumed.send_signal(signal.SIGTERM)  # like Ctrl-C, which programs started in the background by a shell ignore
    resumed.communicate(timeout=120)
    assert resumed.returncode == 130
    assert rows_in(tmp_path)["pi"]["state"] == "interrupted"
    assert nothing_left() == []
    (finished,) = runs_in(tmp_path)
    assert finished.machine.hostname == "by-ssh"
    (journal,) = tmp_path.glob("fleet-*/pi/run-*.journal")
    done = engines.run(*long, "--resume", **there)
    assert done.returncode == 0, done.stderr
    after = {run.machine.hostname: run for run in runs_in(tmp_path)}
    assert len(runs_in(tmp_path)) == 2
    assert after["by-ssh"].run_id == finished.run_id  # not measured again
    assert (tmp_path / f"{journal.stem}.json").exists()  # the same Run, with its earlier trials
    (result,) = after["pi"].results_with_trials
    assert len(result.trials) == 60
    assert len({trial.process for trial in result.trials}) >= 2  # from before and after the interruption


@pytest.mark.nightly
def test_a_run_is_resumed_after_the_command_and_an_engine_were_killed(
    engines: Engines, tmp_path: Path, nothing_left: Leftovers
) -> None:
    long = ("--trials", 100, "--limit", 60)  # more than pi measures before it is killed, even on a fast machine
    process = engines.start(*long, results=tmp_path)
    wait_for(process, PI_IS_MEASURING)
    process.kill()
    process.communicate()
    assert any("edge-bench-run" in left for left in nothing_left())  # it is still measuring
    resumed = engines.start(*long, "--resume", "--reconnect-timeout", 3, results=tmp_path)
    wait_for(resumed, PI_IS_MEASURING)
    pi = engines.daemons[2]
    pi.kill()
    resumed.communicate(timeout=120)
    assert resumed.returncode == 1
    row = rows_in(tmp_path)["pi"]
    assert (row["state"], "3" in row["reason"]) == ("lost", True)  # seconds
    pi.start()
    done = engines.run(*long, "--resume", results=tmp_path)
    assert done.returncode == 0, done.stderr
    assert sorted(run.machine.hostname for run in runs_in(tmp_path)) == ["amd", "by-ssh", "pi"]
    (run,) = (run for run in runs_in(tmp_path) if run.machine.hostname == "pi")
    assert [len(result.trials) for result in run.results_with_trials] == [100]
    # some trials are from before the engine was killed, some from after
    assert len({trial.process for trial in run.results_with_trials[0].trials}) >= 2


def test_the_image_is_sent_once_and_kept_containers_are_listed_and_removed(
    engines: Engines, measured: Measured, tmp_path: Path, nothing_left: Leftovers
) -> None:
    done = engines.run("--trials", 1, "--limit", 20, "--keep", "--format", "json", results=tmp_path)
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    assert [row["image_bytes"] for row in rows] == [0, 0, 0]
    assert all(row["bundle_bytes"] > 0 and row["seconds"]["run"] > 0 for row in rows)
    assert nothing_left() != []
    listed, cleaned = (
        subprocess.run(
            command("fleet", name, "--fleet", engines.fleet_file, "--format", "json"),
            env=clean_environment(tmp_path), capture_output=True, text=True, check=True,
        )
        for name in ("list", "clean")
    )  # fmt: skip
    assert all(len(row["left"]) == 3 for row in json.loads(listed.stdout))
    assert all(row["left"] == [] for row in json.loads(cleaned.stdout))


def test_a_bundle_altered_on_the_engine_is_refused(engines: Engines) -> None:
    source = ImageSource(engines.image, lambda: Engine(local_engine_setting()))
    with contextlib.closing(source), Engine(EngineSetting(name="amd", url=engines.daemons[0].url)) as engine:
        place = Workspace(engine, "damaged", ensure_image(engine, source, lambda _: None)[0])
        try:
            place.copy_in(engines.bundle, "artifacts", "bundle", lambda _: None)
            container = place.start("spoil", ["-c", "echo x >> /artifacts/bundle/manifest.json"],
                                    volumes={"artifacts": "rw"}, entrypoint="sh")  # fmt: skip
            assert place.follow(container, lambda _: None).code == 0
            with pytest.raises(EngineTrouble) as caught:
                place.check("artifacts", "bundle", sum(1 for path in engines.bundle.rglob("*") if path.is_file()))
            assert re.search(r"manifest\.json|checksum", caught.value.problem)  # the message of sha256sum
        finally:
            place.clean_up()
    assert engines.leftovers() == []
