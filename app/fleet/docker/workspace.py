"""What a fleet command has at one engine: volumes and hardened containers with its label, and nothing else.

Copying goes through containers of the same image that are never started, so no other image is needed there.
"""

import datetime
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from edge_bench.app.fleet.docker.container import LABEL, PLACES, ROLE, WORKSPACE, ContainerExit, FreeSpace
from edge_bench.app.fleet.docker.engine import SLOW_SECONDS, Engine
from edge_bench.app.fleet.docker.errors import EngineLost, EngineTrouble, one_line
from edge_bench.app.fleet.docker.images import OnBytes
from edge_bench.app.fleet.docker.transfer import SUMS, checksums, files_in, packed, unpacked

__all__ = ["Workspace"]
_CHUNK = 1 << 20
_CHECK = """cd "$0" && sha256sum --check --quiet --strict "../$1" >&2 && test "$(find . -type f | wc -l)" = "$2" \
&& df -Pk /results | awk 'NR == 2 { print "disk", $4 }' && awk '/MemAvailable/ { print "memory", $2 }' /proc/meminfo"""
#: A machine's kernel, QEMU and the C library say nothing that has to be read beyond that.
_LAST_LINES = 20


class Workspace:
    """One fleet command at one engine."""

    def __init__(self, engine: Engine, fleet: str, image: str) -> None:
        """fleet: the command's id; image: its name there, as ``ensure_image`` gave it."""
        self.engine, self.fleet, self.image = engine, fleet, image
        self.key = f"{fleet}-{engine.name}"

    def copy_in(
        self, folder: Path, volume: str, name: str, on_bytes: OnBytes, leave_out: Sequence[str] = ()
    ) -> tuple[int, FreeSpace]:
        """Copies a folder into the volume as ``name`` and has every checksum checked there.

        The bytes that were sent, and the room that the machine has. EngineTrouble where one is not right.
        """
        files = files_in(folder, leave_out)
        sums = checksums(folder, files)
        place = PLACES[volume]
        sent = 0

        def chunks(archive: Any) -> Any:
            nonlocal sent
            while chunk := archive.read(_CHUNK):
                on_bytes(0)
                yield chunk
                sent += len(chunk)
                on_bytes(len(chunk))

        container = self._create("copy", ["true"], volumes={volume: "rw"})
        try:
            with packed(folder, files, name, sums) as archive, self.engine.trouble("copying"):
                self.engine.patient.api.put_archive(container.id, place, chunks(archive))
        finally:
            self._remove(container)
        return sent, self.check(volume, name, len(files))

    def check(self, volume: str, name: str, count: int) -> FreeSpace:
        """Has the checksums of a copy of so many files checked there; EngineTrouble where one is not right."""
        arguments = ["-c", _CHECK, f"{PLACES[volume]}/{name}", SUMS, str(count)]
        # where results will be is what has to have room
        container = self._create("check", arguments, volumes={volume: "ro", "results": "rw"}, entrypoint="sh")
        try:
            with self.engine.trouble("checking the copy"):
                container.start()
                code = int(self.engine.client.api.wait(container.id, timeout=SLOW_SECONDS)["StatusCode"])
                said = container.logs(stdout=True, stderr=False, tail=_LAST_LINES).decode(errors="replace")
                if code:
                    why = one_line(container.logs(stdout=False, stderr=True, tail=2).decode(errors="replace"))
                    hint = "its platform cannot be run there: install QEMU's emulation" if "exec format" in why else ""
                    raise EngineTrouble(f"checking the copy: {why or f'exit code {code}'}", hint)
        finally:
            self._remove(container)
        stated = {word: int(number) * 1024 for word, number in re.findall(r"^(disk|memory) (\d+)$", said, re.MULTILINE)}
        return FreeSpace(disk_bytes=stated.get("disk", 0), memory_bytes=stated.get("memory", 0))

    def start(
        self,
        role: str,
        command: Sequence[str],
        *,
        volumes: Mapping[str, str],
        **more: Any,
    ) -> Any:
        """Starts a hardened container: no network, no capabilities, nothing to write but its volumes and /tmp.

        volumes: role → ro or rw. ``more``: environment, network, and what the SDK's create takes.
        """
        container = self._create(role, command, volumes=volumes, **more)
        with self.engine.trouble("starting"):
            try:
                container.start()
            except BaseException:
                self._remove(container)
                raise
        return container

    def find(self, role: str) -> Any | None:
        """The container of that role; None where there is none."""
        with self.engine.trouble("looking around"):
            filters = {"label": [f"{WORKSPACE}={self.key}", f"{ROLE}={role}"]}
            found = self.engine.client.containers.list(all=True, filters=filters)
        return found[0] if found else None

    def adopt_container(self, role: str) -> Any | None:
        """What an earlier command has left: its container of that role, if it still runs or has ended well.

        One that ended before its time is removed, and so are those that only copied.
        """
        with self.engine.trouble("looking around"):
            filters = {"label": f"{WORKSPACE}={self.key}"}
            kept = None
            for container in self.engine.client.containers.list(all=True, filters=filters):
                state = container.attrs["State"]
                well = state.get("Running") or (state.get("Status") == "exited" and not state.get("ExitCode"))
                if container.labels.get(ROLE) == role and well:
                    kept = container
                else:
                    self._remove(container)
        return kept

    def container_of_service(self, service: str) -> Any | None:
        """A swarm service's running container on this engine; None where there is none (yet)."""
        with self.engine.trouble("looking for the collector"):
            filters = {"label": f"com.docker.swarm.service.id={service}"}
            found = self.engine.client.containers.list(filters=filters)
        return found[0] if found else None

    def follow(self, container: Any, on_line: Callable[[str], None], look_seconds: float = 10) -> ContainerExit:
        """Waits until the container has ended, and hands over what it says on stderr now and then.

        Between two looks the machine is left alone, so that nothing of ours runs there while it measures.
        EngineLost where the engine no longer answers: the container may go on.
        """
        import docker.errors
        import requests.exceptions

        api = self.engine.another_client(look_seconds).api
        since = ""
        while True:
            over = False
            with self.engine.trouble("waiting"):
                try:
                    api.wait(container.id, timeout=look_seconds)
                    over = True
                except requests.exceptions.ReadTimeout:
                    pass
                except requests.exceptions.ConnectionError as cause:
                    if "timed out" not in str(cause).lower():
                        raise
                except docker.errors.NotFound:
                    raise EngineTrouble(
                        "its container was removed by someone else", "start again with --resume"
                    ) from None
            since = self.new_lines(container, since, on_line, _LAST_LINES)
            if over:
                return self._ended(container)

    def new_lines(self, container: Any, since: str, on_line: Callable[[str], None], most: int | str = "all") -> str:
        """Hands over what was said on stderr after ``since``, the newest ``most`` lines; the time of the last one."""
        with self.engine.trouble("reading its progress"):
            after = _seconds(since) if since else None
            raw = container.logs(stdout=False, stderr=True, timestamps=True, tail=most, since=after)
        for line in raw.decode(errors="replace").splitlines():
            stamp, _, text = line.partition(" ")
            if stamp > since:
                since = stamp
                on_line(one_line(text))
        return since

    def _ended(self, container: Any) -> ContainerExit:
        with self.engine.trouble("asking how it ended"):
            container.reload()
            state = container.attrs["State"]
            said = container.logs(stdout=False, stderr=True, tail=_LAST_LINES).decode(errors="replace").splitlines()
        words = next((line for line in said if line.startswith("error:")), said[-1] if said else "")
        return ContainerExit(
            code=int(state.get("ExitCode", -1)),
            out_of_memory=bool(state.get("OOMKilled")),
            last_words=one_line(words.removeprefix("error:")),
        )

    def stop(self, container: Any, seconds: int = 10) -> None:
        """As `docker stop`: it may end in good order for so long."""
        with self.engine.trouble("stopping"):
            container.stop(timeout=seconds)

    def fetch(
        self, volume: str, name: str, to: Path, wanted: re.Pattern[str], most: int, on_bytes: OnBytes
    ) -> list[Path]:
        """Plain files of the volume's folder ``name`` ("." for all of it) whose path ``wanted`` matches, below ``to``.

        Paths begin with the folder's own name; together they are at most ``most`` bytes.
        """
        container = self._create("fetch", ["true"], volumes={volume: "ro"})
        try:
            with self.engine.trouble("fetching"):
                path = PLACES[volume] if name == "." else f"{PLACES[volume]}/{name}"
                stream, _ = self.engine.patient.api.get_archive(container.id, path, _CHUNK)
                return unpacked(stream, to, wanted, most, on_bytes)
        finally:
            self._remove(container)

    def clean_up(self, *, keep_volumes: bool = False, remove_image: bool = False) -> None:
        """Removes every container and volume with this workplace's label; EngineTrouble where one stays."""
        label = {"label": f"{WORKSPACE}={self.key}"}
        with self.engine.trouble("cleaning up"):
            for container in self.engine.client.containers.list(all=True, filters=label):
                self._remove(container)
            if not keep_volumes:
                for volume in self.engine.client.volumes.list(filters=label):
                    volume.remove(force=True)
            if remove_image and self.image:
                self.engine.client.images.remove(self.image)

    def _create(
        self,
        role: str,
        command: Sequence[str],
        *,
        volumes: Mapping[str, str],
        environment: Mapping[str, str] | None = None,
        network: str = "none",
        **more: Any,
    ) -> Any:
        """A hardened container, not started."""
        from docker.types import Mount

        labels = self._labels(role)
        # an empty volume takes over what the image has there: the results' open folder, but no bundle of its own
        mounts = [
            Mount(PLACES[name], self.volume(name), type="volume", read_only=mode == "ro", no_copy=name == "artifacts")
            for name, mode in volumes.items()
        ]
        setting = self.engine.setting
        if setting.memory:
            more.setdefault("mem_limit", setting.memory)
        with self.engine.trouble("creating a container"):
            return self.engine.client.containers.create(
                self.image, list(command),
                name=f"edge-bench-{role}-{self.key}", hostname=self.engine.name, labels=labels, mounts=mounts,
                environment=dict(environment or {}), network_mode=network,
                platform=self.engine.platform if self.engine.emulates else None,
                read_only=True, cap_drop=["ALL"], security_opt=["no-new-privileges:true"], tmpfs={"/tmp": ""},  # noqa: S108
                pids_limit=1024, **more,
            )  # fmt: skip

    def volume(self, role: str) -> str:
        """The name of the volume of that role, which is there now."""
        name = f"edge-bench-{role}-{self.key}"
        with self.engine.trouble("creating a volume"):
            self.engine.client.volumes.create(name, labels=self._labels(role))
        return name

    def _labels(self, role: str) -> dict[str, str]:
        return {LABEL: self.fleet, WORKSPACE: self.key, ROLE: role}

    def _remove(self, container: Any) -> None:
        """With its anonymous volumes; one that is gone already is no trouble."""
        import docker.errors

        with self.engine.trouble("removing a container"):
            try:
                container.remove(v=True, force=True)
            except docker.errors.NotFound:
                pass
            except docker.errors.APIError as cause:
                if "already in progress" not in str(cause):
                    raise


def _seconds(stamp: str) -> int:
    """The whole second of an engine's timestamp, 2026-11-25T09:00:00.123456789Z."""
    try:
        return int(datetime.datetime.fromisoformat(stamp[:19] + "+00:00").timestamp())
    except ValueError as cause:
        raise EngineLost(f"reading its progress: not a time: {one_line(stamp, 40)}") from cause
