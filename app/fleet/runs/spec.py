"""What is asked of every engine of a fleet."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_bench.app.fleet.docker.images import ImageSource
from edge_bench.bench.records.bundle import Bundle

__all__ = ["ENVIRONMENT", "PROGRESS", "RUNS", "UPLOAD_EXCLUDES", "FleetJobSpec", "run_command"]

#: Below the volume's top, so that a folder can be copied there, too.
RUNS = "runs"
#: What a bundle's folder holds that no benchmark needs.
UPLOAD_EXCLUDES = ("training", "plots")
PROGRESS = re.compile(r"(?P<what>[\w ]+): (?P<done>\d+)/(?P<steps>\d+)(?P<note>.*)")
#: Of the container that measures: the Raspberry Pi 4's core where QEMU is at work, and no comparison there.
ENVIRONMENT = {"QEMU_CPU": "cortex-a72", "EDGE_BENCH_COMPARE_WITH": ""}


@dataclass(frozen=True)
class FleetJobSpec:
    """The same for every engine."""

    bundle: Bundle
    options: Sequence[str]  # of `run`, as typed
    settings: dict[str, Any]  # the same as values, where they were stated
    results: Path
    source: ImageSource
    timeout: float = 30  # seconds for an answer
    reconnect_timeout: float = 60  # seconds for an engine that was there to come back
    look_seconds: float = 10  # between two looks at a run
    min_memory: int = 0
    min_disk: int = 0
    keep: bool = False
    remove_image: bool = False


def run_command(options: Sequence[str]) -> list[str]:
    """What is called in the container: goes on with what is there, and does nothing twice."""
    return ["run", "/artifacts/bundle", "--results", f"/results/{RUNS}", *options, "--once", "--resume"]
