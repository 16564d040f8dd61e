"""Parts of fleet commands that need no engine: settings, saved images, archives, the stack file."""

import contextlib
import io
import json
import re
import sys
import tarfile
from pathlib import Path

import docker.errors
import pytest
import yaml

from edge_bench.app.fleet.docker.engine import endpoint
from edge_bench.app.fleet.docker.errors import EngineTrouble, engine_trouble
from edge_bench.app.fleet.docker.images import cut
from edge_bench.app.fleet.docker.inventory import engine_settings
from edge_bench.app.fleet.docker.transfer import checksums, files_in, packed, unpacked
from edge_bench.app.fleet.swarm.stack import Stack, as_yaml
from edge_bench.bench.errors import BadInput, DiskFull, MissingDependency
from tests.command_line import Refuses
from tests.fleet.saved import LAYERS, saved_image


@pytest.mark.parametrize(
    ("engines", "named"),
    [
        ([], "--engine"),
        (["http://pi"], "http://pi"),
        (["ssh://"], "ssh://"),
        (["tcp://10.0.0.7:2375"], "--tls"),
        (["a context with spaces"], "a context with spaces"),
    ],
)
def test_invalid_engines_are_refused(engines: list[str], named: str) -> None:
    with pytest.raises(BadInput) as caught:
        engine_settings(engines, None)
    assert named in f"{caught.value.problem}; {caught.value.remedy}"


def test_engines_are_named_after_their_hosts_with_unique_names() -> None:
    urls = ["ssh://pi@pi4.local", "ssh://pi@pi4.local:2222", "ssh://pi@10.0.0.7", "unix:///run/pi5.sock", "desktop"]
    found = engine_settings(urls, None)
    assert [engine.name for engine in found] == ["pi4", "pi4-2", "10.0.0.7", "pi5", "desktop"]
    assert found[-1].context == "desktop"


@pytest.mark.parametrize("url", ["ssh://pi@pi4.local", "unix:///run/docker.sock"])
def test_a_missing_docker_sdk_is_named(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (setting,) = engine_settings([url], None)
    monkeypatch.setitem(sys.modules, "docker", None)
    with pytest.raises(MissingDependency) as caught:
        endpoint(setting)
    assert "edge-bench[host]" in caught.value.remedy


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[[engine]]\nname = 'pi4'", ["pi4", "url", "context"]),
        ("[[engine]]\nname = 'pi4'\nurl = 'ssh://b'\nport = 3", ["fleet.toml", "port"]),
        ("[[engine]]\nname = 'pi/4'\nurl = 'ssh://b'", ["pi/4"]),
        ("[[engine]]\nname = 'pi4'\nurl = 'ssh://b'\nplatform = 'arm64'", ["pi4", "'arm64'"]),
        ("[[engine]]\nname='pi4'\nurl='ssh://b'\n[[engine]]\nname='pi4'\nurl='ssh://c'", ["pi4"]),
        ("engine = 3 = 4", ["fleet.toml"]),
    ],
)
def test_an_invalid_fleet_file_is_refused(text: str, named: list[str], tmp_path: Path) -> None:
    (tmp_path / "fleet.toml").write_text(text)
    with pytest.raises(BadInput) as caught:
        engine_settings([], tmp_path / "fleet.toml")
    for value in named:
        assert value in caught.value.problem


def test_a_command_without_an_engine_is_refused(refuses: Refuses) -> None:
    assert "--engine" in refuses("fleet", "run", "nowhere").remedy
    assert "--force" in refuses("fleet", "run", "nowhere", "--force").problem
    for option in (["--limit", 5], ["--swarm"], ["--variant", "int8"], ["--budget", "5m"]):
        refused = refuses("fleet", "run", "--calibrate", "--engine", "unix:///nowhere", *option)
        assert str(option[0]) in refused.problem
    assert "BUNDLE" in refuses("fleet", "run", "somewhere", "--calibrate", "--engine", "unix:///nowhere").problem


