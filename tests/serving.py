"""``edge-bench serve`` or ``edge-bench dashboard`` in a separate process."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["Served", "served"]


class Served:
    """The URL and the process of a server."""

    def __init__(self, url: str, process: "subprocess.Popen[str]") -> None:
        self.url, self.process = url, process

    def kill(self) -> None:
        """Kill the server without a shutdown."""
        self.process.kill()
        self.process.wait()


@contextmanager
def served(served_path: Path, *options: str, command: str = "serve") -> Iterator[Served]:
    """Serve a bundle, or with the command ``dashboard`` a folder of Runs, on a free port until the ``with`` ends."""
    command_line = [sys.executable, "-m", "edge_bench", command, str(served_path), "--port", "0", *options]
    with subprocess.Popen(command_line, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        lines = []
        try:
            for line in process.stderr:
                lines.append(line)
                if url := re.search(r"https?://\S+:\d+$", line.rstrip()):
                    yield Served(url[0], process)
                    return
            raise AssertionError("".join(lines))
        finally:
            process.terminate()
            process.stderr.close()
