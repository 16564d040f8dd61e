"""The volumes and hardened containers of one fleet command on one engine, identified by its label.

Files are copied through containers of the same image that are never started. No other image is needed.
"""

import contextlib
import datetime
import re
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from edge_bench.app.fleet.docker import transfer
from edge_bench.app.fleet.docker.container import LABEL, MOUNT_POINTS, ROLE, WORKSPACE, ContainerExit, FreeSpace
from edge_bench.app.fleet.docker.engine import SLOW_SECONDS, Engine
from edge_bench.app.fleet.docker.errors import EngineLost, EngineTrouble, one_line

__all__ = ["Workspace"]
_CHECK = """cd "$0" && sha256sum --check --quiet --strict "../$1" >&2 && test "$(find . -type f | wc -l)" = "$2" \
&& df -Pk /results | awk 'NR == 2 { print "disk", $4 }' && awk '/MemAvailable/ { print "memory", $2 }' /proc/meminfo"""
#: Lines of a container's log: enough for the last messages of kernel, QEMU and C library.
_LAST_LINES = 20
#: Lines of a collector's log, which has a line per node every few seconds.
_MAX_LINES, _MAX_LOG_BYTES, _MAX_LINE_CHARACTERS = 10_000, 1 << 20, 4096
_RECONNECT_SECONDS = 2.0
_MAX_CONTAINERS = 100


