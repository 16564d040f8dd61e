"""Emulation of a program is detected by files that an emulator does not replace, and never on a real machine."""

import struct
import sys
from pathlib import Path

import pytest

from edge_bench.bench.system.emulation.signs import emulation_signs

X86_64, AARCH64, ARM = 62, 183, 40
PI_CPUINFO = "processor\t: 0\nBogoMIPS\t: 108.00\nCPU implementer\t: 0x41\nCPU part\t: 0xd08\n"
PC_CPUINFO = "processor\t: 0\nvendor_id\t: AuthenticAMD\nmodel name\t: AMD EPYC\n"
PI_VERSION = "Linux version 6.12.25+rpt-rpi-v8 (serge@raspberrypi.com) (aarch64-linux-gnu-gcc-12 (Debian 12.2.0-14)) #1"
PC_VERSION = "Linux version 6.8.0-45-generic (buildd@lcy02-amd64-115) (x86_64-linux-gnu-gcc-13) #45-Ubuntu"


def tree(folder: Path, **texts: str) -> Path:
    """Write a machine's files: any of cpuinfo, version and modalias."""
    places = {"cpuinfo": "proc/cpuinfo", "version": "proc/version", "modalias": "sys/devices/system/cpu/modalias"}
    for name, text in texts.items():
        path = folder / places[name]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def elf(path: Path, machine: int) -> Path:
    """Write the first bytes of a program for a processor."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HH", 2, machine) + bytes(44))
    return path


def test_the_machine_that_runs_these_tests_shows_no_sign() -> None:
    assert emulation_signs() == []


def test_a_raspberry_pi_shows_no_sign(tmp_path: Path) -> None:
    root = tree(tmp_path, cpuinfo=PI_CPUINFO, version=PI_VERSION, modalias="cpu:type:aarch64:feature:,0000,0001")
    own = elf(root / "proc/thread-self/exe", AARCH64)
    assert emulation_signs(root, "aarch64", own) == []


def test_32_bit_programs_on_a_64_bit_pi_are_no_sign(tmp_path: Path) -> None:
    root = tree(tmp_path, cpuinfo=PI_CPUINFO, version=PI_VERSION, modalias="cpu:type:aarch64:feature:,0000")
    assert emulation_signs(root, "armv8l", elf(root / "proc/thread-self/exe", ARM)) == []


def test_a_kernel_cross_compiled_on_a_pc_is_not_enough(tmp_path: Path) -> None:
    root = tree(tmp_path, cpuinfo=PI_CPUINFO, version=PC_VERSION, modalias="cpu:type:aarch64:feature:,0000")
    assert emulation_signs(root, "aarch64", elf(root / "proc/thread-self/exe", AARCH64)) == []


def test_an_executable_for_another_processor_is_a_sign_of_qemu(tmp_path: Path) -> None:
    elf(tmp_path / "proc/thread-self/exe", X86_64)
    (sign,) = emulation_signs(tmp_path, "aarch64", elf(tmp_path / "python3", AARCH64))
    assert "x86-64" in sign
    assert "AArch64" in sign


@pytest.mark.parametrize(
    ("architecture", "modalias", "processor"),
    [
        ("aarch64", "cpu:type:x86,ven0002fam0019mod0011:feature:,0000", "x86"),
        ("x86_64", "cpu:type:aarch64:feature:,0000", "aarch64"),
    ],
)
def test_another_processor_of_the_kernel_is_a_sign(
    tmp_path: Path, architecture: str, modalias: str, processor: str
) -> None:
    (sign,) = emulation_signs(tree(tmp_path, modalias=modalias), architecture, tmp_path / "none")
    assert processor in sign


def test_two_weak_signs_together_are_enough_and_one_is_not(tmp_path: Path) -> None:
    root = tree(tmp_path, cpuinfo=PC_CPUINFO)
    assert emulation_signs(root, "aarch64", tmp_path / "none") == []
    assert len(emulation_signs(tree(root, version=PC_VERSION), "aarch64", tmp_path / "none")) == 2


def test_a_virtualapple_processor_is_a_sign_of_rosetta(tmp_path: Path) -> None:
    root = tree(tmp_path, cpuinfo="vendor_id\t: VirtualApple\nmodel name\t: VirtualApple @ 2.50GHz\n")
    assert emulation_signs(root, "x86_64", Path(sys.executable)) != []


def test_environment_variables_of_qemu_are_no_sign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QEMU_CPU", "cortex-a72")
    assert emulation_signs(tree(tmp_path, cpuinfo=PI_CPUINFO), "aarch64", tmp_path / "none") == []


def test_a_machine_without_these_files_shows_no_sign(tmp_path: Path) -> None:
    assert emulation_signs(tmp_path, "aarch64", tmp_path / "none") == []
