"""All steps of a benchmark on one engine: connect, image, bundle, run, fetch and clean up."""

import contextlib
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from edge_bench.app.fleet.docker.checks import require_disk, require_memory
from edge_bench.app.fleet.docker.container import ContainerExit
from edge_bench.app.fleet.docker.engine import Engine
from edge_bench.app.fleet.docker.errors import Cancelled, EngineLost, EngineTrouble
from edge_bench.app.fleet.docker.images import ensure_image
from edge_bench.app.fleet.docker.transfer import OnBytes, megabytes
from edge_bench.app.fleet.docker.workspace import Workspace
from edge_bench.app.fleet.runs.reasons import reason_of_error, reason_of_exit
from edge_bench.app.fleet.runs.receive import JOURNAL_FILES, MAX_BYTES, RUN_FILES, Expected, newest_complete, store_run
from edge_bench.app.fleet.runs.spec import (
    ENVIRONMENT,
    RUNS,
    UPLOAD_EXCLUDES,
    FleetJobSpec,
    is_announcement,
    parse_progress,
)
from edge_bench.app.fleet.runs.state import DeviceState, FleetState
from edge_bench.bench.errors import EdgeBenchError, ResultsError
from edge_bench.bench.progress import FleetView, duration_text, time_limit
from edge_bench.bench.wording import counted

__all__ = ["DeviceJob"]
#: Maximum number of simultaneous uploads of images and bundles: more would only slow each other down.
_UPLOADS = threading.BoundedSemaphore(8)
#: Maximum number of restarts of a run after its engine went down, which the run itself may cause.
_MAX_RESTARTS = 2
#: This is not cancelled: a finished Run would be lost.
_FETCHING = "fetching"
#: Between two attempts to connect.
_RETRY_SECONDS = 10.0


