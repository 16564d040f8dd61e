"""Tools for a Raspberry Pi: the image with a bundle inside, and the programs that reach the emulated machine."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.command_line import REPOSITORY
from tools.emulated_pi.machine import EmulatedPi


def program(path: Path, script: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_ssh_to_the_emulated_pi_is_the_real_one_after_a_second_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ssh", "scp"):
        program(tmp_path / "real" / name, 'echo "$0" "$@"')
    machines = [EmulatedPi(tmp_path / "pi", name=name) for name in ("raspberrypi", "another")]
    machines[0].folder.mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path}/real:{os.environ['PATH']}")
    for machine in (*machines, *machines):  # each is first in PATH, as the documentation says
        machine.write_programs()
        monkeypatch.setenv("PATH", f"{machine.programs}:{os.environ['PATH']}")
    for machine in machines:
        done = subprocess.run(
            [machine.programs / "ssh", "me@pi"], capture_output=True, text=True, timeout=10, check=True
        )
        assert done.stdout.split() == [f"{tmp_path}/real/ssh", "-F", str(machine.ssh_config), "me@pi"]


@pytest.mark.parametrize("count", [0, 2])
def test_an_image_gets_the_runs_of_a_folder_if_it_has_any(tmp_path: Path, count: int) -> None:
    """The image is not built: a stand-in for docker shows what it would contain."""
    seen = tmp_path / "seen"
    # The build context is a folder of the checkout; `make` is called from a folder of its own
    for name in ("Makefile", "containers.mk", "release.mk"):
        (tmp_path / name).symlink_to(REPOSITORY / name)
    program(tmp_path / "bin/docker", f'if [ "$2" = build ]; then ls build/edge-image/results > {seen}; fi')
    results, bundle = tmp_path / "results of me", tmp_path / "bundle"
    results.mkdir()
    bundle.mkdir()
    (bundle / "manifest.json").write_text("{}")
    for number in range(count):
        (results / f"run-{number}.json").write_text("{}")
    done = subprocess.run(
        ["make", "edge-image", f"BUNDLE={bundle}", f"RESULTS={results}"],
        cwd=tmp_path, env=os.environ | {"PATH": f"{tmp_path}/bin:{os.environ['PATH']}"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert seen.read_text().split() == [f"run-{number}.json" for number in range(count)]
    assert (str(results) in done.stderr) == (count == 0)
