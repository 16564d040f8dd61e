"""Schedules: units that systemd accepts, their installation and removal, and a Compose service."""

import datetime
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from edge_bench.app.nightly.schedule.daily import is_missed, next_time, parse_time
from edge_bench.app.nightly.schedule.systemd import units_of
from edge_bench.bench.errors import BadInput, EdgeBenchError
from tests.command_line import Refuses, call_here
from tests.made.nights.fleet import settings_file


def fake_systemctl(folder: Path, failing: str = "") -> None:
    """Write a systemctl that appends its arguments to ``calls``, and fails if they match a pattern of the shell."""
    program = folder / "bin" / "systemctl"
    fails = f'case "$*" in {failing}) echo "Failed to connect to bus" >&2; exit 1;; esac\n' if failing else ""
    program.write_text(f'#!/bin/sh\necho "$@" >> {folder}/calls\n{fails}')
    program.chmod(0o755)


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a user's units; systemctl writes its arguments to a file and succeeds."""
    (tmp_path / "bin").mkdir()
    fake_systemctl(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "config" / "systemd" / "user"


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze")
@pytest.mark.parametrize("name", ["plain", "with space", "50% $HOME", 'a"quote', "back\\slash"])
@pytest.mark.parametrize("system", [False, True])
def test_systemd_accepts_the_units_and_starts_the_command_as_it_is(name: str, system: bool, tmp_path: Path) -> None:
    folder = tmp_path / name
    folder.mkdir()
    path = settings_file(folder)
    units = tmp_path / "units"
    units.mkdir()
    written = units_of("x", path, datetime.time(2, 30), system=system)
    assert list(written) == ["x.service", "x.timer", "x-resume.service"]
    for file, text in written.items():
        (units / file).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", *([] if system else ["--user"]), "--recursive-errors=no", "verify", *written],
        cwd=units, capture_output=True, text=True, check=False, env={**os.environ, "XDG_RUNTIME_DIR": str(units)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert not done.stderr, done.stderr


def test_nothing_in_the_service_changes_the_measured_times(tmp_path: Path) -> None:
    service, timer, resume = units_of("x", settings_file(tmp_path), datetime.time(2, 30), system=True).values()
    names = {line.partition("=")[0] for line in (service + resume).splitlines()}
    limits = {"CPUQuota", "MemoryMax", "Nice", "SystemCallFilter", "MemoryDenyWriteExecute", "PrivateTmp",
              "LockPersonality", "RestrictRealtime", "RestrictAddressFamilies", "NoNewPrivileges"}  # fmt: skip
    assert not names & limits
    assert "OnCalendar=*-*-* 02:30:00" in timer
    assert "Persistent=true" in timer
    # what it is wanted by does not wait for its end
    assert {"After=multi-user.target", "WantedBy=multi-user.target"} <= set(resume.splitlines())
    assert "RandomizedDelaySec=0" in timer


def test_a_timer_is_installed_shown_replaced_and_removed(systemd: Path, tmp_path: Path) -> None:
    path = settings_file(tmp_path)
    assert call_here("schedule", "install", path, "--at", "04:05", cwd=tmp_path).code == 0
    assert sorted(each.name for each in systemd.iterdir()) == [
        "edge-bench-nightly-resume.service", "edge-bench-nightly.service", "edge-bench-nightly.timer",
    ]  # fmt: skip
    assert "04:05:00" in call_here("schedule", "show", cwd=tmp_path).stdout
    assert call_here("schedule", "install", path, "--at", "05:06", cwd=tmp_path).code == 0
    assert "05:06:00" in (systemd / "edge-bench-nightly.timer").read_text()
    assert call_here("schedule", "remove", cwd=tmp_path).code == 0
    assert not list(systemd.iterdir())
    calls = (tmp_path / "calls").read_text().splitlines()
    assert "--user enable --now edge-bench-nightly.timer" in calls
    assert "--user enable edge-bench-nightly-resume.service" in calls  # begins with the machine, not now
    assert "--user disable --now edge-bench-nightly.timer" in calls
    assert "--user disable edge-bench-nightly-resume.service" in calls
    assert "--user clean --what=state edge-bench-nightly.timer" in calls  # else another timer would have missed a night


def test_a_timer_is_forgotten_without_d_bus(systemd: Path, tmp_path: Path) -> None:
    stamp = tmp_path / "data" / "systemd" / "timers" / "stamp-edge-bench-nightly.timer"
    stamp.parent.mkdir(parents=True)
    stamp.touch()
    fake_systemctl(tmp_path, "*clean*")
    done = call_here("schedule", "install", settings_file(tmp_path), cwd=tmp_path, XDG_DATA_HOME=str(tmp_path / "data"))
    assert done.code == 0
    assert not stamp.exists()


def test_a_timer_that_could_not_be_installed_is_not_left_active(
    systemd: Path, tmp_path: Path, refuses: Refuses
) -> None:
    fake_systemctl(tmp_path, "*enable*resume*")
    refuses("schedule", "install", settings_file(tmp_path), kind=EdgeBenchError)
    calls = (tmp_path / "calls").read_text().splitlines()
    enabled, disabled = (calls.index(f"--user {each} --now edge-bench-nightly.timer") for each in ("enable", "disable"))
    assert enabled < disabled
    assert not list(systemd.iterdir())


def test_a_systemd_without_the_option_of_newer_ones_checks_the_units(systemd: Path, tmp_path: Path) -> None:
    program = tmp_path / "bin" / "systemd-analyze"
    program.write_text(
        '#!/bin/sh\ncase "$*" in *recursive*) echo "unrecognized option \'--recursive-errors=no\'" >&2; exit 1;; esac\n'
        f'echo "$@" >> {tmp_path}/checked\n'
    )
    program.chmod(0o755)
    assert call_here("schedule", "install", settings_file(tmp_path), cwd=tmp_path).code == 0
    assert "verify" in (tmp_path / "checked").read_text()
    assert len(list(systemd.iterdir())) == 3
    program.write_text('#!/bin/sh\necho "bad unit" >&2; exit 1\n')
    assert call_here("schedule", "install", settings_file(tmp_path), cwd=tmp_path).code == 1


@pytest.mark.slow
def test_units_of_others_are_left_as_they_are(systemd: Path, tmp_path: Path, refuses: Refuses) -> None:
    path = settings_file(tmp_path)
    systemd.mkdir(parents=True)
    unit = systemd / "mine.service"
    unit.write_text("[Service]\n")
    for command in (("install", path), ("remove",)):
        assert refuses("schedule", *command, "--name", "mine").exit_code == 2
    assert unit.read_text() == "[Service]\n"
    assert list(systemd.iterdir()) == [unit]
    assert not (tmp_path / "calls").exists()
    for name in ("../x", "a b", "", "x" * 99):
        refuses("schedule", "remove", "--name", name)
    refuses("schedule", "show")


@pytest.mark.parametrize("failing", ["show-environment", "daemon-reload", "enable"])
@pytest.mark.parametrize("earlier", [False, True], ids=["none", "an earlier timer"])
def test_a_systemd_that_does_not_run_leaves_the_units_as_they_were(
    failing: str, earlier: bool, systemd: Path, tmp_path: Path, refuses: Refuses
) -> None:
    path = settings_file(tmp_path)
    if earlier:
        assert call_here("schedule", "install", path, "--at", "04:05", cwd=tmp_path).code == 0
    before = {each: each.read_text() for each in systemd.glob("*")}
    fake_systemctl(tmp_path, f"*{failing}*")
    assert len(before) == (3 if earlier else 0)
    error = refuses("schedule", "install", path, "--at", "05:06", kind=EdgeBenchError)
    assert error.exit_code == 1
    assert "Failed to connect" in error.problem
    assert "--compose" in error.remedy
    assert "--system" in error.remedy
    assert {each: each.read_text() for each in systemd.glob("*")} == before


def test_without_systemctl_nothing_is_installed(systemd: Path, tmp_path: Path, refuses: Refuses) -> None:
    (tmp_path / "bin" / "systemctl").unlink()
    path = settings_file(tmp_path)
    error = refuses("schedule", "install", path, kind=EdgeBenchError, PATH=str(tmp_path / "bin"))
    assert error.exit_code == 1
    assert "no systemctl" in error.problem
    assert "--compose" in error.remedy
    assert not list(systemd.glob("*"))


def test_a_compose_service_begins_a_night_every_day(tmp_path: Path, refuses: Refuses) -> None:
    path, output = settings_file(tmp_path), tmp_path / "nightly.yaml"
    assert call_here("schedule", "install", path, "--compose", output, cwd=tmp_path).code == 0
    service = yaml.safe_load(output.read_text())["services"]["nightly"]
    assert service["command"] == ["nightly", str(path), "--daily-at", "02:30"]
    assert f"{tmp_path}:{tmp_path}" in service["volumes"]
    assert service["restart"] == "unless-stopped"
    other = tmp_path / "compose.yaml"
    other.write_text("services: {}\n")
    refuses("schedule", "install", path, "--compose", other)
    assert other.read_text() == "services: {}\n"


@pytest.mark.parametrize("text", ["", "24:00", "2", "02:60", "02:30:00", "2.30", "-1:00", "0２:30"])
def test_only_a_time_of_day_is_a_time(text: str) -> None:
    with pytest.raises(BadInput):
        parse_time(text, "--at")


def test_the_next_time_and_a_missed_one() -> None:
    at = parse_time("2:30", "--at")
    evening, night = datetime.datetime(2026, 3, 1, 22, 0), datetime.datetime(2026, 3, 1, 1, 0)
    assert next_time(at, evening) == datetime.datetime(2026, 3, 2, 2, 30)
    assert next_time(at, night) == datetime.datetime(2026, 3, 1, 2, 30)

    def utc(*parts: int) -> str:
        return datetime.datetime(*parts).astimezone(datetime.UTC).isoformat()  # type: ignore[arg-type]

    assert not is_missed(utc(2026, 3, 1, 2, 30), at, evening)
    assert is_missed(utc(2026, 2, 28, 2, 31), at, evening)
    assert not is_missed(utc(2026, 2, 28, 2, 31), at, night)
