"""What comes from other machines is checked: recorded engines hand over what a broken or hostile one might."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge_bench.bench.io.record_codec import pack
from edge_bench.bench.records.bundle import Bundle
from studies.fleet.fleet_overhead import run_of, template
from studies.fleet.recorded_engine import RecordedEngine
from tests.command_line import clean_environment, command
from tests.fleet.engines import own_folder
from tests.fleet.saved import LAYERS, saved_image

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def run(digits_bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return template(digits_bundle.folder, tmp_path_factory.mktemp("template"))


@pytest.fixture
def sockets() -> Iterator[Path]:
    import shutil

    folder = own_folder()
    yield folder
    shutil.rmtree(folder)


def changed(run: dict[str, Any], **changes: Any) -> dict[str, Any]:
    copy: dict[str, Any] = json.loads(json.dumps(run))
    return copy | changes


def spoiled_runs(run: dict[str, Any]) -> dict[str, tuple[dict[str, Any] | None, str]]:
    """What engines hand over, by engine's name, with the reason that its row gives; the first is as it should be."""
    machine, packed = run["machine"], msgspec.to_builtins(pack([1] * 200))
    fewer = changed(run)
    fewer["results"][0]["predictions"] = msgspec.to_builtins(pack([1]))
    bomb = changed(run)
    bomb["results"][0]["predictions"] = packed | {"length": 99_000_000}
    labels = changed(run)
    labels["images"]["labels"] = packed
    return {
        "good": (run, ""),
        "of-another-bundle": (changed(run, bundle=run["bundle"] | {"sha256": "0" * 64}), "it is of another bundle"),
        "of-another-machine": (changed(run, machine=machine | {"hostname": "good"}), "it is of another machine"),
        "of-another-kind": (changed(run, machine=machine | {"architecture": "aarch64"}), "it was made on aarch64"),
        "other-settings": (changed(run, settings=run["settings"] | {"trials": 9}), "with another trials"),
        "escapes": (changed(run, machine=machine | {"board": "\x1b]0;owned\x07"}), "control characters"),
        "climbs": (changed(run, run_id="../../../x"), "its id or its time is none"),
        "incomplete": (changed(run, complete=False), "its Run is not complete"),
        "too-few-labels": (fewer, "its Run cannot be used"),
        "bomb": (bomb, "its Run cannot be used"),
        "wrong-truth": (labels, "its labels are not the bundle's"),
        "no-json": (None, "its Run cannot be used"),
    }


def engines_with(runs: dict[str, tuple[dict[str, Any] | None, str]], sockets: Path) -> dict[str, RecordedEngine]:
    """An engine for each of them, and engines that fail in other ways."""
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
        sockets / "refused.sock",
        {},
        LAYERS,
        "x86_64",
        exit_code=1,
        stderr="error: no configuration could be measured",
    )  # fmt: skip
    engines["sent-to"] = RecordedEngine(
        sockets / "sent-to.sock", {"runs/run-77.json": run_of(good, "sent-to", 77)}, LAYERS, "x86_64", has_image=False
    )
    return engines


def test_no_machine_can_harm_the_others(
    digits_bundle: Bundle, run: dict[str, Any], sockets: Path, tmp_path: Path
) -> None:
    given = spoiled_runs(run)
    engines = engines_with(given, sockets)
    for engine in engines.values():
        engine.start()
    image = saved_image(tmp_path / "edge.tar")
    done = subprocess.run(
        command(
            "fleet", "run", digits_bundle.folder, "--image", image, "--trials", 2, "--processes", 1, "--limit", 200,
            "--results", tmp_path / "results",
            *[word for engine in engines.values() for word in ("--engine", engine.url)],
        ),
        env=clean_environment(tmp_path), capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    for engine in engines.values():
        engine.stop()
    assert done.returncode == 1, done.stderr
    assert "14 of 16 engines" in done.stderr
    reasons = {name: reason for name, (_, reason) in given.items() if reason} | {
        "outside": "it ended, and there is no Run",
        "killed": "it was killed half-way",
        "refused": "no configuration could be measured",
    }
    for name, reason in reasons.items():
        rows = [line for line in done.stdout.splitlines() if line.startswith(f"{name}: ")]
        assert rows, name
        assert any(reason in row for row in rows), rows
    # the Runs of the good ones, and nothing of anyone else anywhere
    written = {path.relative_to(tmp_path).parts[0] for path in tmp_path.rglob("*") if path.is_file()}
    assert written <= {"edge.tar", "results", "cache"}
    assert len(list((tmp_path / "results").glob("run-*.json"))) == 2
    assert not list((tmp_path / "results").glob("**/evil*"))
    assert "\x1b" not in done.stdout
    # nothing is left on any of them, and the image went only where it was not
    assert not any(engine.containers or engine.volumes for engine in engines.values())
    assert [name for name, engine in engines.items() if "POST /images/load" in engine.requests] == ["sent-to"]


def test_a_network_that_breaks_off_and_comes_back_costs_nothing(
    digits_bundle: Bundle, run: dict[str, Any], sockets: Path, tmp_path: Path
) -> None:
    files = {"runs/run-1.json": run_of(run, "shaky", 1)}
    engine = RecordedEngine(sockets / "shaky.sock", files, LAYERS, "x86_64", seconds=4)
    engine.start()
    process = subprocess.Popen(
        command(
            "fleet", "run", digits_bundle.folder, "--image", saved_image(tmp_path / "edge.tar"), "--trials", 2,
            "--processes", 1, "--limit", 200, "--results", tmp_path / "results", "--engine", engine.url,
        ),
        env=clean_environment(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    assert any(line == "shaky: run\n" for line in process.stderr)
    while not any(asked.endswith("/wait") for asked in engine.requests[-1:]):
        pass
    engine.stop()
    assert any("lost (waiting: " in line for line in process.stderr)
    engine.start()
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert len(list((tmp_path / "results").glob("run-*.json"))) == 1
    # the check and the run were started, and nothing a second time
    assert sum(asked.endswith("/start") for asked in engine.requests) == 2
    engine.stop()
