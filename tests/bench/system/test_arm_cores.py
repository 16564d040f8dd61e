"""The emulated core is named, with the Raspberry Pi that has it."""

from pathlib import Path

import pytest

from edge_bench.app.tables.doctor import doctor_table
from edge_bench.bench.analysis.comparison.run_notes import notes_on_runs
from edge_bench.bench.system.environment import machine_findings
from edge_bench.bench.system.machine import Machine, describe_machine
from tests import trees
from tests.factories import result, run


def emulated(root: Path, implementer: str, part: str) -> Machine:
    """Describe a machine whose files are those of QEMU's user emulation on a PC."""
    text = (
        "processor\t: 0\nmodel name\t: ARMv8 Processor rev 3 (v8l)\n"
        f"CPU implementer\t: {implementer}\nCPU part\t: {part}\n"
    )
    files = {"proc/cpuinfo": text, "sys/devices/system/cpu/modalias": "cpu:type:x86,ven0000:feature:,0000"}
    trees.write(root, files)
    return describe_machine(root, "aarch64")


@pytest.mark.parametrize(
    ("part", "core", "board"),
    [
        ("0xd03", "Cortex-A53", "Raspberry Pi 3 or Zero 2 W"),
        ("0xd08", "Cortex-A72", "Raspberry Pi 4"),
        ("0xd0b", "Cortex-A76", "Raspberry Pi 5"),
    ],
)
def test_the_core_of_a_pi_is_named_with_the_pi(tmp_path: Path, part: str, core: str, board: str) -> None:
    found = emulated(tmp_path, "0x41", part)
    assert (found.cpu, found.emulated) == (core, True)
    assert core in found.label
    (finding,) = machine_findings(found, tmp_path)
    assert finding.spoils
    assert core in finding.what
    assert board in finding.what
    edge = run(result("dynamic", "litert", 1.0), on=found)
    (note,) = notes_on_runs([edge], edge)
    assert board in note
    assert [row[1] for row in doctor_table(found, [], []).rows if board in row[1]] == [board]


def test_the_core_that_qemu_emulates_by_default_is_in_no_pi(tmp_path: Path) -> None:
    found = emulated(tmp_path, "0x00", "0x051")
    emulation, core = machine_findings(found, tmp_path)
    assert emulation.spoils
    assert not core.spoils
    assert "QEMU_CPU" in core.remedy
    assert all(f"cortex-a{number}" in core.remedy for number in (53, 72, 76))


def test_another_core_and_another_architecture_name_no_pi(tmp_path: Path) -> None:
    assert emulated(tmp_path / "server", "0x41", "0xd0c").valid_for == ""
    trees.write(tmp_path / "pc", {"proc/cpuinfo": "vendor_id\t: AuthenticAMD\nmodel name\t: QEMU CPU\n"
                                  "cpu\t: VirtualApple\n"})  # fmt: skip
    pc = describe_machine(tmp_path / "pc", "x86_64")
    assert (pc.emulated, pc.cpu, pc.valid_for) == (True, "QEMU CPU", "")
    (finding,) = machine_findings(pc, tmp_path / "pc")
    assert finding.spoils


def test_the_board_is_also_known_in_a_container_where_docker_hides_the_device_tree(tmp_path: Path) -> None:
    trees.raspberry_pi_5(tmp_path)
    (tmp_path / "proc/device-tree/model").unlink()
    assert describe_machine(tmp_path, "aarch64").board == "Raspberry Pi 5 Model B Rev 1.0"


def test_a_virtual_machine_has_no_board(tmp_path: Path) -> None:
    trees.write(tmp_path, {"proc/device-tree/model": "linux,dummy-virt\0"})
    assert describe_machine(tmp_path, "aarch64").board == ""
