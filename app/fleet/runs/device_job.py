"""One engine from first word to last: what it is, image, bundle, run, Run, nothing left behind."""

import contextlib
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from edge_bench.app.fleet.docker.container import ContainerExit, FreeSpace
from edge_bench.app.fleet.docker.engine import Engine
from edge_bench.app.fleet.docker.errors import Cancelled, EngineLost, EngineTrouble
from edge_bench.app.fleet.docker.images import ensure_image
from edge_bench.app.fleet.docker.workspace import Workspace
from edge_bench.app.fleet.runs.receive import JOURNAL_FILES, MOST_BYTES, RUN_FILES, Expected, keep, newest_complete
from edge_bench.app.fleet.runs.spec import ENVIRONMENT, PROGRESS, RUNS, UPLOAD_EXCLUDES, FleetJobSpec, run_command
from edge_bench.app.fleet.runs.state import DeviceState, FleetState
from edge_bench.bench.errors import EdgeBenchError
from edge_bench.bench.progress import FleetView

__all__ = ["DeviceJob"]
#: Images and bundles on their way at once: more would only make each of them slower.
_SENDING = threading.BoundedSemaphore(8)
_RECONNECT_SECONDS = 2.0
#: An engine that goes down again and again may do so because of what it is asked for.
_RESTARTS = 2


