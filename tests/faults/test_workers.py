"""Workers that crash, hang, print without end or lose their parent.

A fake library replaces LiteRT; worker processes, pipes and signals are real.
"""

import errno
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from edge_bench.bench.dataset.workload import bundle_workload
from edge_bench.bench.measure.plan import Selection, plan
from edge_bench.bench.measure.runner import run_benchmark
from edge_bench.bench.progress import Silent
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.manifest import Preprocessing
from edge_bench.bench.records.run import Configuration, Failure, Settings
from edge_bench.bench.system.machine import cpu_name
from edge_bench.bench.worker.messages import Prepare, Ready, Time
from edge_bench.bench.worker.process import WorkerFailed, WorkerProcess, describe_model
from tests.command_line import clean_environment
from tests.faults.harness import group_lives

pytestmark = pytest.mark.slow

QUICK = Settings(trials=2, processes=1, limit=20)
NOTHING = Prepare(
    configuration=Configuration(variant="x", runtime="litert", threads=1, batch_size=1), file=Path("/nowhere"),
    images=Path("/nowhere"), rows=[], preprocessing=Preprocessing(scale=1.0, offset=0.0, name=""),
)  # fmt: skip
Misbehave = Callable[[str], None]


def library_that(place: Path, on_load: str = "pass", on_import: str = "") -> None:
    """Write a package ai_edge_litert that runs ``on_import``, and ``on_load`` when it loads a model."""
    (place / "ai_edge_litert").mkdir()
    (place / "ai_edge_litert" / "__init__.py").touch()
    (place / "ai_edge_litert" / "interpreter.py").write_text(
        f"import ctypes, os, sys\n{on_import}\nclass Interpreter:\n    def __init__(self, **_): {on_load}\n"
    )


@pytest.fixture
def on_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Misbehave:
    """Set what LiteRT does when it loads a model."""

    def call(statement: str) -> None:
        library_that(tmp_path, statement)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    return call


def failure(bundle: Bundle, settings: Settings = QUICK, runtime: str = "litert", variant: str = "dynamic") -> Failure:
    selection = Selection(variants=[variant], runtimes=[runtime])
    (result,) = run_benchmark(
        bundle_workload(bundle, settings.limit), plan(bundle, selection), settings, Silent()
    ).results
    assert result.failure is not None
    return result.failure


def test_an_illegal_instruction_is_reported_with_the_cpu(digits_bundle: Bundle, on_load: Misbehave) -> None:
    """QEMU prints a line of its own last, which only repeats the signal. Lines for information are no cause either."""
    information = "INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\\nI0000 00:00:00.1 cpu.cc:1] AVX2\\n"
    lines = "FATAL ERROR: compiled with lse\\nqemu: uncaught target signal 4 (Illegal instruction) - core dumped\\n"
    lines += information
    on_load(f"os.write(2, b'{lines}'), os.kill(os.getpid(), 4)")
    found = failure(digits_bundle)
    assert found.kind == "crashed"
    assert "SIGILL" in found.message
    assert found.message.endswith("FATAL ERROR: compiled with lse")
    assert cpu_name() in found.remedy


def test_a_segfault_on_load_is_reported(digits_bundle: Bundle, on_load: Misbehave) -> None:
    on_load("ctypes.string_at(0)")
    found = failure(digits_bundle)
    assert found.kind == "crashed"
    assert "SIGSEGV" in found.message


def test_a_hang_in_native_code_is_stopped(digits_bundle: Bundle, on_load: Misbehave) -> None:
    on_load("ctypes.CDLL(None).sleep(1000)")
    assert failure(digits_bundle, msgspec.structs.replace(QUICK, timeout_s=3)).kind == "timed out"


@pytest.mark.parametrize("garbage", ["bytes([0, 0, 0, 5]) + b'hello'", "b'\\xff' * 8"])
def test_garbage_on_the_pipe_is_reported(digits_bundle: Bundle, on_load: Misbehave, garbage: str) -> None:
    on_load(f"os.write(int(sys.argv[3]), {garbage}) and os._exit(3) or os._exit(4)")
    assert failure(digits_bundle, msgspec.structs.replace(QUICK, timeout_s=20)).kind == "crashed"


def test_the_output_of_a_worker_is_limited(digits_bundle: Bundle, on_load: Misbehave) -> None:
    on_load("[os.write(1, bytes(1 << 20)) for _ in range(1000)]")
    assert os.strerror(errno.EFBIG) in failure(digits_bundle).message


def test_a_worker_that_does_not_read_times_out() -> None:
    """Half a million positions do not fit into a pipe; without a deadline, sending would never end."""
    with WorkerProcess("litert") as worker:
        worker.wait_for(Ready, 60)
        os.kill(worker.pid, signal.SIGSTOP)
        with pytest.raises(WorkerFailed) as caught:
            worker.ask(Time(passes=1, image_positions=list(range(500_000))), Ready, 1.0)
        assert caught.value.failure.kind == "timed out"


def test_memory_and_time_limits_apply_to_tensorflow(digits_bundle: Bundle) -> None:
    tight, file = msgspec.structs.replace(QUICK, memory_limit=96 << 20), digits_bundle.folder / "model.keras"
    found = failure(digits_bundle, tight, "tensorflow", "keras")
    assert found.kind in ("out of memory", "crashed", "cannot load")
    with pytest.raises(WorkerFailed):
        describe_model("tensorflow", file, 120, memory_limit=96 << 20)
    with pytest.raises(WorkerFailed) as caught:
        describe_model("tensorflow", file, 0.5)
    assert caught.value.failure.kind == "timed out"
    assert describe_model("tensorflow", file, 120, memory_limit=4 << 30).output.shape[-1] == 10


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a worker ends when it next reads from its pipe")
def test_kill_9_of_the_parent_ends_a_worker_in_native_code(tmp_path: Path) -> None:
    # it names its process, since it can write no file
    library_that(tmp_path, on_import="ctypes.CDLL(None).prctl(15, b'importing'); ctypes.CDLL(None).sleep(1000)")
    code = (
        "import time\nfrom edge_bench.bench.worker.process import WorkerProcess\nworker = WorkerProcess('litert')\n"
        "while open(f'/proc/{worker.pid}/comm').read() != 'importing\\n': pass\n"
        "print(worker.pid, flush=True)\ntime.sleep(1000)"
    )
    environment = clean_environment(tmp_path)
    parent = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, start_new_session=True,
        env=environment | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{environment['PYTHONPATH']}"},
    )  # fmt: skip
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    os.kill(worker, 0)
    parent.kill()
    parent.communicate()
    while group_lives(parent.pid):  # the worker is in its parent's process group
        pass
    with pytest.raises(ProcessLookupError):
        os.kill(worker, 0)


def test_a_worker_outlives_the_thread_that_started_it() -> None:
    started: list[WorkerProcess] = []
    thread = threading.Thread(target=lambda: started.append(WorkerProcess("litert")))
    thread.start()
    thread.join()
    with started[0] as worker:
        assert worker.wait_for(Ready, 60).import_ns > 0
        with pytest.raises(WorkerFailed, match="/nowhere"):
            worker.ask(NOTHING, Ready, 60)


def test_signals_to_the_whole_group_end_no_worker() -> None:
    """A service manager signals every process; a worker that died of it would be reported as crashed."""
    with WorkerProcess("litert") as worker:
        worker.wait_for(Ready, 60)
        for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            os.kill(worker.pid, each)
        with pytest.raises(WorkerFailed, match="/nowhere"):
            worker.ask(NOTHING, Ready, 60)
