"""Three engines of our own, a swarm of them, and the edge image from this checkout."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from edge_bench.bench.records.run import Run
from edge_bench.bench.records.run_files import read_run
from tests.command_line import REPOSITORY, clean_environment, command
from tests.containers import conftest as containers
from tests.fleet.engines import Dockerd, Network, Sshd, known_refusal, own_folder

IMAGE = os.environ.get("EDGE_BENCH_TESTS_IMAGE", "edge-bench:edge-bench-fleet-tests")
NAMES = ("amd", "by-ssh", "pi")
#: fixtures: both images by the machine's own engine, of which a training needs the host's
engine, images = containers.engine, containers.images


@dataclass
class Shelf:
    """Three engines: by its socket; by ssh or TLS; one that takes the arm64 image. The first may manage a swarm."""

    engines: list[Dockerd]
    sshd: Sshd
    network: Network
    bundle: Path
    folder: Path

    @property
    def fleet_file(self) -> Path:
        return self.folder / "fleet.toml"

    def start(
        self,
        *arguments: object,
        results: Path,
        fleet_file: Path | None = None,
        engines: Sequence[str] = (),
        inside: Dockerd | None = None,
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> "subprocess.Popen[str]":
        """`edge-bench fleet run` with a tiny workload; on all engines of the fleet file, or on those named.

        ``inside``: on that engine's machine, from which the others are a network away.
        """
        where = [word for url in engines for word in ("--engine", url)]
        return subprocess.Popen(
            [
                *(["nsenter", f"--net=/run/netns/{inside.namespace}"] if inside else []),
                *command(
                    "fleet", "run", self.bundle, *(where or ("--fleet", fleet_file or self.fleet_file)),
                    "--image", IMAGE, "--variant", "dynamic", "--runtime", "litert", "--processes", 1,
                    "--results", results, *arguments,
                ),
            ],
            env={**clean_environment(self.folder), **environment},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def run(self, *arguments: object, results: Path, **more: Any) -> "subprocess.CompletedProcess[str]":
        process = self.start(*arguments, results=results, **more)
        out, error = process.communicate(timeout=300)
        return subprocess.CompletedProcess(process.args, process.returncode, out, error)

    def leftovers(self) -> list[str]:
        return [f"{each.name}: {left}" for each in self.engines for left in each.leftovers()]


def runs_in(results: Path) -> list[Run]:
    return [read_run(path) for path in sorted(results.glob("run-*.json"))]


@pytest.fixture(scope="session")
def edge_image() -> str:
    """The edge image for both platforms, built from this checkout by the machine's own engine.

    Or a file that `docker save` wrote, where EDGE_BENCH_TESTS_IMAGE names one.
    """
    if IMAGE.endswith(".tar"):
        return IMAGE
    try:
        built = subprocess.run(
            ["docker", "buildx", "build", "--quiet", "--file", "Dockerfile.edge", "--tag", IMAGE, "--load",
             "--platform", "linux/amd64,linux/arm64", "."],
            cwd=REPOSITORY, capture_output=True, text=True, timeout=1200, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as cause:
        pytest.skip(f"no Docker engine: {cause}")
    if built.returncode:
        pytest.skip(f"the image for both platforms cannot be built here: {built.stderr.strip()[-300:]}")
    return IMAGE


@pytest.fixture(scope="session")
def shelf(edge_image: str, digits_bundle: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    """Starts them; whatever happens, their processes, mounts and namespaces are gone afterwards."""
    if reason := known_refusal():
        pytest.skip(reason)
    from edge_bench.bench.records.bundle import Bundle

    assert isinstance(digits_bundle, Bundle)
    root, network, engines = own_folder(), Network(list(NAMES)), list[Dockerd]()
    sshd = Sshd(root)
    try:
        try:
            places = network.start()
        except (OSError, subprocess.CalledProcessError) as cause:
            pytest.skip(f"no network namespaces here: {cause}")
        for name in NAMES:
            engines.append(Dockerd(name, root / name, *places[name], containerd_store=name == "by-ssh"))
        engines[1].with_tls()
        for engine in engines:
            engine.start()
        sshd.start()
        (root / "fleet.toml").write_text(
            f'ssh_config = "ssh_config"\n'
            f'[[engine]]\nname = "amd"\nurl = "{engines[0].url}"\n'
            f'[[engine]]\nname = "by-ssh"\nurl = "{sshd.url(engines[1])}"\n'
            f'[[engine]]\nname = "pi"\nurl = "{engines[2].url}"\nplatform = "linux/arm64"\n'
        )
        yield Shelf(engines, sshd, network, digits_bundle.folder, root)
    finally:
        sshd.stop()
        for engine in engines:
            engine.stop()
        network.stop()
        shutil.rmtree(root, ignore_errors=True)


@pytest.fixture(scope="session")
def swarm(shelf: Shelf) -> Shelf:
    """The same three as a swarm; it ends with them."""
    first, *others = shelf.engines
    with contextlib.closing(first.client()) as manager:
        manager.swarm.init(advertise_addr=first.address, listen_addr=f"{first.address}:2377")
        manager.swarm.reload()
        token = manager.swarm.attrs["JoinTokens"]["Worker"]
        for engine in others:
            with contextlib.closing(engine.client()) as client:
                client.swarm.join(
                    remote_addrs=[f"{first.address}:2377"], join_token=token,
                    advertise_addr=engine.address, listen_addr=f"{engine.address}:2377",
                )  # fmt: skip
    return shelf


@pytest.fixture
def nothing_left(shelf: Shelf) -> Iterator[Callable[[], list[str]]]:
    """What is left on the engines; after the test it has to be nothing."""
    yield shelf.leftovers
    assert shelf.leftovers() == []
