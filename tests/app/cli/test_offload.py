"""`offload` against a real server of real digits."""

import html
import json
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edge_bench.app.figures.decision_map import decisions
from edge_bench.app.tables.offload.table import offload_tables
from edge_bench.bench.errors import BundleError
from edge_bench.bench.io.record_codec import unpack
from edge_bench.bench.offload.analysis.assessment import assess
from edge_bench.bench.offload.records.files import read_offload
from edge_bench.bench.offload.records.offload import ArmTrial, Offload
from edge_bench.bench.records.bundle import Bundle
from tests.app.cli.terminal import on_terminal
from tests.command_line import CommandLine, Refuses, assert_refused
from tests.faults.harness import group_lives
from tests.serving import Served, served

pytestmark = pytest.mark.slow

FEW = ("--trials", 4, "--processes", 2, "--limit", 20, "--accuracy-images", 60)


@pytest.fixture(scope="module")
def server(digits_bundle: Bundle) -> Iterator[Served]:
    with served(digits_bundle.folder, "--variant", "float32", "--runtime", "litert", "--token", "secret") as running:
        yield running


def written(folder: Path) -> Offload:
    """The only Offload in the folder of results."""
    (path,) = folder.glob("results/offload-*.json")
    return read_offload(path)


def assert_parts_fit(trial: ArmTrial) -> None:
    """Assert that the parts of each latency add up and that the server's parts are within the client's."""
    parts = {name: unpack(values).astype(int) for name, values in trial.parts.items()}
    whole = np.sum([parts[name] for name in ("encode", "send", "wait", "receive", "decode")], axis=0)
    assert (whole == unpack(trial.latencies)).all()
    assert (parts["server"] <= parts["wait"] + parts["send"]).all()
    assert (parts["compute"] <= parts["server"]).all()
    assert (parts["compute"] > 0).all()


