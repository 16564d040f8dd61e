"""offload as a person calls it, against a real server of real digits."""

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edge_bench.bench.io.record_codec import unpack
from edge_bench.bench.offload.records.files import read_offload
from edge_bench.bench.offload.records.offload import Offload
from edge_bench.bench.records.bundle import Bundle
from tests.command_line import CommandLine, assert_refused, command
from tests.serving import Served, served

pytestmark = pytest.mark.slow

FEW = ("--trials", 4, "--processes", 2, "--limit", 20, "--accuracy-images", 60)


@pytest.fixture(scope="module")
def server(digits_bundle: Bundle) -> Iterator[Served]:
    with served(digits_bundle.folder, "--variant", "float32", "--runtime", "litert", "--token", "secret") as running:
        yield running


def kept(folder: Path) -> Offload:
    (path,) = folder.glob("results/offload-*.json")
    return read_offload(path)


def test_here_and_there_are_measured_judged_and_reported(
    edge_bench: CommandLine, digits_bundle: Bundle, server: Served, tmp_path: Path
) -> None:
    done = edge_bench(
        "offload", digits_bundle.folder, "--server", server.url, *FEW, "--variant", "float32", "--runtime", "litert",
        "--link", "rtt=5ms,rate=20Mbit", "--in-flight", "1,4", "--power", "pi4", EDGE_BENCH_TOKEN="secret",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    measured = kept(tmp_path)
    assert measured.complete
    assert {(arm.where, arm.payload, arm.link, arm.in_flight) for arm in measured.remotes} == {
        ("remote", payload, link, count)
        for payload in ("raw", "png", "jpeg")
        for link in ("direct", "rtt=5ms,rate=20Mbit")
        for count in (1, 4)
    }
    assert all(len(arm.trials) == 4 and arm.failure is None for arm in measured.arms)
    labels = {each.payload: unpack(each.predictions).tolist() for each in measured.accuracies}
    # the same model on the same runtime: what is lossless on the way gives the very same labels
    assert labels["raw"] == labels["png"] == labels[""]
    assert len(labels["jpeg"]) == 60
    for trial in measured.remotes[0].trials:
        parts = {name: unpack(values).astype(int) for name, values in trial.parts.items()}
        whole = np.sum([parts[name] for name in ("encode", "send", "wait", "receive", "decode")], axis=0)
        assert (whole == unpack(trial.latencies)).all()
        assert (parts["server"] <= parts["wait"] + parts["send"]).all()
        assert (parts["compute"] <= parts["server"]).all()
        assert (parts["compute"] > 0).all()
    # five milliseconds of round trip are in every latency over that link, and digits take far less
    over = next(
        arm for arm in measured.remotes if (arm.payload, arm.link, arm.in_flight) == ("raw", "rtt=5ms,rate=20Mbit", 1)
    )
    assert min(unpack(trial.latencies).min() for trial in over.trials) > 4.5e6
    assert "secret" not in (tmp_path / "results").joinpath(next((tmp_path / "results").iterdir())).read_text()
    for words in ("stay", "Slack", "Predicted and measured", "Energy of this device an image (stated)"):
        assert words in done.stdout

    page = edge_bench("report", "results", "-o", "page.html")
    assert page.returncode == 0, page.stderr
    text = (tmp_path / "page.html").read_text()
    assert "Here or there" in text
    assert "Here or there, by round trip and bandwidth" in text


def test_as_data_it_is_one_row_a_way(
    edge_bench: CommandLine, digits_bundle: Bundle, server: Served, tmp_path: Path
) -> None:
    done = edge_bench(
        "offload", digits_bundle.folder, "--server", server.url, "--token", "secret", "--trials", 2, "--processes", 2,
        "--limit", 60, "--accuracy-images", 1, "--payload", "raw", "--in-flight", "1", "--format", "json",
    )  # fmt: skip
    here, there = json.loads(done.stdout)
    assert here["way"] == "here"
    assert there["p50_ratio"] > 0
    assert there["p50_verdict"] in ("faster", "slower", "same", "undecided")
    assert there["parts_s"]["compute"] > 0


def test_a_wrong_token_a_server_that_is_down_or_another_bundle_leave_the_local_half(
    edge_bench: CommandLine, digits_bundle: Bundle, bundle_copy: Path, server: Served, tmp_path: Path
) -> None:
    manifest = bundle_copy / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"seed": 42', '"seed": 43'))
    for number, (bundle, options, why) in enumerate(
        (
            (digits_bundle.folder, ("--server", server.url, "--token", "guess"), "token"),
            (digits_bundle.folder, ("--server", "http://127.0.0.1:9"), "cannot be reached"),
            (bundle_copy, ("--server", server.url, "--token", "secret"), "of another bundle"),
            (digits_bundle.folder, ("--server", server.url, "--token", "secret", "--model", "unknown"), "404"),
        )
    ):
        done = edge_bench("offload", bundle, *options, *FEW, "--payload", "raw", "--results", f"results-{number}")
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        assert "nothing could be sent" in done.stderr
        assert why in done.stderr
        (path,) = (tmp_path / f"results-{number}").iterdir()
        measured = read_offload(path)
        assert len(measured.local.trials) == 4
        assert not any(arm.trials for arm in measured.remotes)


def test_a_server_that_dies_half_way_costs_what_is_sent_after_it(digits_bundle: Bundle, tmp_path: Path) -> None:
    with served(digits_bundle.folder, "--variant", "float32", "--runtime", "litert") as running:
        asked = command(
            "offload", digits_bundle.folder, "--server", running.url, "--trials", 60, "--processes", 2, "--limit", 20,
            "--payload", "raw", "--link", "rtt=20ms", "--in-flight", "1", "--accuracy-images", 1, "--timeout", 5,
        )  # fmt: skip
        with subprocess.Popen(asked, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr
            for line in process.stderr:
                if re.search(r"measuring: [1-9]\d*/", line):  # some trials are made
                    break
            running.kill()
            said = process.stderr.read()
            assert process.wait(120) == 1
    assert "Traceback" not in said
    measured = kept(tmp_path)
    assert len(measured.local.trials) == 60
    assert all(arm.failure for arm in measured.remotes)
    assert any(0 < len(arm.trials) < 60 for arm in measured.remotes)


def test_ctrl_c_keeps_what_was_sent_and_leaves_no_process(
    digits_bundle: Bundle, server: Served, tmp_path: Path
) -> None:
    asked = command(
        "offload", digits_bundle.folder, "--server", server.url, "--token", "secret", "--trials", 500, "--processes", 2,
        "--link", "rtt=5ms", "--payload", "raw", "--limit", 10, "--accuracy-images", 1, "--in-flight", 1,
    )  # fmt: skip
    with subprocess.Popen(asked, cwd=tmp_path, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stderr
        for line in process.stderr:
            if re.search(r"measuring: [1-9]\d*/", line):
                break
        process.send_signal(signal.SIGINT)
        process.stderr.read()
        assert process.wait(30) == 130
        with pytest.raises(ProcessLookupError):  # nobody of its group is left
            os.killpg(process.pid, 0)
    measured = kept(tmp_path)
    assert not measured.complete
    assert measured.local.trials


def test_bad_questions_are_refused_before_anything_is_measured(edge_bench: CommandLine, digits_bundle: Bundle) -> None:
    good = ("offload", digits_bundle.folder, "--server", "http://127.0.0.1:9")
    for options, why in (
        (("--link", "isdn"), "isdn"),
        (("--payload", "bmp"), "bmp"),
        (("--power", "pi99"), "pi99"),
        (("--in-flight", "0"), "--in-flight"),
        (("--variant", "keras,dynamic"), "several ways"),
        (("--variant", "int4"), "int4"),
        (("--server", "pi:8000"), "--server"),
    ):
        assert_refused(edge_bench(*good, *options), why)
    assert_refused(edge_bench("offload", "nothing", "--server", "http://127.0.0.1:9"), "nothing")
