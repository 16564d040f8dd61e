"""CPU features that a library needs are compared with those of the machine, and named if they are missing."""

from pathlib import Path

import pytest

from edge_bench.bench.system.cpu_features import litert_gpu_library_fault, missing_features
from tests import trees

NAME = "libLiteRtWebGpuAccelerator.so"


def test_a_pi_4_cannot_load_litert_s_gpu_library_and_a_pi_5_can(tmp_path: Path) -> None:
    library = trees.litert_gpu_library(tmp_path / "litert" / NAME)
    root = trees.raspberry_pi_4(tmp_path / "pi4")
    missing = ["aes", "asimddp", "asimdhp", "asimdrdm", "atomics", "fphp", "lrcpc", "sha2"]
    assert missing_features(library, root) == missing
    found = litert_gpu_library_fault(root, library.parent)
    assert found is not None
    assert not found.spoils  # edge-bench does not load the file
    assert all(name in found.what for name in [str(library), "Cortex-A72", *missing])
    assert litert_gpu_library_fault(trees.raspberry_pi_5(tmp_path / "pi5"), library.parent) is None


def test_nothing_is_found_without_the_file_and_on_another_kind_of_cpu(tmp_path: Path) -> None:
    pi = trees.raspberry_pi_4(tmp_path / "pi4")
    (tmp_path / "litert").mkdir()
    assert litert_gpu_library_fault(pi, tmp_path / "litert") is None
    assert litert_gpu_library_fault(pi, tmp_path / "none") is None
    library = trees.litert_gpu_library(tmp_path / "litert" / NAME)
    assert litert_gpu_library_fault(trees.laptop_on_battery(tmp_path / "laptop"), library.parent) is None
    assert litert_gpu_library_fault(tmp_path / "no-proc", library.parent) is None


@pytest.mark.parametrize("features", [(), ("crc",), ("future2040",)])
def test_a_library_that_needs_nothing_more_is_no_finding(tmp_path: Path, features: tuple[str, ...]) -> None:
    library = trees.litert_gpu_library(tmp_path / "litert" / NAME, features)
    assert litert_gpu_library_fault(trees.raspberry_pi_4(tmp_path / "pi4"), library.parent) is None
    library.write_bytes(b"")
    assert litert_gpu_library_fault(trees.raspberry_pi_4(tmp_path / "pi4"), library.parent) is None


def test_a_feature_that_one_kind_of_core_lacks_is_missing(tmp_path: Path) -> None:
    """As on a processor with cores of two kinds."""
    cores = trees.arm_cpuinfo("0xd05", "board", "fp asimd atomics") + trees.arm_cpuinfo("0xd03", "board", "fp asimd")
    root = trees.write(tmp_path / "board", {"proc/cpuinfo": cores})
    assert missing_features(trees.litert_gpu_library(tmp_path / NAME, ("lse",)), root) == ["atomics"]
