"""A real server of a bundle for tests: ``edge-bench serve`` in a process of its own."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["Served", "served"]


class Served:
    """Where it is, and its process, to be killed perhaps."""

    def __init__(self, url: str, process: "subprocess.Popen[str]") -> None:
        self.url, self.process = url, process

    def kill(self) -> None:
        """As if its power were cut."""
        self.process.kill()
        self.process.wait()


@contextmanager
def served(bundle: Path, *options: str) -> Iterator[Served]:
    """Serves on a free port until the ``with`` ends."""
    command = [sys.executable, "-m", "edge_bench", "serve", str(bundle), "--port", "0", *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        said = []
        try:
            for line in process.stderr:
                said.append(line)
                if " is served on " in line:
                    yield Served(line.split()[-1], process)
                    return
            raise AssertionError("".join(said))
        finally:
            process.terminate()
            process.stderr.close()
