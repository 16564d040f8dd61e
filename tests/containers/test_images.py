"""The contents of the images, their size and their permissions."""

import json
from pathlib import Path
from typing import Any

import pytest

from edge_bench.bench.sandbox.support import sandbox_support
from tests import trees
from tests.containers.compose import EDGE, HOST, NATIVE, assert_licences, compressed_bytes, docker

pytestmark = [pytest.mark.containers, pytest.mark.usefixtures("images")]

# bytes, compressed
EDGE_BUDGET = 45_000_000  # above the base image, arm64
EDGE_TOTAL_BUDGET = 70_000_000  # with it: what a device downloads, whatever the base image contains
HOST_TOTAL_BUDGET = 430_000_000

INSIDE = """
import importlib.util, json, os, pathlib, shutil, sys
def writable(folder):
    try:
        probe = pathlib.Path(folder, "probe"); probe.touch(); probe.unlink(); return True
    except OSError:
        return False
status = dict(line.split(":", 1) for line in open("/proc/self/status") if ":" in line)
print(json.dumps({
    "uid": os.getuid(),
    "capabilities": [int(status[name], 16) for name in ("CapEff", "CapPrm", "CapBnd")],
    "no_new_privileges": int(status["NoNewPrivs"]),
    "writable": [f for f in ("/", "/opt/edge-bench", "/usr/bin", "/artifacts", "/results", "/tmp") if writable(f)],
    "programs": [name for name in ("pip", "pip3", "gcc", "cc", "g++", "make", "git", "curl") if shutil.which(name)],
    "modules": [name for name in sys.argv[1].split(",") if importlib.util.find_spec(name)],
    "interfaces": sorted(os.listdir("/sys/class/net")),
}))
"""
#: Run as root, which sees every file.
PRIVILEGES = """
import json, os, shutil
marked = []
for folder, names, files in os.walk("/"):
    names[:] = [name for name in names if os.path.join(folder, name) not in ("/proc", "/sys", "/dev")]
    for name in [*names, *files]:
        path = os.path.join(folder, name)
        if not os.path.islink(path) and os.stat(path).st_mode & 0o6000:
            marked.append(path)
programs = ("perl", "apt", "apt-get", "dpkg", "dpkg-deb", "debconf", "su", "sudo", "mount", "umount", "passwd", "chsh",
            "chfn", "newgrp", "gpasswd", "chage", "login", "useradd", "adduser", "unix_chkpwd", "gpgv")
PATH = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"
status = open("/var/lib/dpkg/status").read()
gone = ("apt", "dpkg", "perl-base", "passwd", "login", "mount", "debconf", "libpam-modules-bin")
print(json.dumps({
    "setuid or setgid": marked,
    "programs": [name for name in programs if shutil.which(name, path=PATH)],
    "folders": [path for path in ("/etc/apt", "/usr/lib/apt", "/usr/share/perl5") if os.path.exists(path)],
    "packages": [name for name in gone if f"Package: {name}\\n" in status],
    "user": next(int(line.split(":")[2]) for line in open("/etc/passwd") if line.startswith("edge-bench:")),
}))
"""
#: Imports everything that the modules of edge-bench import, at the top or in a function; prints what is missing.
IMPORTS = """
import ast, importlib, json, pathlib
import edge_bench
wanted = set()
for path in pathlib.Path(edge_bench.__file__).parent.rglob("*.py"):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            wanted.update((each.name, "") for each in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            wanted.update((node.module, each.name) for each in node.names)
missing = []
for module, name in sorted(wanted):
    if module.split(".")[0] != "edge_bench":
        try:
            if name and not hasattr(importlib.import_module(module), name):
                module = f"{module}.{name}"
            importlib.import_module(module)
        except ImportError:
            missing.append(module)
print(json.dumps(missing))
"""
NOT_IN_HOST = {"mlflow", "ncnn", "onnx", "openvino", "pandas", "tf2onnx"}
NOT_IN_EDGE = NOT_IN_HOST | {
    "docker", "h5py", "httptools", "keras", "matplotlib", "onnxruntime", "pooch", "prometheus_client", "requests",
    "starlette", "tensorflow", "urllib3", "uvicorn", "yaml",
}  # fmt: skip
#: Prints the number of programs and libraries of Debian, and those that lack a library.
LIBRARIES = """
import json, os, subprocess
count, broken = 0, []
for folder, _, names in os.walk("/usr"):
    for path in (os.path.join(folder, name) for name in names):
        if os.path.islink(path) or open(path, "rb").read(4) != bytes([127]) + b"ELF":
            continue
        count += 1
        if "not found" in subprocess.run(["ldd", path], capture_output=True, text=True).stdout:
            broken.append(path)
print(json.dumps([count, *broken]))
"""
MODULES = "numpy,tflite_runtime,ai_edge_litert,tensorflow,matplotlib,sklearn,pip,setuptools,pytest"


