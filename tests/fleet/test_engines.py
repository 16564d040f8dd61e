"""`edge-bench fleet run` on three real engines: one by ssh, one that emulates arm64; and what goes wrong there."""

import contextlib
import json
import signal
import subprocess
from pathlib import Path

import pytest

from edge_bench.bench.analysis.comparison import compare
from tests.command_line import assert_refused
from tests.fleet.commands import QUICK, Left, wait_for
from tests.fleet.conftest import IMAGE, Shelf, runs_in

pytestmark = [pytest.mark.containers, pytest.mark.slow]


def test_one_command_three_machines_three_runs_one_table(shelf: Shelf, tmp_path: Path, nothing_left: Left) -> None:
    done = shelf.run(*QUICK, results=tmp_path / "results")
    assert done.returncode == 0, done.stderr
    runs = {run.machine.hostname: run for run in runs_in(tmp_path / "results")}
    assert set(runs) == {"amd", "by-ssh", "pi"}
    assert {name: run.machine.architecture for name, run in runs.items()} == {
        "amd": "x86_64", "by-ssh": "x86_64", "pi": "aarch64",
    }  # fmt: skip
    assert runs["pi"].emulated
    assert all(run.machine.container for run in runs.values())
    across = [row.across for row in compare(list(runs.values())).rows if row.across]
    assert [(found.same, found.total) for found in across] == [(40, 40), (40, 40)]
    for name in runs:
        assert name in done.stdout
    assert "the same variant and runtime" in done.stdout
    # again: the images are there, and nothing but the bundle is sent
    again = shelf.run(*QUICK, "--format", "json", results=tmp_path / "again")
    assert again.returncode == 0, again.stderr
    rows = json.loads(again.stdout)
    assert [row["image_bytes"] for row in rows] == [0, 0, 0]
    assert all(row["bundle_bytes"] > 0 and row["seconds"]["run"] > 0 for row in rows)


def test_each_engine_that_cannot_is_a_row_and_the_rest_finishes(
    shelf: Shelf, tmp_path: Path, nothing_left: Left
) -> None:
    listening = shelf.sshd.url(shelf.engines[1])
    (tmp_path / "fleet.toml").write_text(
        f'ssh_config = "{shelf.sshd.config}"\n'
        f'[[engine]]\nname = "good"\nurl = "{shelf.engines[0].url}"\n'
        f'[[engine]]\nname = "no-socket"\nurl = "unix://{tmp_path}/nobody.sock"\n'
        f'[[engine]]\nname = "no-docker"\nurl = "{listening}.nobody"\n'
        f'[[engine]]\nname = "no-host"\nurl = "ssh://root@127.0.0.1:9/docker.sock"\n'
        f'[[engine]]\nname = "no-port"\nurl = "tcp://127.0.0.1:9"\n'
        f'[[engine]]\nname = "no-context"\ncontext = "nobody"\n'
        f'[[engine]]\nname = "a-32-bit-pi"\nurl = "{shelf.engines[2].url}"\nplatform = "linux/arm/v7"\n'
        f'[[engine]]\nname = "no-memory"\nurl = "{shelf.engines[2].url}"\nmemory = "24M"\n'
    )
    done = shelf.run(*QUICK, "--api-timeout", 10, results=tmp_path, fleet_file=tmp_path / "fleet.toml")
    assert_refused(done, "7 of 8 engines", "--resume", code=1)
    assert [run.machine.hostname for run in runs_in(tmp_path)] == ["good"]
    for reason in (
        "no-socket: connecting: No such file or directory",
        "no-docker: connecting: ssh connects, but no engine answers there",
        "no-host: connecting: ssh: connect to host 127.0.0.1 port 9: Connection refused",
        "no-port: connecting: Connection refused",
        "no-context: connecting: there is no Docker context called nobody",
        f"a-32-bit-pi: the image {IMAGE} is for linux/amd64, linux/arm64, not for linux/arm/v7",
        "no-memory: ",
    ):
        assert reason in done.stdout, done.stdout


def test_too_little_memory_or_disk_is_said_before_anything_is_run(
    shelf: Shelf, tmp_path: Path, nothing_left: Left
) -> None:
    memory = shelf.run(*QUICK, "--min-memory", "900T", results=tmp_path / "a")
    assert_refused(memory, "3 of 3 engines", code=1)
    assert memory.stdout.count("too little memory: ") == 3
    disk = shelf.run(*QUICK, "--min-disk", "900T", results=tmp_path / "b")
    assert_refused(disk, "3 of 3 engines", code=1)
    assert disk.stdout.count("too little disk: ") == 3


