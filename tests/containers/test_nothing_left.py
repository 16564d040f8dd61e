"""Images contain no secrets, shell histories, package caches or build details."""

import json

import pytest

from tests.containers.compose import EDGE, HOST, docker

pytestmark = [pytest.mark.containers, pytest.mark.usefixtures("images")]

LOOK = r"""
import json, os, re
NAMES = re.compile(r"^\.(bash|python|ash|zsh)_history$|^\.(netrc|pypirc|npmrc|git-credentials|env|Xauthority)$"
                   r"|^id_(rsa|dsa|ecdsa|ed25519)|\.(deb|whl)$|^pip\.conf$|^Dockerfile")
# each begins with fixed bytes, for which `re` searches quickly: this also runs in an emulator
SECRETS = [re.compile(secret) for secret in (
    rb"-----BEGIN [A-Z ]*PRIVATE KEY-----", rb"AKIA(?<![\w+/]AKIA)[0-9A-Z]{16}(?![\w+/])", rb"gh[pousr]_[A-Za-z0-9]{36}"
)]
ADDRESS = re.compile(rb"://[^/\s:@\"']+:[^/\s@\"'{}]+@")  # a URL with name and password; libraries contain examples
FOLDERS = ["/root/.cache", "/src", "/home", "/opt/tools", "/var/cache/apt/archives", "/var/lib/apt/lists"]
found, full = [], {}
for top in ("/etc", "/opt", "/root", "/home", "/tmp", "/var", "/artifacts", "/results", "/downloads", "/srv"):
    for folder, names, files in os.walk(top):
        found += [os.path.join(folder, name) for name in names if name == ".git"]
        for name in files:
            path = os.path.join(folder, name)
            found += [path] if NAMES.search(name) else []
            try:
                content = open(path, "rb").read() if os.path.getsize(path) < 300_000 else b""
            except OSError:
                continue
            patterns = SECRETS if "site-packages" in folder else [*SECRETS, ADDRESS]
            if any(pattern.search(content) for pattern in patterns):
                found.append(path + ": a secret")
for folder in FOLDERS:
    full[folder] = [name for _, _, names in os.walk(folder) for name in names if name != "lock"]
print(json.dumps({"found": found, "full": full, "environment": sorted(os.environ)}))
"""


@pytest.mark.parametrize(("image", "platform"), [(EDGE, "linux/arm64"), (HOST, "linux/amd64")])
def test_an_image_has_no_secret_no_history_and_no_cache(image: str, platform: str) -> None:
    done = docker("run", "--rm", "--network=none", "--user", "0", "--platform", platform, "--entrypoint", "python3",
                  image, "-c", LOOK)  # fmt: skip
    assert done.returncode == 0, done.stderr
    inside = json.loads(done.stdout)
    assert inside["found"] == []
    assert not any(inside["full"].values()), inside["full"]
    words = ("TOKEN", "PASSWORD", "SECRET", "KEY")
    assert not [name for name in inside["environment"] if any(word in name for word in words)]


@pytest.mark.parametrize("image", [EDGE, HOST])
def test_the_build_history_has_no_secrets_and_no_addresses(image: str) -> None:
    layers = docker("history", "--no-trunc", "--format", "{{.CreatedBy}}", image).stdout
    assert "COPY" in layers
    for word in ("token", "password", "secret", "PIP_INDEX", "://"):
        assert word not in layers, word


@pytest.mark.parametrize("image", [EDGE, HOST])
def test_a_label_names_the_base_image(image: str) -> None:
    labels = json.loads(docker("image", "inspect", image, "--format", "{{json .Config.Labels}}").stdout)
    assert labels["org.opencontainers.image.base.name"].startswith("debian:bookworm-slim")