@dataclass
class DeviceJob:
    """The work at one engine, in a thread of its own. ``cancel`` may be called from any other."""

    spec: FleetJobSpec
    state: FleetState
    row: DeviceState
    view: FleetView
    _cancelled: threading.Event = field(default_factory=threading.Event)
    _running: tuple[Workspace, Any] | None = None
    _engine: Engine | None = None

    def work(self) -> None:
        """Does all of it; whatever goes wrong is in the row."""
        began, name = time.monotonic(), self.row.engine.name
        try:
            self._change(state="working", reason="", remedy="")
            self._work()
            self._change(state="done", reason="", remedy="")
            self.view.ended(name, True, f"its Run is {self.row.run_file} ({time.monotonic() - began:.0f} s)")
            return
        except Cancelled:
            ended = ("interrupted", "interrupted", "--resume goes on")
        except EngineLost as cause:
            ended = ("lost", cause.problem, cause.remedy or "--resume looks again")
        except EdgeBenchError as cause:
            ended = ("failed", cause.problem, cause.remedy)
        except Exception as cause:  # a mistake of ours is this engine's row, too
            ended = ("failed", f"unexpected {type(cause).__name__}: {cause}", "report it")
        finally:
            if self._engine:
                self._engine.close()
        self._change(state=ended[0], reason=ended[1], remedy=ended[2])
        self.view.ended(name, False, self.row.reason)

    def cancel(self) -> None:
        """Stops what is going on; the run there ends in good order and is fetched as far as it is."""
        self._cancelled.set()
        if running := self._running:
            workspace, container = running
            with contextlib.suppress(EngineTrouble):
                workspace.stop(container)

    def _work(self) -> None:
        with self._step("connect"):
            engine = self._engine = Engine(self.row.engine, self.spec.timeout)
            self._fits(engine)
        workspace = Workspace(engine, self.state.record.fleet, "")
        if self.row.run_file:  # all that an earlier command could not do was to clean up
            self._clean_up(workspace)
            return
        try:
            with self._step("image"), self._sending():
                workspace.image, sent = ensure_image(engine, self.spec.source, self._bytes("sending the image"))
                self._change(image_bytes=self.row.image_bytes + sent)
            workspace = self._run(workspace)
            self._fetch(workspace)
        except EngineLost:
            raise  # what is there may go on
        except BaseException:
            self._clean_up(Workspace(self._engine, workspace.fleet, workspace.image), quietly=True)
            raise
        self._clean_up(workspace)

    def _fits(self, engine: Engine) -> None:
        found = engine.description
        self._change(
            machine=f"{found.architecture}, {found.cores} cores, {found.system}",
            platform=engine.platform,
            memory_bytes=found.memory_bytes,
            engine_version=found.version,
        )
        if found.memory_bytes < self.spec.min_memory:
            raise EngineTrouble(
                f"too little memory: {_mb(found.memory_bytes)}, and {_mb(self.spec.min_memory)} are asked for",
                "--min-memory sets another limit",
            )

    def _run(self, workspace: Workspace) -> Workspace:
        """The run to its end; the workplace, which is another one where the connection was lost meanwhile."""
        container = workspace.adopt_container("run") if self.row.left_behind else None
        if container is None:
            with self._step("bundle"), self._sending():
                self._change(left_behind=True)
                self._send_bundle(workspace)
            with self._step("run"):
                container = self._start(workspace)
        with self._step("run"):
            workspace, ended = self._follow(workspace, container)
        if ended.code or self._cancelled.is_set():
            self._fetch_journal(workspace)
        if self._cancelled.is_set():
            raise Cancelled("interrupted")
        if ended.code:
            raise EngineTrouble(*_why(ended))
        return workspace

    def _start(self, workspace: Workspace) -> Any:
        return workspace.start(
            "run",
            run_command(self.spec.options),
            volumes={"artifacts": "ro", "results": "rw"},
            environment=ENVIRONMENT,
        )

    def _send_bundle(self, workspace: Workspace) -> None:
        name = self.row.engine.name
        on_bytes = self._bytes("sending the bundle")
        sent, room = workspace.copy_in(self.spec.bundle.folder, "artifacts", "bundle", on_bytes, UPLOAD_EXCLUDES)
        self._enough(room)
        journals = self.state.folder / name
        if any(journals.glob("run-*.journal")):
            more, _ = workspace.copy_in(journals, "results", RUNS, on_bytes)
            sent += more
        self._change(bundle_bytes=self.row.bundle_bytes + sent)

    def _enough(self, room: FreeSpace) -> None:
        if room.disk_bytes < self.spec.min_disk:
            raise EngineTrouble(
                f"too little disk: {_mb(room.disk_bytes)} are free, and {_mb(self.spec.min_disk)} are asked for",
                "make room there: `docker system df`; --min-disk sets another limit",
            )

    def _follow(self, workspace: Workspace, container: Any) -> tuple[Workspace, ContainerExit]:
        """Until it has ended; where the engine is lost, it may come back for as long as patience lasts."""
        restarts = 0
        while True:
            self._running = (workspace, container)
            if self._cancelled.is_set():
                self.cancel()
            try:
                return workspace, workspace.follow(container, self._line, self.spec.look_seconds)
            except EngineLost as lost:
                self._running = None
                self._tell(f"lost ({lost.problem}); waiting for it to come back")
                workspace = self._reconnect(workspace, lost)
                found = workspace.adopt_container("run")
                if found is None and restarts == _RESTARTS:
                    raise EngineTrouble(f"its engine went down {restarts + 1} times while measuring") from None
                restarts += found is None
                container = found or self._start(workspace)  # the engine was down meanwhile: on from the journal
            finally:
                self._running = None

    def _reconnect(self, workspace: Workspace, lost: EngineLost) -> Workspace:
        deadline = time.monotonic() + self.spec.reconnect_timeout
        while True:
            workspace.engine.close()
            if self._cancelled.wait(_RECONNECT_SECONDS):
                raise Cancelled("interrupted")
            try:
                engine = self._engine = Engine(self.row.engine, self.spec.timeout)
            except EngineTrouble:
                if time.monotonic() > deadline:
                    raise EngineLost(
                        f"lost while measuring, and not back within {self.spec.reconnect_timeout:g} s: {lost.problem}",
                        "--resume goes on with it when it is back",
                    ) from None
            else:
                return Workspace(engine, workspace.fleet, workspace.image)

    def _fetch(self, workspace: Workspace) -> None:
        with self._step("fetch"), tempfile.TemporaryDirectory(dir=self.state.folder) as folder:
            paths = workspace.fetch("results", RUNS, Path(folder), RUN_FILES, MOST_BYTES, self._bytes("fetching"))
            expected = Expected(self.spec.bundle, self.spec.settings, self.row.engine.name, workspace.engine.platform)
            run = newest_complete(paths, expected)
            path = keep(run, self.spec.results)
            size = sum(path.stat().st_size for path in paths)
            self._change(run_file=path.name, run_id=run.run_id, fetched_bytes=self.row.fetched_bytes + size)
            shutil.rmtree(self.state.folder / self.row.engine.name, ignore_errors=True)  # the journals are in it now

    def _fetch_journal(self, workspace: Workspace) -> None:
        """What an interrupted run has made, for --resume; without it that begins anew."""
        with contextlib.suppress(EngineTrouble), tempfile.TemporaryDirectory(dir=self.state.folder) as folder:
            for path in workspace.fetch("results", RUNS, Path(folder), JOURNAL_FILES, MOST_BYTES, lambda _: None):
                kept = self.state.folder / self.row.engine.name / path.name
                kept.parent.mkdir(exist_ok=True)
                path.replace(kept)

    def _clean_up(self, workspace: Workspace, *, quietly: bool = False) -> None:
        if self.spec.keep:
            return
        try:
            with self._step("clean up"):
                workspace.clean_up(remove_image=self.spec.remove_image)
            self._change(left_behind=False)
        except EngineTrouble as cause:
            if not quietly:
                raise EngineTrouble(f"its Run is here, but {cause.problem}", "`edge-bench fleet clean` there") from None

    # -- what is told to whom

    @contextlib.contextmanager
    def _step(self, name: str) -> Iterator[None]:
        if self._cancelled.is_set() and name != "clean up":
            raise Cancelled("interrupted")
        began = time.monotonic()
        self._tell(name)
        try:
            yield
        finally:
            took = self.row.seconds.get(name, 0.0) + time.monotonic() - began
            self._change(seconds=self.row.seconds | {name: round(took, 3)})

    @contextlib.contextmanager
    def _sending(self) -> Iterator[None]:
        with _SENDING:
            yield

    def _bytes(self, what: str) -> Callable[[int], None]:
        sent = 0

        def on_bytes(count: int) -> None:
            nonlocal sent
            if self._cancelled.is_set():
                raise Cancelled("interrupted")
            sent += count
            self._tell(what, note=f"{sent / 1e6:.1f} MB")

        return on_bytes

    def _line(self, line: str) -> None:
        if found := PROGRESS.match(line):
            self._tell(found["what"], int(found["done"]), int(found["steps"]), found["note"].lstrip(", "))
        elif line.startswith(("!", "EMULATED")):
            self.view.say(f"{self.row.engine.name}: {line}")

    def _tell(self, what: str, done: int = 0, steps: int = 0, note: str = "") -> None:
        self.view.update(self.row.engine.name, what, done, steps, note)

    def _change(self, **changes: Any) -> None:
        self.row = msgspec.structs.replace(self.row, **changes)
        self.state.set(self.row)


def _why(ended: ContainerExit) -> tuple[str, str]:
    if ended.out_of_memory:
        return "out of memory: the machine stopped it", "a smaller --limit or --batch-size, or more `memory` for it"
    if ended.code == 137:
        return "it was killed half-way", "--resume goes on"
    return ended.last_words or f"it ended with exit code {ended.code}", ""


def _mb(count: int) -> str:
    return f"{count / 1e6:,.0f} MB"
