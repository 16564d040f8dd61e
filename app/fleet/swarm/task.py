"""The task of a swarm node: fetch the bundle, run the benchmark, and upload the Run until it is acknowledged."""

import hashlib
import http.client
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from edge_bench.app.fleet.docker.transfer import CHUNK_BYTES, unpacked
from edge_bench.app.fleet.swarm.collector import MAX_LINE_BYTES, SHA256
from edge_bench.app.render.escaping import visible
from edge_bench.app.render.text.terminal import UNWRAPPED
from edge_bench.bench.errors import EdgeBenchError
from edge_bench.bench.io.python_process import module_command, module_environment

__all__ = ["CollectorClient"]

_RESPONSE_SECONDS = 60.0
_STATUS_SECONDS = 5.0
#: Limit on the files of a bundle. It is high, because the bundle comes from the user's own machine.
_MAX_HEADERS = 1_000_000
#: First and longest pause between two attempts, in seconds. Each pause is twice the previous one.
_PAUSES = (0.5, 30.0)


class CollectorClient:
    """A client of one collector for one node."""

    def __init__(self, host: str, port: int, node: str, token: str, reconnect_timeout: float = 600) -> None:
        """reconnect_timeout: seconds for which a failed request is repeated."""
        self._host, self._port, self._node, self._token = host, port, node, token
        self._reconnect_timeout = reconnect_timeout

    def measure(self, artifacts: Path, results: Path, options: Sequence[str]) -> list[Path]:
        """Do the whole task, and return the uploaded Runs. Raise EdgeBenchError if it fails."""
        bundle = self.fetch_bundle(artifacts)
        command = [*module_command("edge_bench"), "run", str(bundle), "--results", str(results), *options]
        code, error = self.run(command)
        runs = sorted(results.glob("run-*.json"))
        if code or not runs:
            raise EdgeBenchError(error or f"run ended with exit code {code}")
        for path in runs:
            self.upload_run(path)
        return runs

    def fetch_bundle(self, folder: Path) -> Path:
        """Download the bundle into a new folder in ``folder``, verify its checksum, and return its path.

        The new folder is necessary because the image may contain a bundle, and Docker copies it into a new volume.
        """
        folder = Path(tempfile.mkdtemp(prefix="fetched-", dir=folder))
        archive = folder / ".bundle.tar"
        self._retry(lambda: self._download(archive), "the bundle")
        with archive.open("rb") as file:
            chunks = iter(lambda: file.read(CHUNK_BYTES), b"")
            size = archive.stat().st_size
            unpacked(chunks, folder, re.compile(r"bundle/.+"), size, lambda _: None, max_headers=_MAX_HEADERS)
        archive.unlink()
        return folder / "bundle"

    def run(self, command: Sequence[str]) -> tuple[int, str]:
        """Run a command, forward its stderr to stderr and the collector, and return its exit code and error line."""
        error = ""
        with subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="backslashreplace",
            env=module_environment() | UNWRAPPED,
        ) as process:
            assert process.stderr is not None  # noqa: S101 - a pipe was requested
            for line in process.stderr:
                sys.stderr.write(visible(line))
                sys.stderr.flush()
                self.report_status(line)
                if line.startswith("error:"):
                    error = line.removeprefix("error:").strip()
            return process.wait(), error

    def upload_run(self, run: Path) -> None:
        """Send a Run until the collector acknowledges that it is complete and on disk."""
        data = run.read_bytes()
        digest = hashlib.sha256(data).hexdigest()

        def upload() -> None:
            status, answer = self._put(f"/runs/{self._node}", data, digest)
            if (status, answer) != (201, digest):
                raise _refusal(status)

        self._retry(upload, "the Run")

    def report_status(self, line: str) -> None:
        """Send a progress line once. A lost line is not repeated."""
        try:
            self._put(f"/progress/{self._node}", line.strip().encode()[:MAX_LINE_BYTES], "", _STATUS_SECONDS)
        except (OSError, http.client.HTTPException):
            return

    def _download(self, archive: Path) -> None:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=_RESPONSE_SECONDS)
        try:
            connection.request("GET", "/bundle.tar", headers=self._headers())
            response = connection.getresponse()
            if response.status != 200:
                raise _refusal(response.status)
            digest = hashlib.sha256()
            with archive.open("wb") as file:
                while chunk := response.read(CHUNK_BYTES):
                    digest.update(chunk)
                    file.write(chunk)
            if digest.hexdigest() != response.headers.get(SHA256):
                raise OSError("the bundle's checksum differs from the collector's")
        finally:
            connection.close()

    def _put(self, path: str, data: bytes, digest: str, timeout: float = _RESPONSE_SECONDS) -> tuple[int, str]:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=timeout)
        try:
            connection.request("PUT", path, data, self._headers() | {SHA256: digest})
            response = connection.getresponse()
            return response.status, response.read(200).decode(errors="replace")
        finally:
            connection.close()

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"}

    def _retry(self, request: Callable[[], None], what: str) -> None:
        """Repeat a request until it succeeds. Raise EdgeBenchError after ``reconnect_timeout`` seconds."""
        deadline, pause = time.monotonic() + self._reconnect_timeout, _PAUSES[0]
        while True:
            try:
                request()
                return
            except (OSError, http.client.HTTPException) as cause:  # an unknown host name is an OSError, too
                if time.monotonic() + pause > deadline:
                    raise EdgeBenchError(
                        f"{what}: the collector cannot be reached: {cause}", "check that its service is running"
                    ) from None
            time.sleep(pause)
            pause = min(2 * pause, _PAUSES[1])


def _refusal(status: int) -> OSError:
    return OSError(f"the collector responded with status {status}")
