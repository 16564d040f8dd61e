"""Settings that `edge-bench tune` changes on recorded machines, and their restoration byte by byte."""

import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from edge_bench.app.tables.doctor import Tuning, doctor_table
from edge_bench.bench.errors import BadInput, EdgeBenchError
from edge_bench.bench.system.machine import describe_machine
from edge_bench.bench.system.tuning.advice import tuning_findings
from edge_bench.bench.system.tuning.record import FOLDER, locked_folder, read_tuned, tuned_now, tuned_settings
from edge_bench.bench.system.tuning.settings import Group, Plan, group_of, plan_for
from edge_bench.bench.system.tuning.tune import Outcome, change, require_access, restore
from tests.bench.system.tuning.machines import (
    BOOT,
    CPU,
    MACHINES,
    SWAPPINESS,
    FakeKernel,
    amd_desktop,
    big_little,
    contents,
    laptop,
    pi_4,
    pi_5,
)
from tests.command_line import REPOSITORY

RECORD = FOLDER / "tune.json"
GOVERNOR = f"{CPU}/cpufreq/policy0/scaling_governor"


def tune(files: FakeKernel, cpus: str | None = None) -> list[Outcome]:
    return change(files, lambda _: plan_for(files, cpus), lambda plan, _: bool(plan.changes))


def texts(files: FakeKernel, *paths: str) -> list[str]:
    return [files.text(path) for path in paths]


def affinities(files: FakeKernel) -> dict[int, str]:
    return {int(path.split("/")[2]): files.text(path) for path in files.find("proc/irq/*/smp_affinity_list")}


def test_a_pi_4_gets_another_governor_and_little_swapping(tmp_path: Path) -> None:
    files = FakeKernel(pi_4(tmp_path))
    before = contents(tmp_path)
    assert [each.problem for each in tune(files)] == ["", ""]
    assert texts(files, GOVERNOR, SWAPPINESS) == ["performance", "1"]
    assert affinities(files)[31] == "0-3"  # all cores are measured
    tuned = tuned_now(tmp_path)
    assert tuned is not None
    assert (tuned.cpus, tuned.summary) == ("", ["governor performance", "swappiness 1"])
    assert tuned_settings(tmp_path) == tuned.summary
    restore(files)
    assert contents(tmp_path) == before
    assert tuned_now(tmp_path) is None
    assert tuned_settings(tmp_path) == []


def test_interrupts_are_moved_away_from_the_measured_cores(tmp_path: Path) -> None:
    files = FakeKernel(pi_4(tmp_path))
    before = contents(tmp_path)
    refused = [each for each in tune(files, "1-3") if each.problem]
    assert affinities(files) == {0: "0-3", 9: "0", 11: "0", 31: "0", 35: "0", 39: "0"}
    assert [(each.path, each.essential) for each in refused] == [("proc/irq/0/smp_affinity_list", False)]
    restore(files)
    assert contents(tmp_path) == before


@pytest.mark.parametrize("make", MACHINES.values(), ids=MACHINES)
def test_every_machine_is_restored(make: Callable[[Path], Path], tmp_path: Path) -> None:
    files = FakeKernel(make(tmp_path))
    before = contents(tmp_path)
    assert all(group_of(each.path) is each.group for each in plan_for(files, "1").changes)
    tune(files, "1")
    tuned = contents(tmp_path)
    assert tuned != before
    outcomes, why = restore(files)
    assert outcomes
    assert not why
    assert contents(tmp_path) == before
    assert restore(files) == ([], "no settings are recorded")
    assert contents(tmp_path) == before


def test_turbo_of_intel_and_boost_of_others(tmp_path: Path) -> None:
    intel, amd = FakeKernel(laptop(tmp_path / "intel")), FakeKernel(amd_desktop(tmp_path / "amd"))
    tune(intel)
    tune(amd)
    assert texts(intel, f"{CPU}/intel_pstate/no_turbo", f"{CPU}/cpufreq/policy3/scaling_governor") == [
        "1", "performance",
    ]  # fmt: skip
    assert texts(amd, f"{CPU}/cpufreq/boost", f"{CPU}/cpufreq/policy0/boost") == ["0", "0"]
    restore(amd)
    # the switch for all cores has also switched on core 1, which was off
    assert texts(amd, *(f"{CPU}/cpufreq/{name}" for name in ("boost", "policy0/boost", "policy1/boost"))) == [
        "1", "1", "0",
    ]  # fmt: skip


