"""`offload` against a real server of real digits."""

import html
import json
import re
import shlex
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edge_bench.app.figures.decision_map import decisions
from edge_bench.app.tables.offload.predicted import predicted_edge
from edge_bench.app.tables.offload.table import offload_tables
from edge_bench.bench.errors import BadInput, BundleError
from edge_bench.bench.io.record_codec import unpack
from edge_bench.bench.offload.analysis.assessment import assess
from edge_bench.bench.offload.records.files import read_offload
from edge_bench.bench.offload.records.offload import ArmTrial, Offload
from edge_bench.bench.records.bundle import Bundle
from tests.app.cli.terminal import in_terminal, on_terminal
from tests.command_line import REPOSITORY, CommandLine, Refuses, assert_refused, call_here
from tests.faults.harness import group_lives
from tests.models import NEEDS_OPENVINO
from tests.serving import Served, served

pytestmark = pytest.mark.slow

FEW = ("--trials", 4, "--processes", 2, "--limit", 20, "--accuracy-images", 60)


#: Pages with the commands of server and client.
PAGES = [REPOSITORY / "docs" / "offload.md", REPOSITORY / "README.md"]


def documented(command: str, page: Path = PAGES[0]) -> list[str]:
    """The words of the first example of a command on a page that has a token; empty if there is none."""
    lines = [line for line in page.read_text().splitlines() if line.startswith(f"edge-bench {command} ")]
    return next((shlex.split(line, comments=True)[2:] for line in lines if "--token" in line), [])


@pytest.fixture(scope="module")
def token_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("token") / "token"
    path.write_text("secret\n")
    return path


@pytest.fixture(scope="module")
def server(digits_bundle: Bundle, token_file: Path) -> Iterator[Served]:
    """The server of the documented example, on this machine alone."""
    bundle, *options = documented("serve")
    assert bundle == "artifacts/bundle"
    named = {"0.0.0.0": "127.0.0.1", "token": str(token_file)}
    options = [named.get(word, word) for word in options]
    with served(digits_bundle.folder, *options, "--variant", "float32", "--runtime", "litert") as running:
        yield running


def test_the_examples_of_server_and_client_have_the_same_options_on_every_page() -> None:
    for command in ("serve", "offload"):
        first, *others = (
            [word for word in words if "://" not in word] for page in PAGES if (words := documented(command, page))
        )
        assert all(words == first for words in others)


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


def assert_answers(shown: list[str]) -> None:
    """Assert that a terminal of 80 columns shows the answer first and the next command last, in at most 30 lines."""
    assert len(shown) <= 30
    assert max(len(line) for line in shown if "offload-" not in line) <= 80  # a path is never shortened
    assert shown[0].startswith(("Run it locally: ", "Send it to ", "It depends", "No clear winner: "))
    assert "ms/image locally" in shown[1]
    assert "reliable" in shown[2].lower()
    assert shown[-1].endswith("next: edge-bench report results")