def test_ctrl_c_stops_and_cleans_up_everywhere_and_resume_does_the_rest(
    shelf: Shelf, tmp_path: Path, nothing_left: Left
) -> None:
    long = ("--trials", 40, "--limit", 60)
    process = shelf.start(*long, results=tmp_path)
    wait_for(process, r"pi: measuring [1-9]")
    process.send_signal(signal.SIGTERM)  # as Ctrl-C, and heard also where a shell in the background ignores that
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "pi: interrupted" in out
    assert nothing_left() == []
    before = {run.machine.hostname: run.run_id for run in runs_in(tmp_path)}
    assert set(before) == {"amd", "by-ssh"}
    (journal,) = tmp_path.glob("fleet-*/pi/run-*.journal")
    begun = journal.stem
    done = shelf.run(*long, "--resume", results=tmp_path)
    assert done.returncode == 0, done.stderr
    after = {run.machine.hostname: run.run_id for run in runs_in(tmp_path)}
    assert len(runs_in(tmp_path)) == 3
    assert {name: after[name] for name in before} == before  # not measured again
    assert (tmp_path / f"{begun}.json").exists()  # the trials that were made count
    again = shelf.run(*long, "--resume", results=tmp_path)
    assert again.returncode == 0
    assert len(runs_in(tmp_path)) == 3


def test_killed_command_and_killed_engine_are_gone_on_with(shelf: Shelf, tmp_path: Path, nothing_left: Left) -> None:
    long = ("--trials", 100, "--limit", 60)  # more than pi makes until it is killed, on a quick machine, too
    process = shelf.start(*long, results=tmp_path)
    wait_for(process, r"pi: measuring [1-9]")
    process.kill()
    process.communicate()
    assert any("edge-bench-run" in left for left in nothing_left())  # it goes on without us
    going_on = shelf.start(*long, "--resume", "--reconnect-timeout", 3, results=tmp_path)
    wait_for(going_on, r"pi: measuring [1-9]")
    pi = shelf.engines[2]
    pi.kill()
    out, _ = going_on.communicate(timeout=120)
    assert going_on.returncode == 1
    assert "pi: lost while measuring, and not back within 3 s" in out
    pi.start()
    done = shelf.run(*long, "--resume", results=tmp_path)
    assert done.returncode == 0, done.stderr
    assert sorted(run.machine.hostname for run in runs_in(tmp_path)) == ["amd", "by-ssh", "pi"]
    (run,) = (run for run in runs_in(tmp_path) if run.machine.hostname == "pi")
    assert [len(result.trials) for result in run.results_with_trials] == [100]
    # from before the power cut and after
    assert len({trial.process for trial in run.results_with_trials[0].trials}) >= 2


def test_what_was_kept_is_seen_and_cleaned(shelf: Shelf, tmp_path: Path, nothing_left: Left) -> None:
    from tests.command_line import clean_environment, command

    assert shelf.run("--trials", 1, "--limit", 20, "--keep", results=tmp_path).returncode == 0
    assert nothing_left() != []
    listed, cleaned = (
        subprocess.run(
            command("fleet", what, "--fleet", shelf.fleet_file, "--format", "json"),
            env=clean_environment(tmp_path), capture_output=True, text=True, check=True,
        )
        for what in ("list", "clean")
    )  # fmt: skip
    assert all(len(row["left"]) == 3 for row in json.loads(listed.stdout))
    assert all(row["left"] == [] for row in json.loads(cleaned.stdout))


def test_a_copy_that_is_not_what_was_sent_is_refused(shelf: Shelf, digits_bundle: object, tmp_path: Path) -> None:
    """The checksums are checked there: one bit less and the engine has its reason."""
    from edge_bench.app.fleet.docker import workspace
    from edge_bench.app.fleet.docker.engine import Engine
    from edge_bench.app.fleet.docker.errors import EngineTrouble
    from edge_bench.app.fleet.docker.images import ImageSource, ensure_image
    from edge_bench.app.fleet.docker.inventory import EngineSetting, local_engine_setting

    source = ImageSource(IMAGE, lambda: Engine(local_engine_setting()))
    with contextlib.closing(source), Engine(EngineSetting(name="amd", url=shelf.engines[0].url)) as engine:
        place = workspace.Workspace(engine, "damaged", ensure_image(engine, source, lambda _: None)[0])
        try:
            place.copy_in(shelf.bundle, "artifacts", "bundle", lambda _: None)
            container = place.start("spoil", ["-c", "echo x >> /artifacts/bundle/manifest.json"],
                                    volumes={"artifacts": "rw"}, entrypoint="sh")  # fmt: skip
            assert place.follow(container, lambda _: None).code == 0
            with pytest.raises(EngineTrouble, match=r"checking the copy: .*manifest.json: FAILED|checksum"):
                place.check("artifacts", "bundle", sum(1 for path in shelf.bundle.rglob("*") if path.is_file()))
        finally:
            place.clean_up()
    assert shelf.leftovers() == []
