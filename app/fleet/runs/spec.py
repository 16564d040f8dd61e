"""The benchmark that a fleet command runs on every engine."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_bench.app.fleet.docker.images import ImageSource
from edge_bench.app.render.text.terminal import UNWRAPPED
from edge_bench.bench.records.bundle import Bundle

__all__ = ["ENVIRONMENT", "RUNS", "UPLOAD_EXCLUDES", "FleetJobSpec", "is_announcement", "parse_progress"]

#: A folder in the results' volume. Journals can be copied there as a folder, unlike to the volume's root.
RUNS = "runs"
#: Folders of a bundle that no benchmark needs.
UPLOAD_EXCLUDES = ("training", "plots")
_PROGRESS = re.compile(r"(?P<what>[\w ]+): (?P<done>[0-9]{1,9})/(?P<steps>[0-9]{1,9})(?P<note>.*)")
#: For the measuring container: `run` compares with no other Run, and the default budget of the image does not apply, so
#: that all engines do the same work.
ENVIRONMENT = {"EDGE_BENCH_COMPARE_WITH": "", "EDGE_BENCH_DEFAULT_BUDGET": ""}
ENVIRONMENT |= UNWRAPPED  # messages are read line by line


@dataclass(frozen=True)
class FleetJobSpec:
    """The bundle and the options, the same for every engine."""

    bundle: Bundle
    options: Sequence[str]  # of `run` or `calibrate`, as typed
    settings: dict[str, Any]  # the values of the given options
    results: Path
    source: ImageSource
    timeout: float = 30  # timeout of an engine's response, in seconds
    connect_timeout: float = 0  # for which an engine that does not answer is asked again, in seconds
    reconnect_timeout: float = 60  # until an engine that stopped answering counts as lost, in seconds
    poll_seconds: float = 10  # between two requests to an engine that is measuring
    min_memory: int = 0  # bytes
    min_disk: int = 0  # bytes
    keep: bool = False  # containers and volumes
    remove_image: bool = False
    calibrates: bool = False  # the bundle has the calibration networks

    @property
    def command(self) -> list[str]:
        """The container's command, which resumes an unfinished run and reuses a finished one.

        The device file of a calibration is made from the Run by this command, so that of the container is not kept.
        """
        what = ["run", "/artifacts/bundle"]
        if self.calibrates:
            what = ["calibrate", "--bundle", "/artifacts/bundle", "--output", "/tmp/device.toml"]  # noqa: S108
        return [*what, "--results", f"/results/{RUNS}", *self.options, "--once", "--resume"]


def parse_progress(line: str) -> tuple[str, int, int, str] | None:
    """Return activity, steps done, steps in total and note of a progress line; None for other lines."""
    if match := _PROGRESS.match(line):
        return match["what"], int(match["done"]), int(match["steps"]), match["note"].lstrip(",: ")
    return None


def is_announcement(line: str) -> bool:
    """Return whether a line of `run` is about the whole run: its duration or its limits."""
    return line.startswith(("!", "EMULATED", "about ", "--budget"))
