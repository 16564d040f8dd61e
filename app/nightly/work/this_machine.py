"""A measurement on this machine: `edge-bench run` in a process of its own."""

import contextlib
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from edge_bench.app.fleet.runs.spec import ENVIRONMENT
from edge_bench.app.nightly.settings.reading import THIS_MACHINE
from edge_bench.app.nightly.work.outcome import EngineOutcome
from edge_bench.app.nightly.work.run_process import run_command
from edge_bench.bench.io.python_process import module_environment
from edge_bench.bench.measure.stored.matching import complete_runs
from edge_bench.bench.records.nights.night import MeasurementState

__all__ = ["error_in", "measure_here"]

#: Seconds that an interrupted run may take to write its journal.
_STOP_SECONDS = 30
_INTERRUPTED = 130


def measure_here(arguments: Sequence[str], folder: Path, lock: int | None, *, quiet: bool) -> EngineOutcome:
    """Run a benchmark with ``arguments`` of `run`, and return its outcome; the Run is in ``folder``.

    A finished run in the folder is reused, and an interrupted one is continued. The process
    ends with this one, and inherits ``lock``: if this one is killed, the night stays locked until both have ended.
    """
    folder.mkdir(parents=True, exist_ok=True)
    command = [*run_command(), "run", *arguments, "--results", str(folder)]
    command += ["--once", "--resume"] if any(folder.glob("run-*")) else []
    command += ["--quiet"] if quiet else []
    process = subprocess.Popen(
        command, env=module_environment() | ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True, errors="replace", pass_fds=() if lock is None else (lock,),
    )  # fmt: skip
    errors = _Errors(process.stderr, quiet=quiet)
    try:
        code = process.wait()
    except BaseException:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        raise
    finally:
        errors.join()
    if code == _INTERRUPTED:
        raise KeyboardInterrupt
    run, path = next(complete_runs(folder), (None, None))
    if run is None or not run.results_with_trials:
        reason, remedy = errors.reason(f"the run ended with exit code {code}")
        return EngineOutcome(THIS_MACHINE, MeasurementState.FAILED, reason, remedy)
    return EngineOutcome(THIS_MACHINE, MeasurementState.DELIVERED, run=run, path=path)


class _Errors:
    """The messages of a process, shown on stderr, with the last error among them."""

    def __init__(self, stream: IO[str] | None, *, quiet: bool) -> None:
        self._lines: list[str] = []
        self._quiet = quiet
        self._thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._thread.start()

    def _read(self, stream: IO[str] | None) -> None:
        if stream is None:
            return
        with stream:
            self._read_lines(stream)

    def _read_lines(self, stream: IO[str]) -> None:
        for line in stream:
            self._lines = [*self._lines[-20:], line.rstrip("\n")]
            if not self._quiet and not line.startswith(("error:", "  ")):
                with contextlib.suppress(OSError):
                    sys.stderr.write(line)
                    sys.stderr.flush()

    def join(self) -> None:
        self._thread.join(timeout=5)

    def reason(self, otherwise: str) -> tuple[str, str]:
        """Return the last error and its remedy."""
        return error_in(self._lines, otherwise)


def error_in(lines: Sequence[str], otherwise: str) -> tuple[str, str]:
    """Return the last error in the messages of `run`, and its remedy."""
    last = max((number for number, line in enumerate(lines) if line.startswith("error:")), default=None)
    if last is None:
        return otherwise, "run the command by hand: edge-bench run"
    remedy = " ".join(line.strip() for line in lines[last + 1 :] if line.startswith("  "))
    return lines[last].removeprefix("error:").strip(), remedy
