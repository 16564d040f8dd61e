"""Workloads of .tflite files in the test's own process, and images with true boxes."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from edge_bench.bench.dataset.options import DataOptions
from edge_bench.bench.dataset.workload import Workload
from edge_bench.bench.interpretation.graphs.graph_model import stated_shapes
from edge_bench.bench.interpretation.graphs.graph_workload import graph_workload
from edge_bench.bench.interpretation.graphs.task import stated_task
from edge_bench.bench.models.model_files import ModelFiles
from edge_bench.bench.progress import Silent
from edge_bench.bench.records.run import Settings
from tests.made.graph.graph_models import BOX, LEVEL
from tests.made.graph.graph_sampler import open_in_process

__all__ = ["box_images", "opened", "workload"]


def opened(models: Sequence[Path], options: DataOptions) -> ModelFiles:
    """Return the files as ``run`` opens them."""
    stated = stated_task(options)
    return ModelFiles.open(
        models, 60, options.image_size, task=stated and stated.name, signature=options.signature,
        shapes=stated_shapes(options.shapes),
    )  # fmt: skip


def workload(*models: Path, limit: int | None = None, **options: Any) -> Workload:
    """Return the workload of models with these `DataOptions`."""
    stated = DataOptions(**options)
    files = opened(models, stated)
    return graph_workload(files, stated, Settings(limit=limit), Silent(), open_in_process(files))


def box_images(
    folder: Path, classes: Sequence[int], names: Sequence[str], *, first_id: int = 1, size: tuple[int, int] = (80, 40)
) -> tuple[Path, Path]:
    """Write an image for each class, in which `brightness_detector` finds its box; return its folder and COCO's file.

    Category ``names[i]`` has the id ``first_id`` + i.
    """
    folder.mkdir(parents=True)
    images, annotations = [], []
    width, height = size
    left, top, right, bottom = BOX
    box = [left * width, top * height, (right - left) * width, (bottom - top) * height]
    for number, each in enumerate(classes):
        name = f"{number:03}.png"
        Image.new("RGB", size, (each * LEVEL,) * 3).save(folder / name)
        images.append({"id": number, "file_name": name, "width": width, "height": height})
        annotations.append({"id": number, "image_id": number, "category_id": first_id + each, "bbox": box})
    categories = [{"id": first_id + number, "name": name} for number, name in enumerate(names)]
    path = folder.parent / f"{folder.name}.json"
    path.write_text(json.dumps({"images": images, "annotations": annotations, "categories": categories}))
    return folder, path
