"""The pieces of a fleet command that need no engine: settings, images, archives, the stack file."""

import io
import json
import re
import tarfile
from pathlib import Path

import pytest
import yaml

from edge_bench.app.fleet.docker.errors import EngineTrouble
from edge_bench.app.fleet.docker.images import cut
from edge_bench.app.fleet.docker.inventory import engine_settings
from edge_bench.app.fleet.docker.transfer import checksums, files_in, packed, unpacked
from edge_bench.app.fleet.swarm.stack import Stack, as_yaml
from edge_bench.bench.errors import BadInput
from tests.command_line import CommandLine, assert_refused
from tests.fleet.saved import LAYERS, saved_image


@pytest.mark.parametrize(
    ("engines", "words"),
    [
        ([], "no engine is named"),
        (["http://pi"], "is no address"),
        (["ssh://"], "is no address"),
        (["tcp://10.0.0.7:2375"], "without TLS"),
        (["a context with spaces"], "not a name"),
    ],
)
def test_what_cannot_be_an_engine_is_refused_before_anything_is_done(engines: list[str], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        engine_settings(engines, None)


def test_engines_are_named_after_their_hosts_and_told_apart() -> None:
    urls = ["ssh://pi@pi4.local", "ssh://pi@pi4.local:2222", "ssh://pi@10.0.0.7", "unix:///run/pi5.sock", "desktop"]
    found = engine_settings(urls, None)
    assert [engine.name for engine in found] == ["pi4", "pi4-2", "10.0.0.7", "pi5", "desktop"]
    assert found[-1].context == "desktop"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[engine]]\nname = 'a'", "a url or a context"),
        ("[[engine]]\nname = 'a'\nurl = 'ssh://b'\nport = 3", "not a fleet file: .*unknown field `port`"),
        ("[[engine]]\nname = 'a/b'\nurl = 'ssh://b'", "not a name"),
        ("[[engine]]\nname = 'a'\nurl = 'ssh://b'\nplatform = 'arm64'", "is no platform"),
        ("[[engine]]\nname='a'\nurl='ssh://b'\n[[engine]]\nname='a'\nurl='ssh://c'", "two engines are called a"),
        ("engine = 3 = 4", "not a fleet file"),
    ],
)
def test_a_fleet_file_that_is_wrong_says_where(text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "fleet.toml").write_text(text)
    with pytest.raises(BadInput, match=words):
        engine_settings([], tmp_path / "fleet.toml")


def test_without_an_engine_the_command_says_how_to_name_one(edge_bench: CommandLine) -> None:
    assert_refused(edge_bench("fleet", "run", "nowhere"), "no engine is named", "--engine ssh://")


def test_one_platform_is_cut_out_of_a_saved_image(tmp_path: Path) -> None:
    saved = saved_image(tmp_path / "edge.tar")
    part = cut(saved, "linux/arm64", "edge-bench:latest", tmp_path)
    assert part.layers == tuple(LAYERS[::-1])
    with tarfile.open(part.path) as archive:
        (manifest,) = json.loads(archive.extractfile("manifest.json").read())  # type: ignore[union-attr]
        assert manifest["RepoTags"] == [part.tag]
        first = archive.extractfile(manifest["Layers"][0])
        assert first is not None
        assert first.read() == f"arm64 {LAYERS[1]}".encode()
    assert re.fullmatch(r"edge-bench:fleet-[0-9a-f]{12}", part.tag)
    # the part is a saved image itself
    assert cut(part.path, "linux/arm64", "edge-bench", tmp_path / ".").layers == part.layers
    with pytest.raises(BadInput, match="is for linux/amd64, linux/arm64, not for linux/riscv64"):
        cut(saved, "linux/riscv64", "edge-bench", tmp_path)  # not all of its layers are there
    (tmp_path / "no.tar").write_bytes(b"no archive")
    with pytest.raises(BadInput, match="not a saved image"):
        cut(tmp_path / "no.tar", "linux/arm64", "no", tmp_path)


