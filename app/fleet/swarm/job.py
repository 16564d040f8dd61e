"""A benchmark on every node of a swarm: deploy it, follow its tasks, fetch the Runs and remove it."""

import contextlib
import secrets
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from edge_bench.app.fleet.docker.engine import Engine
from edge_bench.app.fleet.docker.errors import EngineLost, EngineTrouble
from edge_bench.app.fleet.docker.images import ensure_image, images_for
from edge_bench.app.fleet.docker.inventory import EngineSetting
from edge_bench.app.fleet.docker.transfer import megabytes
from edge_bench.app.fleet.docker.workspace import Workspace
from edge_bench.app.fleet.runs.fleet_job import STOPPING, Outcome, outcome_of, prepare_state
from edge_bench.app.fleet.runs.receive import COLLECTED_FILES, MAX_BYTES, Expected, newest_complete, store_run
from edge_bench.app.fleet.runs.spec import RUNS, UPLOAD_EXCLUDES, FleetJobSpec, is_announcement, parse_progress
from edge_bench.app.fleet.runs.state import DeviceState, FleetState
from edge_bench.app.fleet.swarm.node_rows import Rows, node_id
from edge_bench.app.fleet.swarm.services import Node, Task, deploy, nodes_of, prepare, remove, tasks_of
from edge_bench.app.fleet.swarm.stack import Stack
from edge_bench.bench.errors import ResultsError
from edge_bench.bench.io.disk_space import writable_folder
from edge_bench.bench.io.locks import only_writer
from edge_bench.bench.progress import FleetView

__all__ = ["run_swarm"]

_POLL_SECONDS = 2.0
_DRAINED = "the node was drained during the benchmark"
_FINAL_STATES = {"complete", "failed", "rejected", "orphaned", "shutdown", "remove"}


def run_swarm(
    spec: FleetJobSpec, engines: Sequence[EngineSetting], view: FleetView, *,
    nodes: Sequence[EngineSetting], stack_file: Path | None, resume: bool = False,
) -> Outcome:  # fmt: skip
    """Measure as a global job in the swarm that the first engine manages. The other engines only receive the image.

    Ctrl-C removes the job everywhere. Runs already uploaded are kept, and ``resume`` measures only on the other nodes.
    """
    writable_folder(spec.results)
    state = prepare_state(spec, nodes, view, resume=resume)
    with only_writer(state.folder), contextlib.closing(_Job(spec, engines, state, view)) as job:
        interrupted = job.work(stack_file)
    return outcome_of(spec, state, interrupted)