def look_inside(*how: object) -> dict[str, Any]:
    """Run Python in a container, with the packages of edge-bench, and return what it found."""
    done = docker(*how, "-c", INSIDE, MODULES)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.mark.parametrize(
    ("service", "modules"),
    [
        ("edge", ["numpy", "tflite_runtime", "ai_edge_litert"]),
        ("host", ["numpy", "tflite_runtime", "ai_edge_litert", "tensorflow", "matplotlib", "sklearn"]),
    ],
)
def test_a_service_of_compose_is_hardened_and_has_only_the_modules_it_needs(service: str, modules: list[str]) -> None:
    inside = look_inside(
        "compose", "--project-name", "edge-bench-tests-hardening", "run", "--rm", "--no-deps", "-T",
        "--entrypoint", "/opt/edge-bench/bin/python", service,
    )  # fmt: skip
    docker("compose", "--project-name", "edge-bench-tests-hardening", "down", "--volumes")
    assert inside["uid"] == 10001
    assert inside["capabilities"] == [0, 0, 0]
    assert inside["no_new_privileges"] == 1
    assert inside["writable"] == ["/results", "/tmp"]
    assert inside["interfaces"] == ["lo"]
    assert inside["programs"] == []
    assert inside["modules"] == modules


@pytest.mark.parametrize("image", [EDGE, HOST])
def test_the_licence_of_every_distribution_in_an_image_is_in_it(image: str) -> None:
    assert_licences(image)


