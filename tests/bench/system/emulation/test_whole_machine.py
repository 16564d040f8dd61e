"""A whole emulated machine is detected; real and virtual ones, whose times are real, are not."""

import ctypes
import os
import platform
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from edge_bench.app.tables.doctor import doctor_table
from edge_bench.bench.system.emulation import instructions
from edge_bench.bench.system.emulation.signs import emulation_signs
from edge_bench.bench.system.emulation.whole_machine import NO_PROBES, SLOWEST_REAL_NS, TCG, Probes
from edge_bench.bench.system.environment import machine_findings
from edge_bench.bench.system.machine import describe_machine
from tests import trees
from tests.bench.system.emulation import machines

Tree = Callable[[Path], Path]


def probes(*, ns: float | None = None, hypervisor: str = "") -> Probes:
    return Probes(lambda: hypervisor, lambda: ns, lambda: False)


def signs(root: Path, asked: Probes = NO_PROBES, architecture: str = "aarch64") -> list[str]:
    return emulation_signs(root, architecture, root / "none", asked)


@pytest.mark.parametrize(
    ("tree", "count"),
    [
        (machines.tcg, 2),
        (machines.tcg_in_docker, 2),
        (machines.tcg_with_firmware, 2),
        (machines.tcg_max, 2),
    ],
)
def test_an_emulated_machine_is_detected_by_its_files(tmp_path: Path, tree: Tree, count: int) -> None:
    assert len(signs(tree(tmp_path))) == count


@pytest.mark.parametrize("ns", [None, SLOWEST_REAL_NS / 10])
@pytest.mark.parametrize(
    "tree",
    [
        trees.raspberry_pi_4,
        trees.raspberry_pi_5,
        machines.kvm_on_a_pi,
        machines.kvm_with_a_fast_counter,
        machines.hvf_on_a_mac,
        machines.graviton,
        machines.apple_virtualization,
        machines.firecracker,
    ],
)
def test_real_and_virtual_arm_machines_are_not_emulated(tmp_path: Path, tree: Tree, ns: float | None) -> None:
    assert signs(tree(tmp_path), probes(ns=ns)) == []


def test_slow_arithmetic_is_the_second_sign_of_a_machine_that_shows_one(tmp_path: Path) -> None:
    slow = probes(ns=SLOWEST_REAL_NS * 3)
    pi = machines.tcg_raspberry_pi(tmp_path / "pi")
    assert signs(pi) == []  # the counter alone is not enough
    assert len(signs(pi, slow)) == 2
    assert len(signs(machines.kvm_with_a_fast_counter(tmp_path / "fast"), slow)) == 2
    assert len(signs(machines.tcg(tmp_path / "tcg"), slow)) == 3
    assert signs(trees.raspberry_pi_4(tmp_path / "loaded"), slow) == []


def test_slowness_is_not_measured_on_a_machine_without_another_sign(tmp_path: Path) -> None:
    def refuse() -> float:
        raise AssertionError

    assert signs(trees.raspberry_pi_4(tmp_path), Probes(lambda: "", refuse, lambda: False)) == []


def test_amd64_is_emulated_if_its_hypervisor_or_processor_is_tcg(tmp_path: Path) -> None:
    virtual = machines.pc(tmp_path / "virtual", "AMD EPYC 7763 64-Core Processor", "QEMU")
    assert signs(virtual, probes(hypervisor="KVMKVMKVM"), "x86_64") == []
    assert signs(virtual, NO_PROBES, "x86_64") == []
    assert len(signs(virtual, probes(hypervisor=TCG), "x86_64")) == 2
    named = machines.pc(tmp_path / "named", "QEMU TCG CPU version 2.5+", "QEMU")
    assert len(signs(named, NO_PROBES, "x86_64")) == 2
    assert signs(trees.laptop_on_battery(tmp_path / "laptop"), probes(hypervisor="\xff\x01"), "x86_64") == []


def test_a_program_that_macos_translates_is_emulated(tmp_path: Path) -> None:
    (sign,) = signs(tmp_path, NO_PROBES._replace(translated=lambda: True), "x86_64")
    assert "Rosetta" in sign


def test_an_emulated_machine_is_labelled_like_an_emulated_program(tmp_path: Path) -> None:
    found = describe_machine(machines.tcg(tmp_path), "aarch64")
    assert (found.emulated, found.cpu, found.frequency_mhz) == (True, "Cortex-A72", None)
    assert found.label.endswith("EMULATED")
    (finding,) = machine_findings(found, tmp_path)
    assert finding.spoils
    assert "Raspberry Pi 4" in finding.what
    assert ("architecture", "aarch64 EMULATED") in doctor_table(found, [], []).rows


def test_this_machine_answers_for_its_processor() -> None:
    arm = platform.machine() in ("aarch64", "arm64")
    duration = instructions.multiply_add_ns()
    assert (duration is not None) == arm
    virtual = "hypervisor" in Path("/proc/cpuinfo").read_text()
    known = subprocess.run(["lscpu"], capture_output=True, text=True, check=False, env={"LC_ALL": "C"}).stdout
    if virtual and "KVM" in known:
        assert instructions.hypervisor_name() == "KVMKVMKVM"


def test_a_python_without_memfd_create_asks_the_c_library(monkeypatch: pytest.MonkeyPatch) -> None:
    hypervisor_name, multiply_add_ns = (
        instructions.hypervisor_name.__wrapped__,
        instructions.multiply_add_ns.__wrapped__,
    )
    name, known = hypervisor_name(), multiply_add_ns() is not None
    monkeypatch.delattr(os, "memfd_create")  # as of conda's Python
    assert hypervisor_name() == name
    assert (multiply_add_ns() is not None) == known
    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: object())  # a C library of the same time
    assert hypervisor_name() == ""
    assert multiply_add_ns() is None
