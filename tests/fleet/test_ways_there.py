"""The other ways to an engine, for real: TLS over a network, a Docker context; and a training that travels by ssh."""

import json
import os
import subprocess
from pathlib import Path

import pytest
import trustme

from edge_bench.bench.records.bundle import Bundle
from tests.command_line import assert_refused, clean_environment, command
from tests.containers.conftest import HOST
from tests.fleet.commands import QUICK, Left
from tests.fleet.conftest import Shelf, runs_in
from tests.fleet.engines import client_certificate

pytestmark = [pytest.mark.containers, pytest.mark.slow]


def test_tls_lets_in_who_has_the_key_and_nobody_else(shelf: Shelf, tmp_path: Path, nothing_left: Left) -> None:
    desk, pi = shelf.engines[0], shelf.engines[1]
    # a company's network names its own authority for everything; the engine's is the one that was named for it
    company = {"REQUESTS_CA_BUNDLE": str(tmp_path / "company.pem")}
    trustme.CA().cert_pem.write_to_path(company["REQUESTS_CA_BUNDLE"])
    there = {"engines": [pi.tls_url], "inside": desk, "environment": company}
    done = shelf.run(*QUICK, "--tls", pi.tls, results=tmp_path / "a", **there)
    assert done.returncode == 0, done.stderr
    assert [run.machine.hostname for run in runs_in(tmp_path / "a")] == [pi.address]
    # the certificate of another authority: neither side believes the other
    stranger = tmp_path / "stranger"
    stranger.mkdir()
    client_certificate(trustme.CA(), stranger)
    refused = shelf.run(*QUICK, "--tls", stranger, results=tmp_path / "b", **there)
    assert_refused(refused, "1 of 1 engines", code=1)
    assert "certificate verify failed" in refused.stdout
    assert "ca.pem has to be the engine's authority" in refused.stdout
    # without any: said before a byte is sent
    without = shelf.run(*QUICK, results=tmp_path / "c", **there)
    assert_refused(without, "without TLS", "--tls")


def test_a_docker_context_is_an_engine(shelf: Shelf, tmp_path: Path, nothing_left: Left) -> None:
    desk, pi = shelf.engines[0], shelf.engines[1]
    environment = {"DOCKER_CONFIG": str(tmp_path / "docker")}
    for name, described in {
        "by-socket": f"host={desk.url}",
        "by-tls": f"host={pi.tls_url},ca={pi.tls}/ca.pem,cert={pi.tls}/cert.pem,key={pi.tls}/key.pem",
    }.items():
        subprocess.run(
            ["docker", "context", "create", name, "--docker", described],
            env=os.environ | environment, check=True, capture_output=True,
        )  # fmt: skip
    done = shelf.run(
        *QUICK, "--local-engine", "unix:///var/run/docker.sock",
        results=tmp_path, engines=["by-socket", "by-tls"], inside=desk, environment=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert sorted(run.machine.hostname for run in runs_in(tmp_path)) == ["by-socket", "by-tls"]


def test_a_training_goes_on_on_another_machine_by_ssh(
    shelf: Shelf, images: None, tmp_path: Path, nothing_left: Left
) -> None:
    desk, loft = shelf.engines[0], shelf.engines[1]
    done = subprocess.run(
        command(
            "fleet", "train", tmp_path / "b", "--engine", desk.url, "--engine", shelf.sshd.url(loft),
            "--ssh-config", shelf.sshd.config, "--image", HOST, "--remove-image",
            "--dataset", "digits", "--batch-size", 32, "--epochs", 3, "--stop-after", 2,
        ),
        env=clean_environment(tmp_path), capture_output=True, text=True, timeout=580, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("the image was sent") == 2  # two machines that had nothing
    bundle = Bundle.open(tmp_path / "b")
    assert len(json.loads((bundle.folder / "history.json").read_bytes())["loss"]) == 3
    for variant in bundle.variants:
        bundle.checked(variant)
