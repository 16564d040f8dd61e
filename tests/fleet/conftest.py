"""Three Docker engines on this machine, a swarm of them, and the edge image from this checkout."""

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_bench.bench.records.bundle import Bundle
from tests.command_line import REPOSITORY
from tests.containers.fixtures import build_lock, docker_engine, images
from tests.fleet.commands import IMAGE, QUICK, Engines, Leftovers, Measured
from tests.fleet.engines import Dockerd, Network, Sshd, missing_requirement, own_folder

__all__ = ["docker_engine", "edge_image", "engines", "images", "measured", "nothing_left", "swarm"]

NAMES = ("amd", "by-ssh", "pi")


@pytest.fixture(scope="session")
def edge_image() -> str:
    """Build the edge image for both platforms, unless EDGE_BENCH_TESTS_IMAGE names a file from `docker save`."""
    if IMAGE.endswith(".tar"):
        return IMAGE
    try:
        with build_lock():
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
def engines(edge_image: str, digits_bundle: Bundle) -> Iterator[Engines]:
    """Start the engines. Their processes, mounts and namespaces are removed in any case."""
    if reason := missing_requirement():
        pytest.skip(reason)
    root, network, daemons = own_folder(), Network(list(NAMES)), list[Dockerd]()
    sshd = Sshd(root)
    try:
        try:
            places = network.start()
        except (OSError, subprocess.CalledProcessError) as cause:
            pytest.skip(f"no network namespaces here: {cause}")
        for name in NAMES:
            daemons.append(Dockerd(name, root / name, *places[name], containerd_store=name == "by-ssh"))
        daemons[1].with_tls()
        for daemon in daemons:
            daemon.start()
        sshd.start()
        (root / "fleet.toml").write_text(
            f'ssh_config = "ssh_config"\n'
            f'[[engine]]\nname = "amd"\nurl = "{daemons[0].url}"\n'
            f'[[engine]]\nname = "by-ssh"\nurl = "{sshd.url(daemons[1])}"\n'
            f'[[engine]]\nname = "pi"\nurl = "{daemons[2].url}"\nplatform = "linux/arm64"\n'
        )
        yield Engines(daemons, sshd, network, digits_bundle.folder, root, _saved(edge_image, root))
    finally:
        sshd.stop()
        for daemon in daemons:
            daemon.stop()
        network.stop()
        shutil.rmtree(root, ignore_errors=True)


def _saved(image: str, folder: Path) -> str:
    """Save the image to a file called like it, so that engines have it under the same tag; return the file's path."""
    if image.endswith(".tar"):
        return image
    path = folder / f"{image.partition(':')[0]}.tar"
    subprocess.run(["docker", "save", "--output", path, image], check=True, capture_output=True)
    return str(path)


@pytest.fixture(scope="session")
def measured(engines: Engines, tmp_path_factory: pytest.TempPathFactory) -> Measured:
    """Measure on all three engines, which receive the image from the local engine; it is not sent again later."""
    results = tmp_path_factory.mktemp("measured")
    return Measured(engines.run(*QUICK, results=results, image=IMAGE), results)


@pytest.fixture(scope="session")
def swarm(engines: Engines) -> Engines:
    """The same engines as a swarm."""
    first, *others = engines.daemons
    with contextlib.closing(first.client()) as manager:
        manager.swarm.init(advertise_addr=first.address, listen_addr=f"{first.address}:2377")
        manager.swarm.reload()
        token = manager.swarm.attrs["JoinTokens"]["Worker"]
        for daemon in others:
            with contextlib.closing(daemon.client()) as client:
                client.swarm.join(
                    remote_addrs=[f"{first.address}:2377"], join_token=token,
                    advertise_addr=daemon.address, listen_addr=f"{daemon.address}:2377",
                )  # fmt: skip
    return engines


@pytest.fixture
def nothing_left(engines: Engines) -> Iterator[Leftovers]:
    """Return a function that lists what is left on the engines, and fail if anything is left after the test."""
    yield engines.leftovers
    assert engines.leftovers() == []
