"""Other connections to an engine: TLS over a network, a Docker context, and a training over ssh."""

import contextlib
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import trustme

from edge_bench.bench.records.bundle import Bundle
from tests.command_line import assert_refused, clean_environment, command
from tests.containers.compose import HOST
from tests.fleet.commands import QUICK, Engines, Leftovers, rows_in, runs_in
from tests.fleet.engines import Dockerd, client_certificate

pytestmark = [pytest.mark.containers, pytest.mark.slow]


def test_tls_needs_a_certificate_signed_by_the_engines_authority(
    engines: Engines, tmp_path: Path, nothing_left: Leftovers
) -> None:
    desk, pi = engines.daemons[0], engines.daemons[1]
    # REQUESTS_CA_BUNDLE, which company networks set, must not replace the engine's authority
    company = {"REQUESTS_CA_BUNDLE": str(tmp_path / "company.pem")}
    trustme.CA().cert_pem.write_to_path(company["REQUESTS_CA_BUNDLE"])
    there: dict[str, Any] = {"urls": [pi.tls_url], "inside": desk, "environment": company}
    done = engines.run(*QUICK, "--tls", pi.tls, results=tmp_path / "a", **there)
    assert done.returncode == 0, done.stderr
    assert [run.machine.hostname for run in runs_in(tmp_path / "a")] == [pi.address]
    # certificates of another authority
    stranger = tmp_path / "stranger"
    stranger.mkdir()
    client_certificate(trustme.CA(), stranger)
    refused = engines.run(*QUICK, "--tls", stranger, results=tmp_path / "b", **there)
    assert_refused(refused, code=1)
    (row,) = rows_in(tmp_path / "b").values()
    assert row["state"] == "lost"
    assert "certificate verify failed" in row["reason"]  # the message of OpenSSL
    assert "ca.pem" in row["remedy"]
    # without certificates it is refused before a connection is made
    without = engines.run(*QUICK, results=tmp_path / "c", **there)
    assert_refused(without, "--tls")
    assert not (tmp_path / "c").exists()


def test_a_docker_context_is_an_engine(engines: Engines, tmp_path: Path, nothing_left: Leftovers) -> None:
    desk, pi = engines.daemons[0], engines.daemons[1]
    environment = {"DOCKER_CONFIG": str(tmp_path / "docker")}
    for name, described in {
        "by-socket": f"host={desk.url}",
        "by-tls": f"host={pi.tls_url},ca={pi.tls}/ca.pem,cert={pi.tls}/cert.pem,key={pi.tls}/key.pem",
    }.items():
        subprocess.run(
            ["docker", "context", "create", name, "--docker", described],
            env=os.environ | environment, check=True, capture_output=True,
        )  # fmt: skip
    done = engines.run(
        *QUICK, "--local-engine", "unix:///var/run/docker.sock",
        results=tmp_path, urls=["by-socket", "by-tls"], inside=desk, environment=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert sorted(run.machine.hostname for run in runs_in(tmp_path)) == ["by-socket", "by-tls"]


def host_images(engine: Dockerd) -> list[str]:
    """Return the tags of host images on an engine."""
    with contextlib.closing(engine.client()) as client:
        tags = [str(tag) for image in client.images.list() for tag in image.tags]
    return [tag for tag in tags if tag.startswith(HOST.partition(":")[0])]


@pytest.mark.nightly
def test_a_training_continues_on_another_machine_over_ssh(
    engines: Engines, images: None, tmp_path: Path, nothing_left: Leftovers
) -> None:
    desk, loft = engines.daemons[0], engines.daemons[1]
    assert host_images(desk) == host_images(loft) == []  # so that the image must be sent to both
    done = subprocess.run(
        command(
            "fleet", "train", tmp_path / "b", "--engine", desk.url, "--engine", engines.sshd.url(loft),
            "--ssh-config", engines.sshd.config, "--image", HOST, "--remove-image",
            "--dataset", "digits", "--batch-size", 32, "--epochs", 3, "--stop-after", 2,
        ),
        env=clean_environment(tmp_path), capture_output=True, text=True, timeout=580, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert host_images(desk) == host_images(loft) == []  # because of --remove-image
    bundle = Bundle.open(tmp_path / "b")
    assert len(json.loads((bundle.folder / "history.json").read_bytes())["loss"]) == 3
    for variant in bundle.variants:
        bundle.checked(variant)