def test_local_and_remote_inference_are_measured_judged_and_reported(
    edge_bench: CommandLine, digits_bundle: Bundle, server: Served, tmp_path: Path
) -> None:
    done = edge_bench(
        "offload", digits_bundle.folder, "--server", server.url, *FEW, "--variant", "float32", "--runtime", "litert",
        "--link", "rtt=5ms,rate=20Mbit", "--in-flight", "1,4", "--power", "pi4", EDGE_BENCH_TOKEN="secret",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    measured = written(tmp_path)
    assert measured.complete
    assert {(arm.where, arm.payload, arm.link, arm.in_flight) for arm in measured.remotes} == {
        ("remote", payload, link, count)
        for payload in ("raw", "png", "jpeg")
        for link in ("direct", "rtt=5ms,rate=20Mbit")
        for count in (1, 4)
    }
    assert all(len(arm.trials) == 4 and arm.failure is None for arm in measured.arms)
    labels = {each.payload: unpack(each.predictions).tolist() for each in measured.accuracies}
    # the same model on the same runtime: lossless payloads give exactly the same labels
    assert labels["raw"] == labels["png"] == labels[""]
    assert len(labels["jpeg"]) == 60
    for trial in measured.remotes[0].trials:
        assert_parts_fit(trial)
    # five milliseconds of round trip are in every latency over that link, and digits take far less
    over = next(
        arm for arm in measured.remotes if (arm.payload, arm.link, arm.in_flight) == ("raw", "rtt=5ms,rate=20Mbit", 1)
    )
    assert min(unpack(trial.latencies).min() for trial in over.trials) > 4.5e6
    assert "secret" not in (tmp_path / "results").joinpath(next((tmp_path / "results").iterdir())).read_text()
    titles = [table.title for table in offload_tables(measured, assess(measured))]
    assert len(titles) == 4  # the comparison, the parts of a latency, predictions, energy
    assert all(title in done.stdout for title in titles)

    page = edge_bench("report", "results", "-o", "page.html")
    assert page.returncode == 0, page.stderr
    text, drawing = html.unescape((tmp_path / "page.html").read_text()), decisions(measured, assess(measured))
    assert drawing is not None
    assert drawing.title in text
    assert text.count("<figure") == 1
    assert titles[0] in text


def test_json_has_one_row_per_way(
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


def test_local_inference_is_measured_if_the_server_cannot_be_used(
    edge_bench: CommandLine, digits_bundle: Bundle, bundle_copy: Path, server: Served, tmp_path: Path
) -> None:
    manifest = bundle_copy / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"seed": 42', '"seed": 43'))
    digests = Bundle.open(bundle_copy).digest[:12], digits_bundle.digest[:12]
    for number, (bundle, options, kind, named) in enumerate(
        (
            (digits_bundle.folder, ("--server", server.url, "--token", "guess"), "not allowed", (server.url, "401")),
            (digits_bundle.folder, ("--server", "http://127.0.0.1:9"), "unreachable", ("http://127.0.0.1:9",)),
            (bundle_copy, ("--server", server.url, "--token", "secret"), "another model", digests),
            (
                digits_bundle.folder,
                ("--server", server.url, "--token", "secret", "--model", "x"),
                "another model",
                ("404",),
            ),
        )
    ):
        done = edge_bench("offload", bundle, *options, *FEW, "--payload", "raw", "--results", f"results-{number}")
        assert_refused(done, *named, code=1)
        (path,) = (tmp_path / f"results-{number}").iterdir()
        measured = read_offload(path)
        assert len(measured.local.trials) == 4
        assert not any(arm.trials for arm in measured.remotes)
        assert {arm.failure.kind for arm in measured.remotes if arm.failure} == {kind}


def test_trials_before_the_server_died_are_kept(digits_bundle: Bundle, tmp_path: Path) -> None:
    with (
        served(digits_bundle.folder, "--variant", "float32", "--runtime", "litert") as running,
        on_terminal(
            "offload", digits_bundle.folder, "--server", running.url, "--trials", 20, "--processes", 2, "--limit", 20,
            "--payload", "raw", "--link", "rtt=20ms", "--in-flight", "1", "--accuracy-images", 1, "--timeout", 5,
            cwd=tmp_path, stdout=tmp_path / "stdout",
        ) as offload,
    ):  # fmt: skip
        offload.wait_for_steps(3, 3 * 20)  # one trial of each arm
        running.kill()
        assert offload.end() == 1
    assert "Traceback" not in offload.shown
    measured = written(tmp_path)
    assert len(measured.local.trials) == 20
    assert all(arm.failure for arm in measured.remotes)
    assert all(0 < len(arm.trials) < 20 for arm in measured.remotes)


def test_ctrl_c_keeps_sent_examples_and_leaves_no_process(
    digits_bundle: Bundle, server: Served, tmp_path: Path
) -> None:
    with on_terminal(
        "offload", digits_bundle.folder, "--server", server.url, "--token", "secret", "--trials", 500, "--processes", 2,
        "--link", "rtt=5ms", "--payload", "raw", "--limit", 10, "--accuracy-images", 1, "--in-flight", 1,
        cwd=tmp_path, stdout=tmp_path / "stdout",
    ) as offload:  # fmt: skip
        offload.wait_for_steps(3, 3 * 500)  # one trial of each arm
        offload.process.send_signal(signal.SIGINT)
        assert offload.end() == 130
        assert not group_lives(offload.process.pid)
    measured = written(tmp_path)
    assert not measured.complete
    assert all(arm.trials for arm in measured.arms)


def test_bad_input_is_refused_before_anything_is_measured(
    refuses: Refuses, digits_bundle: Bundle, tmp_path: Path
) -> None:
    good = ("offload", digits_bundle.folder, "--server", "http://127.0.0.1:9")
    for options, named in (
        (("--link", "isdn"), "isdn"),
        (("--payload", "bmp"), "bmp"),
        (("--power", "pi99"), "pi99"),
        (("--in-flight", "0"), "--in-flight"),
        (("--variant", "keras,dynamic"), "keras"),
        (("--server", "pi:8000"), "--server"),
    ):
        assert named in refuses(*good, *options).problem
    assert "int4" in refuses(*good, "--variant", "int4", kind=BundleError).problem
    assert "nothing" in refuses("offload", "nothing", "--server", "http://127.0.0.1:9", kind=BundleError).problem
    assert not (tmp_path / "results").exists()