def test_the_fast_cores_of_two_kinds_are_measured(tmp_path: Path) -> None:
    files = FakeKernel(big_little(tmp_path))
    tune(files)
    assert affinities(files) == {30: "0-3", 31: "0-3", 32: "1"}
    assert (tuned := tuned_now(tmp_path)) is not None
    assert tuned.cpus == "4-7"
    # tuning again for other cores keeps the original values of the first time
    before = contents(big_little(tmp_path / "new"))
    tune(files, "0-3")
    assert affinities(files) == {30: "4-7", 31: "4-7", 32: "4-7"}
    restore(files)
    assert {name: text for name, text in contents(tmp_path).items() if not name.startswith("new")} == before


def test_what_is_missing_or_cannot_be_restored_is_left_out(tmp_path: Path) -> None:
    files = FakeKernel(pi_4(tmp_path))
    (tmp_path / SWAPPINESS).chmod(0o444)
    (tmp_path / GOVERNOR.replace("governor", "available_governors")).write_text("ondemand powersave\n")
    (tmp_path / "proc/irq/31/smp_affinity_list").write_text("\n")
    (tmp_path / "proc/irq/39/smp_affinity_list").unlink()
    plan = plan_for(files, "1-3")
    assert {each.path for each in plan.visible} == {f"proc/irq/{number}/smp_affinity_list" for number in (0, 9, 11, 35)}
    assert any("performance" in note for note in plan.notes)
    assert not plan_for(files, "1-3", keep=[Group.INTERRUPTS]).changes
    assert plan_for(FakeKernel(tmp_path / "empty")) == Plan()


def test_a_value_that_the_kernel_refuses_or_changes_is_reported_and_the_others_are_set(tmp_path: Path) -> None:
    class Stubborn(FakeKernel):
        def write(self, path: str, content: bytes) -> None:
            if path == GOVERNOR and content == b"performance\n":
                raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
            super().write(path, b"10\n" if path == SWAPPINESS and content == b"1\n" else content)

    files = Stubborn(pi_4(tmp_path))
    before = contents(tmp_path)
    refused = {each.path: each for each in tune(files, "1-3") if each.problem and each.essential}
    assert set(refused) == {GOVERNOR, SWAPPINESS}
    assert "10" in refused[SWAPPINESS].problem
    assert affinities(files)[9] == "0"
    restore(files)
    assert contents(tmp_path) == before


def test_a_refused_restoration_keeps_the_record_for_the_next_one(tmp_path: Path) -> None:
    class Busy(FakeKernel):
        busy = True

        def write(self, path: str, content: bytes) -> None:
            if self.busy and path == GOVERNOR:
                raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
            super().write(path, content)

    before = contents(pi_4(tmp_path))
    tune(FakeKernel(tmp_path), "1-3")
    files = Busy(tmp_path)
    (tmp_path / "proc/irq/39/smp_affinity_list").unlink()  # its device was removed
    outcomes, _ = restore(files)
    refused = [each.path for each in outcomes if each.problem and each.essential]
    assert refused[0] == GOVERNOR
    assert texts(files, SWAPPINESS) == ["60"]
    assert tuned_now(tmp_path) is not None
    files.busy = False
    restore(files)
    del before["proc/irq/39/smp_affinity_list"]
    assert contents(tmp_path) == before


def test_after_a_restart_nothing_is_written(tmp_path: Path) -> None:
    files = FakeKernel(pi_4(tmp_path))
    tune(files)
    record = (tmp_path / RECORD).read_bytes()
    for path, text in {BOOT: "another\n", SWAPPINESS: "30\n", GOVERNOR: "schedutil\n"}.items():
        (tmp_path / path).write_text(text)
    assert tuned_now(tmp_path) is None
    outcomes, why = restore(files)
    assert outcomes == []
    assert "restarted" in why
    assert not (tmp_path / FOLDER).exists()
    assert texts(files, SWAPPINESS, GOVERNOR) == ["30", "schedutil"]
    # an old record is no source of original values either
    (tmp_path / FOLDER).mkdir()
    (tmp_path / RECORD).write_bytes(record)
    tune(files)
    restore(files)
    assert texts(files, SWAPPINESS, GOVERNOR) == ["30", "schedutil"]