class Workspace:
    """One fleet command on one engine."""

    def __init__(self, engine: Engine, fleet: str, image: str) -> None:
        """fleet: the command's id; image: its name on the engine, as ``ensure_image`` returned it."""
        self.engine, self.fleet, self.image = engine, fleet, image
        self.key = f"{fleet}-{engine.name}"

    def reconnect(self, timeout: float, sleep: Callable[[float], None] = time.sleep) -> "Workspace":
        """Return this workspace with a new connection. Raise EngineTrouble after ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        while True:
            self.engine.close()
            sleep(_RECONNECT_SECONDS)
            try:
                return Workspace(Engine(self.engine.setting, self.engine.timeout), self.fleet, self.image)
            except EngineTrouble:
                if time.monotonic() > deadline:
                    raise

    def copy_in(
        self, folder: Path, volume: str, name: str, on_bytes: transfer.OnBytes, excluded: Sequence[str] = ()
    ) -> tuple[int, FreeSpace]:
        """Copy a folder into the volume as ``name``, and check every checksum on the engine.

        Return the number of bytes sent and the machine's free space. Raise EngineTrouble if a checksum differs.
        """
        files = transfer.files_in(folder, excluded)
        sums = transfer.checksums(folder, files)
        container = self._create("copy", ["true"], volumes={volume: "rw"})
        try:
            with transfer.packed(folder, files, name, sums) as archive, self.engine.trouble("copying"):
                chunks = transfer.chunks(archive, on_bytes)
                self.engine.slow_client.api.put_archive(container.id, MOUNT_POINTS[volume], chunks)
                sent = archive.tell()
        finally:
            self._remove(container)
        return sent, self.check(volume, name, len(files))

    def check(self, volume: str, name: str, count: int) -> FreeSpace:
        """Check the checksums of ``count`` copied files on the engine. Raise EngineTrouble if one differs.

        Return the machine's free space.
        """
        arguments = ["-c", _CHECK, f"{MOUNT_POINTS[volume]}/{name}", transfer.SUMS_FILE, str(count)]
        # the results' volume is mounted to measure its free space
        container = self._create("check", arguments, volumes={volume: "ro", "results": "rw"}, entrypoint="sh")
        try:
            with self.engine.trouble("checking the copy"):
                container.start()
                code = int(self.engine.client.api.wait(container.id, timeout=SLOW_SECONDS)["StatusCode"])
                output = container.logs(stdout=True, stderr=False, tail=_LAST_LINES).decode(errors="replace")
                if code:
                    reason = one_line(container.logs(stdout=False, stderr=True, tail=2).decode(errors="replace"))
                    emulation = "its platform cannot run there: install QEMU emulation"
                    remedy = emulation if "exec format" in reason else ""
                    raise EngineTrouble(f"checking the copy: {reason or f'exit code {code}'}", remedy)
        finally:
            self._remove(container)
        free = {
            kind: int(kib) * 1024 for kind, kib in re.findall(r"^(disk|memory) ([0-9]{1,15})$", output, re.MULTILINE)
        }
        return FreeSpace(disk_bytes=free.get("disk", 0), memory_bytes=free.get("memory", 0))

    def start(self, role: str, command: Sequence[str], *, volumes: Mapping[str, str], **options: Any) -> Any:
        """Start a container without network and capabilities that can write only to its volumes and /tmp.

        volumes: role → ro or rw. ``options``: environment, network, and arguments of the SDK's create.
        """
        container = self._create(role, command, volumes=volumes, **options)
        with self.engine.trouble("starting"):
            try:
                container.start()
            except BaseException:
                self._remove(container)
                raise
        return container

    def adopt_container(self, role: str) -> Any | None:
        """Return an earlier command's container of that role if it is running or has ended without an error.

        All other containers of this workspace are removed.
        """
        with self.engine.trouble("listing containers"):
            filters = {"label": f"{WORKSPACE}={self.key}"}
            adopted = None
            for container in self._containers(filters):
                state = container.attrs["State"]
                usable = state.get("Running") or (state.get("Status") == "exited" and not state.get("ExitCode"))
                if container.labels.get(ROLE) == role and usable:
                    adopted = container
                else:
                    self._remove(container)
        return adopted

    def container_of_service(self, service: str) -> Any | None:
        """Return a swarm service's running container on this engine, None if there is none yet."""
        with self.engine.trouble("looking for the collector"):
            filters = {"label": f"com.docker.swarm.service.id={service}"}
            containers = self.engine.client.containers.list(filters=filters)
        return containers[0] if containers else None

    def follow(self, container: Any, on_line: Callable[[str], None], poll_seconds: float = 10) -> ContainerExit:
        """Wait for the container's end, and call ``on_line`` with new lines of its stderr.

        Between polls, nothing else of this command runs on the machine, so that measurements are not disturbed.
        Raise EngineLost if the engine stops answering; the container may still be running then.
        """
        import docker.errors
        import requests.exceptions

        api = self.engine.new_client(poll_seconds).api
        since = ""
        while True:
            ended = False
            with self.engine.trouble("waiting"):
                try:
                    api.wait(container.id, timeout=poll_seconds)
                    ended = True
                except requests.exceptions.ReadTimeout:
                    pass
                except requests.exceptions.ConnectionError as cause:
                    if "timed out" not in str(cause).lower():
                        raise
                except docker.errors.NotFound:
                    raise EngineTrouble(
                        "its container was removed by another program", "run again with --resume"
                    ) from None
            since = self.new_lines(container, since, on_line, _LAST_LINES)
            if ended:
                return self._exit_of(container)

    def new_lines(
        self, container: Any, since: str, on_line: Callable[[str], None], max_lines: int | str = "all"
    ) -> str:
        """Call ``on_line`` with the newest lines of stderr after the timestamp ``since``; return the last timestamp."""
        with self.engine.trouble("reading its progress"):
            after = _seconds(since) if since else None
            raw = container.logs(stdout=False, stderr=True, timestamps=True, tail=max_lines, since=after)
        for line in _last_lines(raw, _MAX_LINES if max_lines == "all" else int(max_lines)):
            stamp, _, text = line.partition(" ")
            if since < stamp <= "9":  # no valid timestamp is in the year 9000
                since = stamp
                on_line(one_line(text))
        return since

    def _exit_of(self, container: Any) -> ContainerExit:
        with self.engine.trouble("reading its exit code"):
            container.reload()
            state = container.attrs["State"]
            lines = _last_lines(container.logs(stdout=False, stderr=True, tail=_LAST_LINES), _LAST_LINES)
            message = next((line for line in lines if line.startswith("error:")), lines[-1] if lines else "")
            return ContainerExit(
                code=int(state.get("ExitCode", -1)),
                out_of_memory=bool(state.get("OOMKilled")),
                message=one_line(message.removeprefix("error:")),
            )

    def stop(self, container: Any, seconds: int = 10) -> None:
        """Stop the container as `docker stop` does: it is killed after ``seconds``."""
        with self.engine.trouble("stopping"):
            container.stop(timeout=seconds)

    def fetch(
        self, volume: str, name: str, target: Path, pattern: re.Pattern[str], max_bytes: int, on_bytes: transfer.OnBytes
    ) -> list[Path]:
        """Copy files of the volume's folder ``name`` whose path matches ``pattern`` into ``target``.

        Paths begin with the folder's own name. Raise EngineTrouble if they exceed ``max_bytes`` in total.
        """
        container = self._create("fetch", ["true"], volumes={volume: "ro"})
        try:
            with self.engine.trouble("fetching"):
                path = f"{MOUNT_POINTS[volume]}/{name}"
                stream, _ = self.engine.slow_client.api.get_archive(container.id, path, transfer.CHUNK_BYTES)
                return transfer.unpacked(stream, target, pattern, max_bytes, on_bytes)
        finally:
            self._remove(container)

    def clean_up(self, *, remove_image: bool = False) -> None:
        """Remove every container and volume of this workspace. Raise EngineTrouble if one cannot be removed."""
        label = {"label": f"{WORKSPACE}={self.key}"}
        client = self.engine.slow_client  # deleting files takes long on a busy machine or a slow SD card
        with self.engine.trouble("cleaning up"):
            for container in self._containers(label):
                self._remove(container)
            for volume in client.volumes.list(filters=label):
                volume.remove(force=True)
            if remove_image and ":fleet-" in self.image:  # not an image that was there already
                client.images.remove(self.image)

    def _create(
        self,
        role: str,
        command: Sequence[str],
        *,
        volumes: Mapping[str, str],
        environment: Mapping[str, str] | None = None,
        network: str = "none",
        **options: Any,
    ) -> Any:
        """Create a hardened container without starting it."""
        from docker.types import Mount

        labels = self._labels(role)
        # Docker fills an empty volume from the image: needed for the writable results folder, not for artifacts
        mounts = [
            Mount(MOUNT_POINTS[name], self.volume(name), read_only=mode == "ro", no_copy=name == "artifacts")
            for name, mode in volumes.items()
        ]
        if memory := self.engine.setting.memory:
            options.setdefault("mem_limit", memory)
        with self.engine.trouble("creating a container"):
            return self.engine.client.containers.create(
                self.image, list(command),
                name=f"edge-bench-{role}-{self.key}", hostname=self.engine.name, labels=labels, mounts=mounts,
                environment=dict(environment or {}), network_mode=network,
                platform=self.engine.platform if self.engine.emulates else None,
                read_only=True, cap_drop=["ALL"], security_opt=["no-new-privileges:true"], tmpfs={"/tmp": ""},  # noqa: S108
                pids_limit=1024, **options,
            )  # fmt: skip

    def volume(self, role: str) -> str:
        """Create the volume of that role unless it exists, and return its name."""
        name = f"edge-bench-{role}-{self.key}"
        with self.engine.trouble("creating a volume"):
            self.engine.client.volumes.create(name, labels=self._labels(role))
        return name

    def _labels(self, role: str) -> dict[str, str]:
        return {LABEL: self.fleet, WORKSPACE: self.key, ROLE: role}

    def _containers(self, filters: Mapping[str, str]) -> list[Any]:
        """Return this workspace's containers. Raise EngineTrouble if the engine lists an impossible number."""
        import docker.errors

        client, found = self.engine.client, list[Any]()
        listed = client.api.containers(all=True, filters=filters)
        if len(listed) > _MAX_CONTAINERS:  # each needs a request
            raise EngineTrouble(f"it lists {len(listed):,} containers of this command", "check that machine")
        for item in listed:
            with contextlib.suppress(docker.errors.NotFound):  # removed in the meantime
                found.append(client.containers.get(item["Id"]))
        return found

    def _remove(self, container: Any) -> None:
        """Remove a container and its anonymous volumes, unless it is already removed."""
        import docker.errors

        with self.engine.trouble("removing a container"):
            try:
                container.remove(v=True, force=True)
            except docker.errors.NotFound:
                pass
            except docker.errors.APIError as cause:
                if "already in progress" not in str(cause):
                    raise


def _last_lines(raw: bytes, count: int) -> list[str]:
    """Return the last lines of a log, each cut to _MAX_LINE_CHARACTERS. An engine may send more than requested."""
    lines = raw[-_MAX_LOG_BYTES:].decode(errors="replace").splitlines()[-count:]
    return [line[:_MAX_LINE_CHARACTERS] for line in lines]


def _seconds(stamp: str) -> int:
    """Return the whole seconds since 1970 of an engine's timestamp, 2026-11-25T09:00:00.123456789Z."""
    try:
        return int(datetime.datetime.fromisoformat(stamp[:19] + "+00:00").timestamp())
    except ValueError as cause:
        raise EngineLost(f"reading its progress: invalid timestamp {one_line(stamp, 40)}") from cause