def test_one_platform_is_extracted_from_a_saved_image(tmp_path: Path) -> None:
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
    # a path is no name of an image, so no engine is asked for it
    assert (part.name, cut(saved, "linux/arm64", str(saved), tmp_path).name) == ("edge-bench:latest", "")
    # the extracted part is a saved image, too
    assert cut(part.path, "linux/arm64", "edge-bench", tmp_path / ".").layers == part.layers
    with pytest.raises(BadInput) as caught:
        cut(saved, "linux/riscv64", "edge-bench", tmp_path)  # some of its layers are missing
    assert all(name in caught.value.problem for name in ("linux/amd64", "linux/arm64", "linux/riscv64"))
    (tmp_path / "no.tar").write_bytes(b"no archive")
    with pytest.raises(BadInput) as caught:
        cut(tmp_path / "no.tar", "linux/arm64", "damaged-image", tmp_path)
    assert "damaged-image" in caught.value.problem


@pytest.mark.parametrize(
    ("image", "repository"),
    [
        ("registry.example:5000/me/edge-bench:0.2", "registry.example:5000/me/edge-bench"),
        ("registry.example:5000/me/edge-bench@sha256:" + "1" * 64, "registry.example:5000/me/edge-bench"),
        ("edge-bench:0.2@sha256:" + "1" * 64, "edge-bench"),
        ("sha256:" + "1" * 64, "edge-bench"),
        ("1" * 64, "edge-bench"),
        ("My Edge:2.TAR", "my-edge-2"),
        ("Ünï_edge.tar", "n-edge"),
        ("--.tar", "edge-bench"),
    ],
)
def test_every_image_and_file_gets_a_tag_that_docker_accepts(image: str, repository: str, tmp_path: Path) -> None:
    saved = saved_image(tmp_path / "edge.tar")
    if image.lower().endswith(".tar"):
        saved = saved.rename(tmp_path / image)
        image = str(saved)
    part = cut(saved, "linux/arm64", image, tmp_path)
    assert part.tag.rpartition(":fleet-")[0] == repository


def test_a_full_folder_for_temporary_files_is_not_taken_for_a_damaged_image(tmp_path: Path) -> None:
    saved = saved_image(tmp_path / "edge.tar")
    part = cut(saved, "linux/arm64", "edge-bench", tmp_path)
    part.path.unlink()
    part.path.symlink_to("/dev/full")
    with pytest.raises(DiskFull) as caught:
        cut(saved, "linux/arm64", "edge-bench", tmp_path)
    assert "TMPDIR" in caught.value.remedy


def test_a_folder_is_packed_and_unpacked_without_links_and_excluded_folders(tmp_path: Path) -> None:
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
def test_nothing_is_unpacked_outside_the_target_folder(name: str, tmp_path: Path) -> None:
    written = unpacked(iter([_archive(name, b"x")]), tmp_path / "in", re.compile(".*"), 1 << 20, lambda _: None)
    assert written == []
    assert not list(tmp_path.rglob("evil"))


@pytest.mark.parametrize(("max_bytes", "accepted"), [(20_000, False), (100_000, True)])
def test_a_stream_beyond_the_size_limit_is_refused(max_bytes: int, accepted: bool, tmp_path: Path) -> None:
    stream = iter([_archive("a", b"x" * 50_000)])
    with contextlib.nullcontext() if accepted else pytest.raises(EngineTrouble):
        unpacked(stream, tmp_path, re.compile(".*"), max_bytes, lambda _: None)
    assert (tmp_path / "a").exists() is accepted


def test_a_stream_that_is_not_an_archive_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineTrouble):
        unpacked(iter([b"\xff" * 2000]), tmp_path, re.compile(".*"), 20_000, lambda _: None)


def _archive(name: str, data: bytes) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as out:
        entry = tarfile.TarInfo(name)
        entry.size = len(data)
        out.addfile(entry, io.BytesIO(data))
    return file.getvalue()


def test_the_stack_file_is_yaml_with_a_job_per_platform_and_without_finished_nodes() -> None:
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
    assert text.startswith("#")
    assert "1a2b" in text.partition("\n")[0]
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


def test_a_full_disk_is_named_first_not_the_file_in_which_it_was_noticed() -> None:
    explanation = f"Error processing tar file(exit status 1): write /usr/{'x' * 200}.so: no space left on device"
    with pytest.raises(EngineTrouble) as caught, engine_trouble("sending the image"):
        raise docker.errors.APIError("500 Server Error", explanation=explanation)
    assert len(caught.value.problem) < 60  # a cell of a table shows it in full
    assert "space" in caught.value.problem
    assert "docker system df" in caught.value.remedy
