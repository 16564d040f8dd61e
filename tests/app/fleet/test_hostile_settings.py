"""Engines and fleet files that cannot be used end in one or two lines and exit code 2."""

import os
from pathlib import Path

import pytest

from edge_bench.app.fleet.docker.errors import EngineLost, EngineTrouble
from edge_bench.app.fleet.docker.inventory import engine_settings, local_engine_setting, read_fleet_file
from edge_bench.app.fleet.docker.tunnel import Tunnel
from edge_bench.bench.errors import BadInput
from tests.command_line import Refuses

MALFORMED = [
    "ssh://127.0.0.1:99999", "ssh://[::1", "ssh://a:b", "ssh://a:0", "ssh://a b", "ssh://-oProxyCommand=touch", "tcp://[x",
    "tcp://127.0.0.1:99999", "tcp://127.0.0.1:", "unix://", "ssh://\x1b]0;x\x07", "ssh://" + "a" * 5000, "://", "ssh://[]",
]  # fmt: skip
DEEP = {
    "arrays": "a = " + "[" * 100_000,
    "closed arrays": "a = " + "[" * 5000 + "]" * 5000,
    "tables": "[" + "a." * 50_000 + "a]",
    "inline tables": "a = " + "{a=" * 20_000 + "1" + "}" * 20_000,
    "dotted keys": "a." * 50_000 + "b = 1",
}


@pytest.mark.parametrize("url", MALFORMED, ids=range(len(MALFORMED)))
def test_a_malformed_engine_is_refused(url: str, refuses: Refuses, monkeypatch: pytest.MonkeyPatch) -> None:
    assert refuses("fleet", "list", "--engine", url).problem
    assert refuses("fleet", "run", "nowhere", "--swarm", "--engine", url).problem
    monkeypatch.setenv("DOCKER_HOST", url)
    with pytest.raises(BadInput) as caught:
        local_engine_setting()
    assert "DOCKER_HOST" in caught.value.problem


@pytest.mark.parametrize("url", [*MALFORMED[:6], "http://a", "ssh://u:password@a", "ssh://a?b"])
def test_a_tunnel_to_a_malformed_address_is_not_begun(url: str) -> None:
    with pytest.raises(EngineTrouble):
        Tunnel(url, None, 1)


@pytest.mark.parametrize(("last_line", "reason"), [("port 9: refused", "port 9: refused"), ("", "255")])
def test_the_reason_of_ssh_is_reported_although_its_output_ends_before_it(
    last_line: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also on a busy machine, on which ssh ends some time after its output was closed."""
    ssh = tmp_path / "ssh"
    ssh.write_text(f"#!/bin/sh\nexec >&-\nsleep 0.2\nprintf '%s' '{last_line}' >&2\nexit 255\n")
    ssh.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(EngineLost) as caught:
        Tunnel("ssh://pi", None, 60)
    assert reason in caught.value.problem


@pytest.mark.parametrize("text", list(DEEP.values()), ids=list(DEEP))
def test_a_deeply_nested_fleet_file_is_refused(text: str, refuses: Refuses, tmp_path: Path) -> None:
    (tmp_path / "fleet.toml").write_text(text)
    assert "fleet.toml" in refuses("fleet", "list", "--fleet", tmp_path / "fleet.toml").problem


@pytest.mark.parametrize(
    "content",
    [
        b"", b"\xff\xfe", b"\0", b"a" * (2 << 20), b"engine = 3\n", b"a = 1979-99-99\n", b"a = 1e99999999\nb = 0x\n",
        b"a = " + b"9" * 10_000 + b"\n",
        b"[[engine]]\nname='a'\nurl='ssh://[::1'\n",
        b"[[engine]]\nname='a'\nurl='ssh://a:99999'\n",
        b"[[engine]]\nname='a'\nurl=3\n",
        b"[[engine]]\nname='a'\nurl='ssh://a'\nssh_config=\"x\\u0000y\"\n",
        b"[[engine]]\nname='a'\nurl='ssh://a'\nmemory=\"1G\\u001b[2J\"\n",
    ],
    ids=range(13),
)  # fmt: skip
def test_a_damaged_fleet_file_is_refused(content: bytes, refuses: Refuses, tmp_path: Path) -> None:
    (tmp_path / "fleet.toml").write_bytes(content)
    assert refuses("fleet", "list", "--fleet", tmp_path / "fleet.toml").problem


# -- files that another user may have written


ENGINE = "[[engine]]\nname = 'pi'\nurl = 'ssh://pi'\n"


@pytest.mark.parametrize("mode", [0o666, 0o622, 0o602, 0o620, 0o664])
def test_a_fleet_file_that_others_may_write_is_refused(mode: int, tmp_path: Path, refuses: Refuses) -> None:
    file = tmp_path / "fleet.toml"
    file.write_text(ENGINE)
    file.chmod(0o644)
    assert read_fleet_file(file)[0].name == "pi"
    file.chmod(mode)
    assert "fleet.toml" in refuses("fleet", "list", "--fleet", file).problem


@pytest.mark.parametrize("mode", [0o666, 0o602, 0o620])
def test_ssh_configuration_that_others_may_write_is_refused(mode: int, tmp_path: Path, refuses: Refuses) -> None:
    config, file = tmp_path / "ssh_config", tmp_path / "fleet.toml"
    config.write_text(f"Host *\n  ProxyCommand touch {tmp_path}/executed\n")
    file.write_text(f"ssh_config = 'ssh_config'\n{ENGINE}")
    file.chmod(0o600)
    config.chmod(0o600)
    assert engine_settings([], file)[0].ssh_config == str(config)
    config.chmod(mode)
    assert "ssh_config" in refuses("fleet", "list", "--fleet", file).problem
    assert "ssh_config" in refuses("fleet", "list", "--engine", "ssh://pi", "--ssh-config", config).problem
    link = tmp_path / "link"
    link.symlink_to(config)
    assert "link" in refuses("fleet", "list", "--engine", "ssh://pi", "--ssh-config", link).problem
    assert not (tmp_path / "executed").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
@pytest.mark.parametrize("name", ["fleet.toml", "ssh_config"])
def test_files_of_another_user_are_refused(name: str, tmp_path: Path, refuses: Refuses) -> None:
    (tmp_path / "ssh_config").write_text("")
    (tmp_path / "fleet.toml").write_text(f"ssh_config = 'ssh_config'\n{ENGINE}")
    for path in tmp_path.iterdir():
        path.chmod(0o600)
    os.chown(tmp_path / name, 12345, 12345)
    assert name in refuses("fleet", "list", "--fleet", tmp_path / "fleet.toml").problem
