"""Disagreements of Runs of tasks, with images that are made for them."""

import base64
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from edge_bench.app.report.bundle_section import bundle_sections
from edge_bench.app.report.pictures.task_disagreements import task_disagreements
from edge_bench.bench.records.run import Run

__all__ = ["HOSTILE", "decoded", "photos", "shown"]

HOSTILE = '<script>alert(1)</script>"><img src=http://x>'


def photos(folder: Path, sizes: Sequence[tuple[int, int]]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number, size in enumerate(sizes):
        Image.new("RGB", size, (40 * number, 90, 120)).save(folder / f"{number}.png")
    return folder


def shown(*runs: Run, data: Path | None = None) -> str:
    """What the page says about the disagreements of these Runs."""
    (section,) = bundle_sections(list(runs), [], data=[data] if data else [])
    return str(task_disagreements(section))


def decoded(address: str) -> npt.NDArray[Any]:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(address.partition("base64,")[2]))).convert("RGB"))