def test_the_edge_image_stays_within_its_budget(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM debian:bookworm-slim\n")
    base = compressed_bytes(tmp_path / "base.tar", tmp_path)
    assert base > 1_000_000
    arguments = ("--file", "Dockerfile.edge", "--build-arg", "EDGE_BENCH_REVISION=tested", ".")
    edge = compressed_bytes(tmp_path / "edge.tar", *arguments)
    assert edge - base <= EDGE_BUDGET
    assert base < edge <= EDGE_TOTAL_BUDGET


@pytest.mark.nightly
def test_the_host_image_stays_within_its_budget(tmp_path: Path) -> None:
    arguments = ("--file", "Dockerfile.host", "--build-arg", "EDGE_BENCH_REVISION=tested", ".")
    host = compressed_bytes(tmp_path / "host.tar", *arguments, platform="linux/amd64")
    assert 100_000_000 < host <= HOST_TOTAL_BUDGET


@pytest.mark.parametrize(("image", "missing"), [(NATIVE, NOT_IN_EDGE), (HOST, NOT_IN_HOST)])
def test_every_module_that_a_command_imports_is_in_an_image(native_image: None, image: str, missing: set[str]) -> None:
    """The images leave out parts of packages: everything that the code names can still be imported."""
    done = docker("run", "--rm", "--network=none", "--entrypoint", "/opt/edge-bench/bin/python", image, "-c", IMPORTS)
    assert done.returncode == 0, done.stderr
    assert {name.split(".")[0] for name in json.loads(done.stdout.splitlines()[-1])} == missing


def test_every_program_in_the_images_finds_its_libraries(native_image: None) -> None:
    """Of Debian; those of Python packages are loaded by the test above."""
    for image in (NATIVE, HOST):
        done = docker("run", "--rm", "--network=none", "--user=0", "--entrypoint=python3", image, "-c", LIBRARIES)
        assert done.returncode == 0, done.stderr
        count, *broken = json.loads(done.stdout)
        assert count > 100
        assert broken == []


@pytest.mark.parametrize("image", [EDGE, HOST])
def test_nothing_in_an_image_raises_privileges_or_installs_anything(image: str) -> None:
    done = docker("run", "--rm", "--network=none", "--user", "0", "--entrypoint", "python3", image, "-c", PRIVILEGES)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["setuid or setgid"] == []
    assert found["programs"] == []
    assert found["folders"] == []
    assert found["packages"] == []
    assert found["user"] == 10001


def test_models_are_sandboxed_in_a_container_and_an_emulator_says_that_they_are_not() -> None:
    """With Docker's own profile of system calls, on a kernel that has both parts."""
    (host,) = json.loads(docker("run", "--rm", "--network=none", HOST, "doctor", "--format", "json").stdout)
    assert host["sandbox"] == sandbox_support().parts
    emulated = docker("run", "--rm", "--network=none", EDGE, "doctor", "--format", "json")
    (edge,) = json.loads(emulated.stdout)
    if edge["emulated"]:
        assert edge["cpu"] == "Cortex-A72"  # of a Raspberry Pi 4, without any option
        assert edge["sandbox"] == []


@pytest.mark.nightly
@pytest.mark.parametrize(("core", "works"), [("cortex-a53", False), ("cortex-a72", False), ("cortex-a76", True)])
def test_doctor_compares_litert_s_gpu_library_with_the_emulated_core(tmp_path: Path, core: str, works: bool) -> None:
    """The image does not contain the library, a pip installation does."""
    library = trees.litert_gpu_library(tmp_path / "library.so")
    place = "/opt/edge-bench/lib/python3.11/site-packages/ai_edge_litert/libLiteRtWebGpuAccelerator.so"
    command = ("run", "--rm", "--network=none", "--env", f"QEMU_CPU={core}")
    done = docker(*command, "-v", f"{library}:{place}:ro", EDGE, "doctor", "--format", "json")
    (machine,) = json.loads(done.stdout)
    if not machine["emulated"]:
        pytest.skip("QEMU_CPU has no effect on a real arm64 machine")
    assert [each["spoils"] for each in machine["findings"] if place in each["what"]] == ([] if works else [False])


@pytest.mark.parametrize("image", [EDGE, HOST])
def test_labels_describe_the_image_and_its_source(image: str) -> None:
    labels = json.loads(docker("image", "inspect", image, "--format", "{{json .Config.Labels}}").stdout)
    for name in ("title", "description", "licenses", "version", "revision", "base.name"):
        assert labels[f"org.opencontainers.image.{name}"], name
    assert labels["org.opencontainers.image.revision"] == "tested"


def test_the_edge_image_builds_and_runs_on_amd64_from_the_same_file(native_image: None) -> None:
    done = docker("run", "--rm", NATIVE, "doctor", "--format", "json")
    (machine,) = json.loads(done.stdout)
    assert (machine["architecture"], machine["emulated"]) == ("x86_64", False)
    settings = docker("image", "inspect", "edge-bench-amd64:edge-bench-tests", "--format", "{{json .Config.Env}}")
    assert "QEMU_CPU" not in settings.stdout  # an emulator of amd64 refuses a core of Arm


def test_bake_builds_both_images_for_their_platforms() -> None:
    plan = json.loads(docker("buildx", "bake", "--print").stdout)["target"]
    assert plan["host"]["platforms"] == ["linux/amd64"]
    assert plan["edge"]["platforms"] == ["linux/arm64", "linux/amd64"]
    assert set(plan) == {"host", "edge"}  # edge-full only on request
    full = json.loads(docker("buildx", "bake", "--print", "edge-full").stdout)["target"]["edge-full"]
    assert (full["target"], full["platforms"]) == ("edge-full", ["linux/arm64", "linux/amd64"])
