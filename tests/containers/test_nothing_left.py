"""What has no business in an image: secrets, histories, caches of packages, and how it was built."""

import json

import pytest

from tests.containers.conftest import EDGE, HOST, docker

pytestmark = [pytest.mark.containers, pytest.mark.usefixtures("images")]

LOOK = r"""
import json, os, re
NAMES = re.compile(r"(^\.(bash|python|ash|zsh)_history$|^\.(netrc|pypirc|npmrc|git-credentials|env|Xauthority)$"
                   r"|^id_(rsa|dsa|ecdsa|ed25519)|\.(deb|whl|pyc\.\d+)$|^pip\.conf$|^config\.json$|^Dockerfile)")
SECRET = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----|AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{36}|://[^/\s:@\"']+:[^/\s@\"'{}]+@")
FOLDERS = ["/root", "/tmp", "/var/cache/apt/archives", "/var/lib/apt/lists", "/var/log", "/src", "/home", "/root/.cache", "/opt/tools"]
found, full = [], {}
for top in ("/etc", "/opt", "/root", "/home", "/tmp", "/var", "/artifacts", "/results", "/downloads", "/srv"):
    for folder, names, files in os.walk(top):
        names[:] = [name for name in names if name != "site-packages" or top == "/opt"]
        if ".git" in names or "__MACOSX" in names:
            found.append(os.path.join(folder, ".git"))
        for name in files:
            path = os.path.join(folder, name)
            if NAMES.search(name):
                found.append(path)
            try:
                if os.path.getsize(path) < 300_000 and SECRET.search(open(path, "rb").read()):
                    found.append(path + ": a secret")
            except OSError:
                pass
for folder in FOLDERS:
    inside = [os.path.join(at, name) for at, _, names in os.walk(folder) for name in names]
    if inside:
        full[folder] = inside[:5]
print(json.dumps({"found": found, "full": full, "environment": dict(os.environ)}))
"""


@pytest.mark.parametrize(("image", "platform"), [(EDGE, "linux/arm64"), (HOST, "linux/amd64")])
def test_an_image_holds_no_secret_no_history_and_no_cache(image: str, platform: str) -> None:
    done = docker("run", "--rm", "--network=none", "--user", "0", "--platform", platform, "--entrypoint", "python3",
                  image, "-c", LOOK)  # fmt: skip
    assert done.returncode == 0, done.stderr
    inside = json.loads(done.stdout)
    # what the base image brings is not this project's: its skeletons of a user's folder, and package lists it may have
    found = [path for path in inside["found"] if not path.startswith("/etc/skel/")]
    assert found == []
    left = {
        folder: files
        for folder, files in inside["full"].items()
        if folder in ("/root/.cache", "/src", "/opt/tools", "/home")
    }
    assert left == {}
    for folder in ("/var/cache/apt/archives", "/var/lib/apt/lists"):
        assert [path for path in inside["full"].get(folder, []) if not path.endswith("/lock")] == []
    assert not [
        name for name in inside["environment"] if any(word in name for word in ("TOKEN", "PASSWORD", "SECRET", "KEY"))
    ]


@pytest.mark.parametrize("image", [EDGE, HOST])
def test_how_it_was_built_gives_no_secret_away(image: str) -> None:
    layers = docker("history", "--no-trunc", "--format", "{{.CreatedBy}}", image).stdout
    assert "COPY" in layers
    for word in ("token", "password", "secret", "PIP_INDEX", "://"):
        assert word not in layers.replace("--mount=type=secret", ""), word


@pytest.mark.parametrize("image", [EDGE, HOST])
def test_the_base_is_named_as_it_was_built_on(image: str) -> None:
    labels = json.loads(docker("image", "inspect", image, "--format", "{{json .Config.Labels}}").stdout)
    assert labels["org.opencontainers.image.base.name"].startswith("debian:bookworm-slim")