@dataclass
class _Job:
    spec: FleetJobSpec
    engines: Sequence[EngineSetting]
    state: FleetState
    view: FleetView

    def __post_init__(self) -> None:
        self.engine = Engine(self.engines[0], self.spec.timeout)
        self.workspace = Workspace(self.engine, self.state.record.fleet, "")
        self.rows = Rows(self.state, self.view)
        self._since = ""  # timestamp of the collector's last line
        self._measuring: set[str] = set()  # ids of nodes that reported progress
        self._reasons: dict[str, str] = {}  # node's id → failure reported by its task

    def close(self) -> None:
        self.engine.close()

    def work(self, stack_file: Path | None) -> bool:
        """Do all steps, and return whether the user interrupted them."""
        interrupted = False
        try:
            self._provide_images()
            self._fetch_leftovers()
            todo = {node_id(row): row for row in self.state.record.devices if not row.done}
            if todo:
                self._deploy(todo, stack_file)
                self._follow(set(todo))
        except KeyboardInterrupt:
            self.view.say(STOPPING)
            interrupted = True
        finally:
            self._finish(interrupted)
        return interrupted

    # -- deployment

    def _provide_images(self) -> None:
        """Find the image's name for every platform, and send it to the given engines unless it is in a registry."""
        source = self.spec.source
        self.images, self.without_image = images_for({node.platform for node in nodes_of(self.engine)}, source)
        if source.is_in_a_registry:
            with self.engine.trouble("pulling the image"):
                self.engine.slow_client.images.pull(source.image)
            self.workspace.image = source.image
            return
        with ThreadPoolExecutor(max_workers=8) as pool:
            list(pool.map(self._send_image, self.engines))
        if not self.workspace.image:
            raise EngineTrouble("the manager has no image for its own platform, so it cannot collect the Runs")

    def _send_image(self, setting: EngineSetting) -> None:
        manager = setting == self.engines[0]
        try:
            with contextlib.ExitStack() as stack:
                engine = self.engine if manager else stack.enter_context(Engine(setting, self.spec.timeout))
                name, sent = ensure_image(engine, self.spec.source, lambda _: None, by_tag=True)
                if manager:
                    self.workspace.image = name
                for row in self.state.record.devices:
                    if node_id(row) == engine.description.node_id:
                        self.rows.set(node_id(row), image_bytes=row.image_bytes + sent)
                self.view.say(f"{setting.name}: image {name} {f'sent, {megabytes(sent)}' if sent else 'is present'}")
        except EngineTrouble as cause:
            if manager:
                raise
            self.view.say(f"! {setting.name}: no image sent: {cause.problem}")

    def _fetch_leftovers(self) -> None:
        """Fetch the Runs in the collector's volume of an earlier command, then remove its volumes."""
        if any(row.left_behind for row in self.state.record.devices):
            remove(self.engine, self.state.record.fleet)
            self._fetch()
            self.workspace.clean_up()

    def _deploy(self, todo: dict[str, DeviceState], stack_file: Path | None) -> None:
        for row in todo.values():
            self.rows.set(node_id(row), state="working", reason="", remedy="", left_behind=True)
        sent, _ = self.workspace.copy_in(
            self.spec.bundle.folder, "artifacts", "bundle", lambda _: None, UPLOAD_EXCLUDES
        )
        nodes = nodes_of(self.engine)
        stack = Stack(
            fleet=self.state.record.fleet,
            node=self.engine.description.node_id,
            collector_image=self.workspace.image,
            images=self.images,
            artifacts=self.workspace.volume("artifacts"),
            results=self.workspace.volume("results"),
            command=self.spec.options,
            without=[node.id for node in nodes if node.id not in todo],
            reconnect_timeout=max(60.0, self.spec.reconnect_timeout),
        )
        text = stack.file()
        for path in filter(None, (self.state.folder / "stack.yaml", stack_file)):
            path.write_text(text)
        for node in nodes:
            if node.id in todo:
                self.rows.set(
                    node.id, machine=f"{node.architecture}", platform=node.platform, memory_bytes=node.memory_bytes,
                    engine_version=node.engine_version, bundle_bytes=sent,
                )  # fmt: skip
        prepare(self.engine, stack, secrets.token_hex(32))
        self.services = deploy(self.engine, stack)
        self.view.say(f"deployed; stack file: {self.state.folder / 'stack.yaml'}")

    # -- tasks

    def _follow(self, waiting: set[str]) -> None:
        """Update the rows until every node's task has ended or failed."""
        down_since: dict[str, float] = {}  # node's id → monotonic time
        while True:
            try:
                tasks, nodes = tasks_of(self.engine, self.services), {node.id: node for node in nodes_of(self.engine)}
                self._read_progress()
            except EngineLost as lost:
                self.view.say(f"{self.engine.name}: {lost.waiting}")
                self.workspace = self.workspace.reconnect(self.spec.reconnect_timeout)
                self.engine = self.workspace.engine
                continue
            for node in sorted(waiting):
                self._update_row(node, nodes.get(node), tasks.get(node), down_since)
            waiting = {node for node in waiting if self.rows.row(node).state == "working"}
            if not waiting:
                return
            time.sleep(_POLL_SECONDS)

    def _update_row(self, identity: str, node: Node | None, task: Task | None, down_since: dict[str, float]) -> None:
        """Update a row from the states of its node and task."""
        name = self.rows.row(identity).engine.name
        if task and task.state == "complete":
            self.rows.set(identity, state="handed over", seconds={"run": task.seconds})
            self.view.update(name, "uploaded its Run")
        elif node is None:
            self.rows.fail(
                identity, "the node left the swarm during the benchmark", "let it join again, then use --resume"
            )
        elif node.availability == "drain" and (task is None or task.state in _FINAL_STATES):
            reason = f"{_DRAINED}: {task.error}" if task and task.error else _DRAINED
            self.rows.fail(identity, reason, "run `docker node update --availability active`, then use --resume")
        elif node.state != "ready":
            since = down_since.setdefault(identity, time.monotonic())
            if time.monotonic() - since >= self.spec.reconnect_timeout:
                self.rows.fail(
                    identity, f"node lost: its state in the swarm is {node.state}", "try again with --resume"
                )
        elif node.platform in self.without_image:
            self.rows.fail(identity, self.without_image[node.platform], "choose an image for it with --image")
        elif task and task.state in _FINAL_STATES:
            reason = self._reasons.get(identity) or task.error or f"its task is {task.state}"
            remedy = ""
            if "no such image" in reason.lower():
                remedy = "add its engine with --engine to send it the image, or use an --image from a registry"
            self.rows.fail(identity, reason, remedy)
        elif node.availability != "active" and task is None:
            self.rows.fail(
                identity,
                f"the swarm starts no tasks there: its availability is {node.availability}",
                "set it to active",
            )
        else:
            down_since.pop(identity, None)
            if node.availability == "drain" and not self.rows.row(identity).reason:
                # a drained node starts no new task, but the running task of a job may finish
                self.rows.set(identity, reason=_DRAINED)
                self.view.say(f"{name}: {_DRAINED}; its task may still finish")
            if task and identity not in self._measuring:
                self.view.update(name, task.state, note=task.error)

    def _read_progress(self) -> None:
        collector = self.workspace.container_of_service(self.services["collector"])
        if collector is not None:
            self._since = self.workspace.new_lines(collector, self._since, self._on_line)

    def _on_line(self, line: str) -> None:
        node, _, message = line.partition(" ")
        with contextlib.suppress(StopIteration):
            row = self.rows.row(node)
            if message.startswith("failed: "):
                self._reasons[node] = message.removeprefix("failed: ")
            elif progress := parse_progress(message):
                self._measuring.add(node)
                self.view.update(row.engine.name, *progress)
            elif is_announcement(message):
                self.view.say(f"{row.engine.name}: {message}")

    # -- Runs and clean-up

    def _finish(self, interrupted: bool) -> None:
        """Remove the job, fetch the uploaded Runs, and remove everything else."""
        try:
            if not self.spec.keep:
                remove(self.engine, self.state.record.fleet)
            self._fetch()
            if not self.spec.keep:
                self.workspace.clean_up(remove_image=self.spec.remove_image)
                for row in self.state.record.devices:
                    self.rows.set(node_id(row), left_behind=False)
        except EngineTrouble as cause:
            self.view.say(f"! {cause.problem}; {cause.remedy or 'run `edge-bench fleet clean`'}")
        except ResultsError as cause:  # a full disk of this machine: the swarm has the only copy of the Runs
            raise type(cause)(cause.problem, "fix this on this machine, then fetch the Runs with --resume") from None
        for row in self.state.record.devices:
            if row.state in ("working", "handed over"):
                reason = "interrupted" if interrupted else "its Run was uploaded but could not be fetched"
                self.rows.set(
                    node_id(row), state="interrupted" if interrupted else "lost", reason=reason, remedy="--resume"
                )
        for row in self.state.record.devices:
            self.view.ended(row.engine.name, row.done, row.run_file or row.reason)

    def _fetch(self) -> None:
        rows = [row for row in self.state.record.devices if not row.done and row.left_behind]
        if not rows:
            return
        with tempfile.TemporaryDirectory(dir=self.state.folder) as folder:
            try:
                max_bytes = MAX_BYTES * len(rows)
                self.workspace.fetch("results", RUNS, Path(folder), COLLECTED_FILES, max_bytes, lambda _: None)
            except EngineTrouble as cause:
                if isinstance(cause, EngineLost) or "could not find" not in cause.problem.lower():
                    raise
            for row in rows:
                self._store(row, sorted((Path(folder) / RUNS / node_id(row)).glob("run-*.json")))

    def _store(self, row: DeviceState, paths: Sequence[Path]) -> None:
        if not paths:
            return
        hostname = next((node.hostname for node in nodes_of(self.engine) if node.id == node_id(row)), row.engine.name)
        try:
            run = newest_complete(paths, Expected(self.spec.bundle, self.spec.settings, hostname, row.platform))
            path = store_run(run, self.spec.results)
        except EngineTrouble as cause:
            self.rows.fail(node_id(row), cause.problem, cause.remedy)
            return
        size = sum(path.stat().st_size for path in paths)
        reason = row.reason if row.reason == _DRAINED else ""
        self.rows.set(
            node_id(row), state="done", reason=reason, remedy="",
            run_file=path.name, run_id=run.run_id, fetched_bytes=size,
        )  # fmt: skip