@dataclass
class DeviceJob:
    """The work on one engine, in its own thread. ``cancel`` may be called from any thread."""

    spec: FleetJobSpec
    state: FleetState
    row: DeviceState
    view: FleetView
    _cancelled: threading.Event = field(default_factory=threading.Event)
    _running: tuple[Workspace, Any] | None = None  # the measuring container
    _engine: Engine | None = None

    def work(self) -> None:
        """Do all steps. Every error is reported in the engine's row."""
        start, name = time.monotonic(), self.row.engine.name
        try:
            self._update(state="working", reason="", remedy="")
            self._work()
            self._update(state="done", reason="", remedy="")
            self.view.ended(name, True, f"its Run is {self.row.run_file} ({duration_text(time.monotonic() - start)})")
            return
        except Cancelled as cause:
            state, reason, remedy = "interrupted", cause.problem, cause.remedy
        except EngineLost as cause:
            state, reason, remedy = "lost", cause.problem, cause.remedy or "check again with --resume"
        except (OSError, EdgeBenchError) as cause:
            state, (reason, remedy) = "failed", reason_of_error(cause, left_behind=self.row.left_behind)
        except Exception as cause:  # a bug must not stop the other engines
            state, reason, remedy = "failed", f"unexpected {type(cause).__name__}: {cause}", "report it"
        finally:
            if self._engine:
                self._engine.close()
        with contextlib.suppress(ResultsError):  # a full disk, which is the reason then
            self._update(state=state, reason=reason, remedy=remedy)
        self.view.ended(name, False, self.row.reason)

    def cancel(self) -> None:
        """Stop the current step. A run in progress is stopped, and its journal is fetched."""
        self._cancelled.set()
        if running := self._running:
            workspace, container = running
            with contextlib.suppress(EngineTrouble):
                workspace.stop(container)

    def _work(self) -> None:
        with self._step("connect"):
            engine = self._engine = self._connect()
            self._check_machine(engine)
        workspace = Workspace(engine, self.state.record.fleet, "")
        if self.row.run_file:  # only the clean-up of an earlier command is left
            self._clean_up(workspace)
            return
        try:
            with self._step("image"), _UPLOADS:
                on_bytes, on_sent = self._byte_counter("sending the image"), lambda: self._report("unpacking the image")
                workspace.image, sent = ensure_image(engine, self.spec.source, on_bytes, on_sent)
                self._update(image_bytes=self.row.image_bytes + sent)
            workspace = self._run(workspace)
            self._fetch(workspace)
        except EngineLost:
            raise  # its container may still be running
        except (OSError, ResultsError):
            raise  # a full disk of this machine: the engine may have the only copy of the Run
        except BaseException:
            self._clean_up(Workspace(self._engine, workspace.fleet, workspace.image), quietly=True)
            raise
        self._clean_up(workspace)

    def _connect(self) -> Engine:
        """Return the engine. Raise EngineLost if it does not answer within the spec's ``connect_timeout``."""
        end = time.monotonic() + self.spec.connect_timeout
        while True:
            try:
                return Engine(self.row.engine, self.spec.timeout)
            except EngineLost as lost:
                if time.monotonic() >= end:
                    raise
                self._report(lost.waiting)
            if self._cancelled.wait(_RETRY_SECONDS):
                raise Cancelled

    def _check_machine(self, engine: Engine) -> None:
        """Describe the machine in the row. Raise EngineTrouble if it has too little memory."""
        machine = engine.description
        self._update(
            machine=f"{machine.architecture}, {counted(machine.cores, 'core')}, {machine.system}",
            platform=engine.platform,
            memory_bytes=machine.memory_bytes,
            engine_version=machine.version,
            clock_offset_seconds=machine.clock_offset_seconds,
        )
        require_memory(machine, self.spec.min_memory)

    def _run(self, workspace: Workspace) -> Workspace:
        """Run the benchmark to its end. Return the workspace, which is a new one after a lost connection."""
        container = workspace.adopt_container("run") if self.row.left_behind else None
        if container is None:
            with self._step("bundle"), _UPLOADS:
                self._update(left_behind=True)
                self._send_bundle(workspace)
            with self._step("run"):
                container = self._start(workspace)
        with self._step("run"):
            workspace, status = self._follow(workspace, container)
        if not status.code:
            return workspace
        self._fetch_journal(workspace)
        if self._cancelled.is_set():
            raise Cancelled
        raise EngineTrouble(*reason_of_exit(status))

    def _start(self, workspace: Workspace) -> Any:
        command, volumes = self.spec.command, {"artifacts": "ro", "results": "rw"}
        return workspace.start("run", command, volumes=volumes, environment=ENVIRONMENT)

    def _send_bundle(self, workspace: Workspace) -> None:
        on_bytes = self._byte_counter("sending the bundle")
        sent, free = workspace.copy_in(self.spec.bundle.folder, "artifacts", "bundle", on_bytes, UPLOAD_EXCLUDES)
        require_disk(free, self.spec.min_disk)
        journals = self.state.folder / self.row.engine.name
        if any(journals.glob("run-*.journal")):
            journal_bytes, _ = workspace.copy_in(journals, "results", RUNS, on_bytes)
            sent += journal_bytes
        self._update(bundle_bytes=self.row.bundle_bytes + sent)

    def _follow(self, workspace: Workspace, container: Any) -> tuple[Workspace, ContainerExit]:
        """Wait for the container's end, across lost connections and restarts of the engine."""
        restarts = 0
        while True:
            self._running = (workspace, container)
            if self._cancelled.is_set():
                self.cancel()
            try:
                return workspace, workspace.follow(container, self._on_line, self.spec.poll_seconds)
            except EngineLost as lost:
                self._running = None
                self._report(lost.waiting)
                workspace = self._reconnect(workspace, lost)
                adopted = workspace.adopt_container("run")
                if adopted is None and restarts == _MAX_RESTARTS:
                    raise EngineTrouble(f"its engine went down {restarts + 1} times while measuring") from None
                restarts += adopted is None
                container = adopted or self._start(workspace)  # a restarted engine: resume from the journal
            finally:
                self._running = None

    def _reconnect(self, workspace: Workspace, lost: EngineLost) -> Workspace:
        def sleep(seconds: float) -> None:
            if self._cancelled.wait(seconds):
                raise Cancelled

        try:
            workspace = workspace.reconnect(self.spec.reconnect_timeout, sleep)
        except Cancelled:
            raise
        except EngineTrouble:
            raise EngineLost(
                f"connection lost while measuring, not back within "
                f"{time_limit(self.spec.reconnect_timeout)}: {lost.problem}",
                "continue with --resume when it is reachable again",
            ) from None
        self._engine = workspace.engine
        return workspace

    def _fetch(self, workspace: Workspace) -> None:
        with self._step("fetch"), tempfile.TemporaryDirectory(dir=self.state.folder) as folder:
            on_bytes = self._byte_counter(_FETCHING)
            paths = workspace.fetch("results", RUNS, Path(folder), RUN_FILES, MAX_BYTES, on_bytes)
            expected = Expected(self.spec.bundle, self.spec.settings, self.row.engine.name, workspace.engine.platform)
            run = newest_complete(paths, expected)
            path = store_run(run, self.spec.results)
            size = sum(path.stat().st_size for path in paths)
            self._update(run_file=path.name, run_id=run.run_id, fetched_bytes=self.row.fetched_bytes + size)
            shutil.rmtree(
                self.state.folder / self.row.engine.name, ignore_errors=True
            )  # journals are now part of the Run

    def _fetch_journal(self, workspace: Workspace) -> None:
        """Fetch the journal of an interrupted run, so that ``--resume`` does not start again."""
        with contextlib.suppress(EngineTrouble), tempfile.TemporaryDirectory(dir=self.state.folder) as folder:
            for path in workspace.fetch("results", RUNS, Path(folder), JOURNAL_FILES, MAX_BYTES, lambda _: None):
                journal = self.state.folder / self.row.engine.name / path.name
                journal.parent.mkdir(exist_ok=True)
                path.replace(journal)

    def _clean_up(self, workspace: Workspace, *, quietly: bool = False) -> None:
        if self.spec.keep:
            return
        try:
            with self._step("clean up"):
                workspace.clean_up(remove_image=self.spec.remove_image)
            self._update(left_behind=False)
        except EngineTrouble as cause:
            if not quietly:
                raise EngineTrouble(
                    f"its Run was fetched, but {cause.problem}", "run `edge-bench fleet clean`"
                ) from None

    # -- progress

    @contextlib.contextmanager
    def _step(self, name: str) -> Iterator[None]:
        """Report a step and add its duration to the row. A cancelled job only fetches a finished Run and cleans up."""
        if self._cancelled.is_set() and name not in ("fetch", "clean up"):
            raise Cancelled
        start = time.monotonic()
        self._report(name)
        try:
            yield
        finally:
            duration = self.row.seconds.get(name, 0.0) + time.monotonic() - start
            self._update(seconds=self.row.seconds | {name: round(duration, 3)})

    def _byte_counter(self, what: str) -> OnBytes:
        total = 0

        def on_bytes(count: int) -> None:
            nonlocal total
            if self._cancelled.is_set() and what != _FETCHING:
                raise Cancelled
            total += count
            self._report(what, note=megabytes(total, 1))

        return on_bytes

    def _on_line(self, line: str) -> None:
        if progress := parse_progress(line):
            self._report(*progress)
        elif is_announcement(line):
            self.view.say(f"{self.row.engine.name}: {line}")

    def _report(self, what: str, done: int = 0, steps: int = 0, note: str = "") -> None:
        self.view.update(self.row.engine.name, what, done, steps, note)

    def _update(self, **changes: Any) -> None:
        self.row = msgspec.structs.replace(self.row, **changes)
        self.state.set(self.row)