@pytest.mark.slow
def test_only_one_process_at_a_time_and_only_what_was_agreed_to(tmp_path: Path) -> None:
    files = FakeKernel(pi_5(tmp_path))
    before = contents(tmp_path)
    with locked_folder(tmp_path), pytest.raises(BadInput):
        tune(files)
    with locked_folder(tmp_path), pytest.raises(BadInput):
        restore(files)
    assert change(files, lambda _: plan_for(files), lambda *_: False) == []
    assert contents(tmp_path) == before

    def meanwhile(*_: object) -> bool:
        files.write(GOVERNOR, b"powersave\n")
        return True

    with pytest.raises(EdgeBenchError):
        change(files, lambda _: plan_for(files), meanwhile)
    assert texts(files, GOVERNOR) == ["powersave"]
    assert read_tuned(tmp_path) is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[:-20],
        lambda text: text.replace('"version": 1', '"version": 2'),
        lambda text: text.replace("proc/sys/vm/swappiness", "etc/passwd"),
        lambda text: text.replace("proc/sys/vm/swappiness", "proc/irq/../sys/vm/swappiness"),
    ],
)
def test_a_record_that_is_damaged_is_never_written_to_the_kernel(damage: Callable[[str], str], tmp_path: Path) -> None:
    files = FakeKernel(pi_4(tmp_path))
    tune(files)
    (tmp_path / RECORD).write_text(damage((tmp_path / RECORD).read_text()))
    with pytest.raises(BadInput):
        restore(files)
    with pytest.raises(BadInput):
        tune(files)
    assert tuned_now(tmp_path) is None
    assert tuned_settings(tmp_path) is None  # a Run must not say that nothing is tuned
    findings = tuning_findings(describe_machine(tmp_path, "aarch64"), tmp_path)
    assert [str(RECORD) in each.what for each in findings] == [True]
    (tmp_path / RECORD).chmod(0o666)
    with pytest.raises(BadInput):
        read_tuned(tmp_path)


def test_nothing_is_changed_without_access(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = FakeKernel(pi_4(tmp_path))
    changes = plan_for(files).changes
    require_access(files, changes, "sudo edge-bench tune")
    (tmp_path / ".dockerenv").touch()
    with pytest.raises(BadInput) as container:  # the record would be lost with it
        require_access(files, changes, "sudo edge-bench tune")
    monkeypatch.setattr(Path, "is_mount", lambda path: path == tmp_path / FOLDER)
    require_access(files, changes, "sudo edge-bench tune")
    monkeypatch.setattr(os, "access", lambda path, _: SWAPPINESS not in str(path))
    with pytest.raises(BadInput) as read_only:
        require_access(files, changes, "sudo edge-bench tune")
    for refused in (container, read_only):
        assert "on the host: sudo edge-bench tune" in refused.value.remedy
    (tmp_path / ".dockerenv").unlink()
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(BadInput) as no_root:
        require_access(files, changes, "sudo edge-bench tune")
    assert no_root.value.remedy == "sudo edge-bench tune"


def test_doctor_names_the_settings_and_the_remedy(tmp_path: Path) -> None:
    files = FakeKernel(laptop(tmp_path))
    machine = describe_machine(tmp_path, "x86_64")
    findings = tuning_findings(machine, tmp_path)
    assert len(findings) == 2  # turbo and swap; the governor is a finding of every Run
    assert all("sudo edge-bench tune" in each.remedy and not each.spoils for each in findings)
    assert Tuning(tuned_settings(tmp_path), tuned_now(tmp_path)).text == "no"
    tune(files, "1-3")
    assert tuning_findings(machine, tmp_path) == []
    table = doctor_table(machine, [], [], Tuning(tuned_settings(tmp_path), tuned_now(tmp_path)))
    (row,) = [value for name, value in table.rows if name == "tuned"]
    assert row.startswith("governor performance, turbo off, swappiness 1, interrupts moved; measured cores: 1-3")
    assert "tune --restore" in table.notes[-1]
    assert table.records[0]["tuned"] == tuned_settings(tmp_path)
    (tmp_path / RECORD).unlink()
    (tmp_path / ".dockerenv").touch()
    assert tuned_settings(tmp_path) is None


@pytest.mark.slow
def test_a_kill_at_any_operation_leaves_a_machine_that_can_be_restored(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.system.tuning.kill_points", str(tmp_path)],
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["wrong"] == []
    assert len(result["kills"]) == 7
    assert min(result["kills"].values()) > 10
