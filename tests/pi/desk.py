"""The PC of the README's chapter: a folder with the clone, in which commands are executed one by one, and timed."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.command_line import REPOSITORY, clean_environment
from tests.docs.pages import Block, without_comments
from tools.emulated_pi.machine import HOST, USER, EmulatedPi

__all__ = ["PI", "Desk", "Step", "commands_of"]

PI = f"{USER}@{HOST}"
_ASSIGNMENT = re.compile(r"([A-Z_]+)=(\S+)(\s+#.*)?")
#: Bytes that the network device of the Pi has received and sent.
_NETWORK = "cat /sys/class/net/e*/statistics/[rt]x_bytes"


@dataclass(frozen=True)
class Step:
    """A command that was executed."""

    command: str
    seconds: float
    code: int
    stdout: str
    stderr: str
    received: int = 0  # bytes that the Pi received meanwhile
    sent: int = 0
    load: float = 0  # programs that wanted to compute on this machine, on average in the last minute

    @property
    def row(self) -> str:
        """A row of the table in docs/raspberry-pi.md."""
        network = f"{self.received / 1e6:.1f} MB to the Pi, {self.sent / 1e6:.2f} MB back"
        return f"| `{self.command.splitlines()[0]}` | {self.seconds:.1f} s | {network} | {self.load:.1f} |"


@dataclass
class Desk:
    """A clone with the changes of this one, and a shell that knows the emulated Pi by its name."""

    folder: Path
    pi: EmulatedPi  # as it was started last
    variables: dict[str, str] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)

    @property
    def log(self) -> Path:
        """The commands so far, and what they wrote: the tests show nothing for half an hour."""
        return self.pi.folder / "steps.log"

    def prepare(self) -> None:
        """Clone the repository with its changes, and write the program ``edge-bench``."""
        self.log.unlink(missing_ok=True)
        git: list[str | Path] = ["git", "-C", self.folder]
        subprocess.run(["git", "clone", "--quiet", "--shared", "--no-checkout", REPOSITORY, self.folder], check=True)
        names = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=REPOSITORY, capture_output=True, check=True,
        ).stdout  # fmt: skip
        subprocess.run(
            ["tar", "--create", "--null", "--verbatim-files-from", "--files-from=-", f"--file={self.folder}/clone.tar"],
            input=b"\0".join(each for each in names.split(b"\0") if each and (REPOSITORY / os.fsdecode(each)).exists()),
            cwd=REPOSITORY, check=True,
        )  # fmt: skip
        subprocess.run(["tar", "--extract", "--file=clone.tar"], cwd=self.folder, check=True)
        (self.folder / "clone.tar").unlink()
        subprocess.run([*git, "reset", "--quiet"], check=True)  # the image's revision is that of the files
        programs = self.folder / ".bin"
        programs.mkdir()
        (programs / "edge-bench").write_text(f'#!/bin/sh\nexec {sys.executable} -m edge_bench "$@"\n')
        (programs / "edge-bench").chmod(0o755)

    def environment(self) -> dict[str, str]:
        """The environment of commands: real durations, and the programs of the chapter."""
        path = [self.folder / ".bin", self.pi.programs, Path(sys.executable).parent, os.environ["PATH"]]
        clean = clean_environment(self.folder / ".home")
        real = {name: value for name, value in clean.items() if not name.startswith("EDGE_BENCH_")}
        own = {"EDGE_BENCH_CACHE": str(self.folder / ".cache"), "EDGE_BENCH_RUNTIME_DIR": str(self.folder)}
        return {**real, **own, "PATH": os.pathsep.join(map(str, path)), **self.variables}

    def run(self, command: str, *, timeout: float = 1800, network: bool = False) -> Step:
        """Execute a command with bash; ``network``: count the bytes to and from the Pi."""
        before = self._network() if network else (0, 0)
        start = time.monotonic()
        done = subprocess.run(
            ["bash", "-c", f"set -o pipefail; {command}"], cwd=self.folder, env=self.environment(),
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout, check=False,
        )  # fmt: skip
        seconds = time.monotonic() - start
        after = self._network() if network else (0, 0)
        step = Step(
            command, seconds, done.returncode, done.stdout, done.stderr, after[0] - before[0], after[1] - before[1],
            os.getloadavg()[0],
        )  # fmt: skip
        self.steps.append(step)
        with self.log.open("a") as log:
            log.write(f"{time.strftime('%H:%M:%S')} {step.row} exit code {step.code}\n{step.stdout}{step.stderr}\n")
        return step

    def start(self, command: str) -> "subprocess.Popen[str]":
        """Start a command, whose output is read from a pipe."""
        return subprocess.Popen(
            ["bash", "-c", command], cwd=self.folder, env=self.environment(), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
        )  # fmt: skip

    def machine(self, **properties: object) -> EmulatedPi:
        """Return the Pi, running with these properties and no others; restart it only if it has not."""
        wanted = replace(EmulatedPi(self.pi.folder, self.pi.name, self.pi.port), **properties)  # type: ignore[arg-type]
        if wanted != self.pi or not wanted.process_id():
            self.pi.shut_down()
            self.pi = wanted
            start = time.monotonic()
            wanted.start()
            with self.log.open("a") as log:
                log.write(f"started in {time.monotonic() - start:.0f} s: {properties}, load {os.getloadavg()[0]:.1f}\n")
        return wanted

    def walk(self, blocks: Sequence[Block]) -> Iterator[Step]:
        """Execute the commands of blocks one by one, word for word; skip those that were executed before."""
        for block in blocks:
            for command in commands_of(block):
                if assignment := _ASSIGNMENT.fullmatch(command):
                    self.variables[assignment[1]] = assignment[2]
                elif command not in {step.command for step in self.steps}:
                    yield self.run(command, network=True)

    def _network(self) -> tuple[int, int]:
        received, sent = map(int, self.pi.ssh(_NETWORK).stdout.split())
        return received, sent


def commands_of(block: Block) -> list[str]:
    """Return the commands of a block without comments, one per line or per lines that end in a backslash."""
    lines = without_comments(block.text).replace("\\\n", " ").splitlines()
    return [re.sub(r"\s+", " ", line).strip() for line in lines if line.strip()]
