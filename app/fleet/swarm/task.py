"""What a node's task does: fetch the bundle, run, hand the Run over until it is acknowledged."""

import hashlib
import http.client
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from edge_bench.app.fleet.docker.transfer import unpacked
from edge_bench.app.fleet.swarm.collector import SHA256
from edge_bench.bench.errors import EdgeBenchError

__all__ = ["CollectorClient"]

Answer = TypeVar("Answer")
_CHUNK = 1 << 20
_ANSWER_SECONDS = 60.0
#: Between two tries, doubled each time up to the last.
_PAUSES = (0.5, 30.0)


class CollectorClient:
    """Speaks with one collector in the name of one node."""

    def __init__(self, host: str, port: int, node: str, token: str, reconnect_timeout: float = 600) -> None:
        """patience: seconds for which a collector that does not answer is asked again."""
        self._host, self._port, self._node, self._token = host, port, node, token
        self._patience = reconnect_timeout

    def measure(self, artifacts: Path, results: Path, options: Sequence[str]) -> list[Path]:
        """All of it; the Runs that the collector has now. EdgeBenchError with what went wrong."""
        bundle = self.fetch_bundle(artifacts)
        command = [sys.executable, "-m", "edge_bench", "run", str(bundle), "--results", str(results), *options]
        code, last = self.run(command)
        runs = sorted(results.glob("run-*.json"))
        if code or not runs:
            raise EdgeBenchError(last or f"run ended with exit code {code}")
        for path in runs:
            self.upload_run(path)
        return runs

    def fetch_bundle(self, folder: Path) -> Path:
        """The bundle as a folder in ``folder``, whole and as the collector has it."""
        archive = folder / ".bundle.tar"
        self._until(lambda: self._download(archive), "the bundle")
        with archive.open("rb") as file:
            chunks = iter(lambda: file.read(_CHUNK), b"")
            unpacked(chunks, folder, re.compile(r"bundle/.+"), archive.stat().st_size, lambda _: None)
        archive.unlink()
        return folder / "bundle"

    def run(self, command: Sequence[str]) -> tuple[int, str]:
        """Runs it, what it says on stderr passed on here and there; its exit code, and its error in one line."""
        error = ""
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr is not None  # noqa: S101 - a pipe was asked for
            for line in process.stderr:
                sys.stderr.write(line)
                sys.stderr.flush()
                self.report_status(line)
                if line.startswith("error:"):
                    error = line.removeprefix("error:").strip()
            return process.wait(), error

    def upload_run(self, run: Path) -> None:
        """Sends a Run until the collector says that it has it, whole and on disk."""
        data = run.read_bytes()
        digest = hashlib.sha256(data).hexdigest()

        def send() -> None:
            status, said = self._put(f"/runs/{self._node}", data, digest)
            if (status, said) != (201, digest):
                raise OSError(f"the collector answered {status}")

        self._until(send, "the Run")

    def report_status(self, line: str) -> None:
        """A line for whoever watches; one that is lost is lost."""
        try:
            self._put(f"/progress/{self._node}", line.strip().encode()[:300], "", seconds=5)
        except (OSError, http.client.HTTPException):
            return

    def _download(self, archive: Path) -> None:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=_ANSWER_SECONDS)
        try:
            connection.request("GET", "/bundle.tar", headers=self._headers())
            answer = connection.getresponse()
            if answer.status != 200:
                raise OSError(f"the collector answered {answer.status}")
            digest = hashlib.sha256()
            with archive.open("wb") as file:
                while chunk := answer.read(_CHUNK):
                    digest.update(chunk)
                    file.write(chunk)
            if digest.hexdigest() != answer.headers.get(SHA256):
                raise OSError("the bundle's checksum is not the collector's")
        finally:
            connection.close()

    def _put(self, path: str, data: bytes, digest: str, seconds: float = _ANSWER_SECONDS) -> tuple[int, str]:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=seconds)
        try:
            connection.request("PUT", path, data, self._headers() | {SHA256: digest})
            answer = connection.getresponse()
            return answer.status, answer.read(200).decode(errors="replace")
        finally:
            connection.close()

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"}

    def _until(self, work: Callable[[], Answer], what: str) -> Answer:
        """Tries it until it works; EdgeBenchError where patience ends first."""
        deadline, pause = time.monotonic() + self._patience, _PAUSES[0]
        while True:
            try:
                return work()
            except (OSError, http.client.HTTPException, socket.gaierror) as cause:
                if time.monotonic() + pause > deadline:
                    raise EdgeBenchError(
                        f"{what}: no way to the collector: {cause}", "is its service running?"
                    ) from None
            time.sleep(pause)
            pause = min(2 * pause, _PAUSES[1])
