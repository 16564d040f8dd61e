"""Export of models as bundles."""

from pathlib import Path
from typing import Unpack

from edge_bench.api.keywords import DataKeywords, stated_data
from edge_bench.api.loading import AnyPath
from edge_bench.api.messages import progress_view

__all__ = ["export"]


def export(
    model: AnyPath,
    bundle: AnyPath = "artifacts/bundle",
    *,
    data: AnyPath | None = None,
    labels: AnyPath | None = None,
    task: str | None = None,
    weights: str = "imagenet",
    calibration: AnyPath | None = None,
    to: str | None = None,
    limit: int | None = None,
    seed: int = 42,
    timeout: float = 600,
    memory_limit: str | int | None = None,
    overwrite: bool = False,
    progress: bool = False,
    **data_options: Unpack[DataKeywords],
) -> Path:
    """Export a model with TensorFlow as a bundle with all variants; return the bundle's folder, for `edge_bench.run`.

    model: a .keras file, a SavedModel folder, resnet50 or mobilenetv2
    data, labels: the bundle's test set; None: random inputs, only for speed
    weights: for resnet50 and mobilenetv2: imagenet (downloaded), none (random), or a file
    calibration: images or an .npz that set the ranges of the int8 variant
    to: "ncnn" also writes ncnn's files, for image classifiers
    overwrite: replace the bundle in the folder
    All other keywords are options of ``edge-bench export --help``.

    Raise BadInput for a model, data or options that cannot be used, MissingDependency without TensorFlow.
    """
    from edge_bench.app.conversion.export_model import export_model
    from edge_bench.app.conversion.export_settings import ExportSettings
    from edge_bench.bench.interrupts import listening_to_ctrl_c
    from edge_bench.bench.measure.options.data import data_options as checked
    from edge_bench.bench.measure.options.settings import run_settings
    from edge_bench.bench.measure.options.values import names

    options = checked(stated_data(data_options, data=data, labels=labels, task=task))
    checked_settings = run_settings(limit=limit, seed=seed, timeout=timeout, scenario=None, memory_limit=memory_limit)
    settings = ExportSettings(
        weights=weights, calibration=None if calibration is None else Path(calibration), limit=limit, seed=seed,
        timeout=timeout, memory_limit=checked_settings.memory_limit, signature=options.signature, task=options.task,
        output_name=options.output, ranges=options.ranges, shapes=options.shapes, formats=names(to),
    )  # fmt: skip
    with listening_to_ctrl_c():
        return export_model(
            str(model), Path(bundle), options, settings, progress_view(shown=progress), overwrite=overwrite
        ).folder