@NEEDS_OPENVINO
def test_openvino_here_gives_the_labels_of_litert_there(
    edge_bench: CommandLine, digits_bundle: Bundle, server: Served, token_file: Path, tmp_path: Path
) -> None:
    done = edge_bench(
        "offload", digits_bundle.folder, "--server", server.url, "--token-file", token_file, "--variant", "float32",
        "--runtime", "openvino", "--payload", "raw", "--trials", 1, "--processes", 1, "--limit", 5,
        "--accuracy-images", 60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    measured = written(tmp_path)
    assert measured.configuration.runtime == "openvino"
    labels = {each.payload: unpack(each.predictions).tolist() for each in measured.accuracies}
    assert labels.keys() == {"", "raw"}
    assert labels[""] == labels["raw"]
    assert len(labels["raw"]) == 60


def test_local_and_remote_inference_are_measured_judged_and_reported(
    edge_bench_here: CommandLine, digits_bundle: Bundle, server: Served, tmp_path: Path
) -> None:
    shown = in_terminal(
        "offload", digits_bundle.folder, "--server", server.url, *FEW, "--variant", "float32", "--runtime", "litert",
        "--link", "rtt=5ms,rate=20Mbit", "--in-flight", "1,4", "--power", "pi4", columns=80, cwd=tmp_path,
        EDGE_BENCH_TOKEN="secret", EDGE_BENCH_TRIAL_SECONDS="0.1",  # shorter ones vary so much that the answer wraps
    )  # fmt: skip
    assert_answers(shown)
    assert re.search(r"^about .*: 13 configurations × 4 trials$", (tmp_path / "stderr").read_text(), re.M)
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

    page = edge_bench_here("report", "results", "-o", "page.html")
    assert page.returncode == 0, page.stderr
    text, drawing = html.unescape((tmp_path / "page.html").read_text()), decisions(measured, assess(measured))
    assert drawing is not None
    assert drawing.title in text
    assert text.count("<figure") == 1
    assert titles[0] in text


def test_a_device_that_is_not_at_hand_is_predicted_beside_the_answer(
    edge_bench_here: CommandLine, digits_bundle: Bundle, server: Served, token_file: Path, refuses: Refuses
) -> None:
    arguments = (
        "offload", digits_bundle.folder, "--server", server.url, "--token-file", token_file, "--trials", 2,
        "--processes", 2, "--limit", 20, "--accuracy-images", 1, "--payload", "raw", "--in-flight", "1",
    )  # fmt: skip
    done = edge_bench_here(*arguments, "--edge-device", "pi4", "--format", "json")
    assert done.returncode == 0, done.stderr
    *measured, predicted = json.loads(done.stdout)
    wanted = predicted_edge(digits_bundle, "pi4", [], [])
    assert wanted.prediction is not None
    assert predicted["configuration"] == "PREDICTED"
    assert (predicted["device"], predicted["variant"], predicted["threads"]) == ("pi4", wanted.model, wanted.threads)
    assert predicted["p50_s"] == pytest.approx(wanted.prediction.milliseconds / 1e3)
    assert [row["configuration"] for row in measured] == ["local", "remote raw"]
    assert not any("PREDICTED" in str(row) for row in measured)
    refuses(*arguments, "--edge-device", "pi4", "--variant", "dynamic")
    refuses(*arguments, "--edge-device", "pi99")


def test_json_has_one_row_per_way(
    edge_bench_here: CommandLine, digits_bundle: Bundle, server: Served, token_file: Path, tmp_path: Path
) -> None:
    bundle, *example = documented("offload")
    named = {"token": str(token_file)} | {word: server.url for word in example if word.startswith("http://")}
    assert bundle == "artifacts/bundle"
    done = edge_bench_here(
        "offload", digits_bundle.folder, *(named.get(word, word) for word in example), "--trials", 2, "--processes", 2,
        "--limit", 60, "--accuracy-images", 1, "--payload", "raw", "--in-flight", "1", "--format", "json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    here, there = json.loads(done.stdout)
    assert here["configuration"] == "local"
    assert there["p50_ratio"] > 0
    assert there["p50_verdict"] in ("faster", "slower", "same", "undecided")
    assert there["parts_s"]["compute"] > 0


def test_local_inference_is_measured_if_the_server_cannot_be_used(
    edge_bench_here: CommandLine, digits_bundle: Bundle, bundle_copy: Path, server: Served, tmp_path: Path
) -> None:
    manifest = bundle_copy / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"seed": 42', '"seed": 43'))
    digests = Bundle.open(bundle_copy).digest[:12], digits_bundle.digest[:12]
    for number, (bundle, options, kind, named) in enumerate(
        (
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
        few = ("--trials", 2, "--processes", 1, "--limit", 20, "--payload", "raw")
        done = edge_bench_here("offload", bundle, *options, *few, "--results", f"results-{number}")
        assert_refused(done, *named, code=1)
        (path,) = (tmp_path / f"results-{number}").iterdir()
        measured = read_offload(path)
        assert len(measured.local.trials) == 2
        assert not any(arm.trials for arm in measured.remotes)
        assert {arm.failure.kind for arm in measured.remotes if arm.failure} == {kind}


@pytest.mark.parametrize("token", [(), ("--token", "guess")], ids=["none", "another"])
def test_a_token_that_the_server_does_not_accept_is_reported_once_before_anything_is_measured(
    token: tuple[str, ...], digits_bundle: Bundle, server: Served, tmp_path: Path
) -> None:
    outcome = call_here("offload", digits_bundle.folder, "--server", server.url, *token, *FEW, cwd=tmp_path)
    assert isinstance(outcome.error, BadInput)
    assert "401" in outcome.error.problem
    assert "--token-file" in outcome.error.remedy
    assert "401" not in outcome.stdout + outcome.stderr
    assert not list((tmp_path / "results").glob("offload-*"))


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
        (("--token-file", "nothing"), "--token-file"),
        (("--token-file", "nothing", "--token", "x"), "--token-file"),
    ):
        assert named in refuses(*good, *options).problem
    assert "int4" in refuses(*good, "--variant", "int4", kind=BundleError).problem
    assert "nothing" in refuses("offload", "nothing", "--server", "http://127.0.0.1:9", kind=BundleError).problem
    assert not (tmp_path / "results").exists()