def test_a_folder_comes_out_as_it_went_in_without_links_and_what_stays_at_home(tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    for name in ("manifest.json", "variants/a.tflite", "training/checkpoint", "test/deep/x.npy"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    (folder / "link").symlink_to("/etc/passwd")
    files = files_in(folder, ["training"])
    sums = checksums(folder, files)
    with packed(folder, files, "bundle", sums) as archive:
        chunks = iter(lambda: archive.read(100), b"")
        out = unpacked(chunks, tmp_path / "out", re.compile(".*"), 1 << 20, lambda _: None)
    names = sorted(path.relative_to(tmp_path / "out").as_posix() for path in out)
    assert names == [
        "SHA256SUMS", "bundle/manifest.json", "bundle/test/deep/x.npy", "bundle/variants/a.tflite",
    ]  # fmt: skip
    assert (tmp_path / "out/bundle/variants/a.tflite").read_text() == "variants/a.tflite"
    assert sums.decode().count("\n") == 3


@pytest.mark.parametrize("name", ["../evil", "/evil", "a/../../evil"])
def test_nothing_is_unpacked_outside_its_folder(name: str, tmp_path: Path) -> None:
    written = unpacked(iter([_archive(name, b"x")]), tmp_path / "in", re.compile(".*"), 1 << 20, lambda _: None)
    assert written == []
    assert not list(tmp_path.rglob("evil"))


def test_more_than_may_come_and_what_is_no_archive_is_trouble(tmp_path: Path) -> None:
    with pytest.raises(EngineTrouble, match="more than a Run can be"):
        unpacked(iter([_archive("a", b"x" * 50_000)]), tmp_path, re.compile(".*"), 20_000, lambda _: None)
    with pytest.raises(EngineTrouble, match="no archive"):
        unpacked(iter([b"\xff" * 2000]), tmp_path, re.compile(".*"), 20_000, lambda _: None)


def _archive(name: str, data: bytes) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as out:
        entry = tarfile.TarInfo(name)
        entry.size = len(data)
        out.addfile(entry, io.BytesIO(data))
    return file.getvalue()


def test_the_stack_file_is_yaml_with_a_job_a_platform_and_leaves_out_who_is_done() -> None:
    stack = Stack(
        fleet="1a2b", node="n0", collector_image="edge-bench:x", artifacts="a", results="r",
        images={"linux/arm64": "edge-bench:arm", "linux/amd64": "edge-bench:amd"},
        command=["--trials", "2"], without=["n7"],
    )  # fmt: skip
    described = stack.compose()
    job = described["services"]["run-linux-arm64"]
    assert job["image"] == "edge-bench:arm"
    assert job["deploy"]["mode"] == "global-job"
    assert job["deploy"]["placement"]["constraints"] == ["node.platform.arch == aarch64", "node.id != n7"]
    assert job["command"][-2:] == ["--trials", "2"]
    assert all(service["deploy"]["endpoint_mode"] == "dnsrr" for service in described["services"].values())
    text = stack.file()
    assert text.startswith("# edge-bench fleet 1a2b")
    assert yaml.safe_load(text) == {"version": "3.8"} | described


@pytest.mark.parametrize(
    "text",
    [
        "2", "1.5", "no", "null", "2026-11-25", "",
        "12345e67", "1e3", "09", "0o17", "+.5e1", "y",  # PyYAML alone leaves these unquoted
    ],
)  # fmt: skip
def test_strings_that_look_like_another_type_are_quoted(text: str) -> None:
    assert as_yaml({"command": [text]}) == f"command:\n- '{text}'\n"


def test_numbers_and_booleans_are_not_quoted() -> None:
    assert as_yaml({"mode": 0o400, "read_only": True, "image": "edge-bench:x"}) == (
        "mode: 256\nread_only: true\nimage: edge-bench:x\n"
    )
