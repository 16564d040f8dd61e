"""Data from other machines is checked: simulated engines return what a broken or hostile one might."""

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge_bench.bench.io.record_codec import pack
from edge_bench.bench.records.bundle import Bundle
from studies.fleet.fleet_overhead import run_of, template
from studies.fleet.recorded_engine import RecordedEngine
from tests.command_line import assert_refused, clean_environment, command
from tests.fleet.commands import rows_in
from tests.fleet.engines import own_folder
from tests.fleet.saved import LAYERS, saved_image

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def run(digits_bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return template(digits_bundle.folder, tmp_path_factory.mktemp("template"))


@pytest.fixture
def sockets() -> Iterator[Path]:
    """A folder for the engines' sockets."""
    folder = own_folder()
    yield folder
    shutil.rmtree(folder)


def changed(run: dict[str, Any], **changes: Any) -> dict[str, Any]:
    copy: dict[str, Any] = json.loads(json.dumps(run))
    return copy | changes


def returned_runs(run: dict[str, Any]) -> dict[str, tuple[dict[str, Any] | None, str]]:
    """Return the Run that each engine returns, and a value that the reason for refusing it names.

    Only the first, ``good``, is valid.
    """
    machine, packed = run["machine"], msgspec.to_builtins(pack([1] * 200))
    fewer = changed(run)
    fewer["results"][0]["predictions"] = msgspec.to_builtins(pack([1]))
    bomb = changed(run)
    bomb["results"][0]["predictions"] = packed | {"length": 99_000_000}
    labels = changed(run)
    labels["images"]["labels"] = packed
    return {
        "good": (run, ""),
        "of-another-bundle": (changed(run, bundle=run["bundle"] | {"sha256": "0" * 64}), ""),
        "of-another-machine": (changed(run, machine=machine | {"hostname": "good"}), ""),
        "of-another-kind": (changed(run, machine=machine | {"architecture": "aarch64"}), "aarch64"),
        "other-settings": (changed(run, settings=run["settings"] | {"trials": 9}), "trials"),
        "escapes": (changed(run, machine=machine | {"board": "\x1b]0;owned\x07"}), ""),
        "climbs": (changed(run, run_id="../../../x"), ""),
        "incomplete": (changed(run, complete=False), ""),
        "too-few-labels": (fewer, ""),
        "bomb": (bomb, ""),
        "wrong-truth": (labels, ""),
        "no-json": (None, ""),
    }


def engines_with(runs: dict[str, tuple[dict[str, Any] | None, str]], sockets: Path) -> dict[str, RecordedEngine]:
    """Return an engine for each Run, engines that fail in other ways, and one that has no image."""
    good = runs["good"][0] or {}
    engines = {}
    for number, (name, (stated, _)) in enumerate(runs.items()):
        named = (name, number) if name != "of-another-machine" else ("good", number)
        data = b"{" if stated is None else run_of(stated, *named)
        if stated and ("kind" in name or name in ("climbs", "escapes")):  # run_of would repair these
            data = msgspec.json.encode(stated | {"machine": stated["machine"] | {"hostname": name}})
        engines[name] = RecordedEngine(sockets / f"{name}.sock", {f"runs/run-{number}.json": data}, LAYERS, "x86_64")
    engines["outside"] = RecordedEngine(
        sockets / "outside.sock", {"runs/../../evil.json": b"x", "/tmp/evil.json": b"x", "runs/evil.txt": b"x"},
        LAYERS, "x86_64",
    )  # fmt: skip
    engines["killed"] = RecordedEngine(sockets / "killed.sock", {}, LAYERS, "x86_64", exit_code=137)
    engines["refused"] = RecordedEngine(
        sockets / "refused.sock", {}, LAYERS, "x86_64", exit_code=1, stderr="error: code E-42"
    )
    engines["sent-to"] = RecordedEngine(
        sockets / "sent-to.sock", {"runs/run-77.json": run_of(good, "sent-to", 77)}, LAYERS, "x86_64", has_image=False
    )
    return engines


def fleet_run(bundle: Bundle, folder: Path, *engines: RecordedEngine) -> list[str]:
    """Return the command line of a fleet run on these engines."""
    return command(
        "fleet", "run", bundle.folder, "--image", saved_image(folder / "edge.tar"), "--trials", 2, "--processes", 1,
        "--limit", 200, "--results", folder / "results", "--why",
        *[word for engine in engines for word in ("--engine", engine.url)],
    )  # fmt: skip


def test_no_machine_can_harm_the_others(
    digits_bundle: Bundle, run: dict[str, Any], sockets: Path, tmp_path: Path
) -> None:
    returned = returned_runs(run)
    engines = engines_with(returned, sockets)
    for engine in engines.values():
        engine.start()
    done = subprocess.run(
        fleet_run(digits_bundle, tmp_path, *engines.values()),
        env=clean_environment(tmp_path), capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    for engine in engines.values():
        engine.stop()
    assert_refused(done, "14", "16", code=1)
    rows = rows_in(tmp_path / "results")
    named = {name: value for name, (_, value) in returned.items()} | {"refused": "E-42"}
    failed = {name: row["reason"] for name, row in rows.items() if row["state"] == "failed"}
    assert set(failed) == set(engines) - {"good", "sent-to"}
    assert len(set(failed.values())) == len(failed)  # each has a reason of its own
    for name, reason in failed.items():
        assert named.get(name, "") in reason
        assert "".join(reason.split()) in "".join(done.stdout.split())  # lines are wrapped
    # only the valid Runs were written, and no other file
    written = {path.relative_to(tmp_path).parts[0] for path in tmp_path.rglob("*") if path.is_file()}
    assert written <= {"edge.tar", "results", "cache"}
    assert len(list((tmp_path / "results").glob("run-*.json"))) == 2
    assert not list((tmp_path / "results").glob("**/evil*"))
    assert "\x1b" not in done.stdout
    # nothing is left on any engine, and the image was sent only to the engine without it
    assert not any(engine.containers or engine.volumes for engine in engines.values())
    assert [name for name, engine in engines.items() if "POST /images/load" in engine.requests] == ["sent-to"]


def test_a_run_survives_a_lost_connection(
    digits_bundle: Bundle, run: dict[str, Any], sockets: Path, tmp_path: Path
) -> None:
    files = {"runs/run-1.json": run_of(run, "shaky", 1)}
    engine = RecordedEngine(sockets / "shaky.sock", files, LAYERS, "x86_64", seconds=4)
    engine.start()
    process = subprocess.Popen(
        fleet_run(digits_bundle, tmp_path, engine),
        env=clean_environment(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    # the first container checks the bundle, the second measures
    while not (requests(engine, "/start") == 2 and engine.requests[-1].endswith("/wait")):
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    assert requests(engine, "/info") == 1
    engine.stop()
    engine.start()
    _, stderr = process.communicate(timeout=60)
    engine.stop()
    assert process.returncode == 0, stderr
    assert requests(engine, "/info") == 2  # it connected again
    assert requests(engine, "/start") == 2  # and started nothing again
    assert len(list((tmp_path / "results").glob("run-*.json"))) == 1


def requests(engine: RecordedEngine, end: str) -> int:
    """Return the number of requests whose path ends so."""
    return sum(request.endswith(end) for request in engine.requests)
