"""The command ``export``."""

import typer

from edge_bench.app.cli import parsing
from edge_bench.app.cli.options.models import (
    Calibration,
    ExportedModel,
    ExportFormats,
    ModelMemoryLimit,
    Weights,
)
from edge_bench.app.cli.options.shared import (
    DEFAULT_BUNDLE,
    BundleFolder,
    Limit,
    Overwrite,
    Seed,
    Timeout,
)

__all__ = ["export"]


def export(
    context: typer.Context,
    model: ExportedModel,
    bundle: BundleFolder = DEFAULT_BUNDLE,
    weights: Weights = "imagenet",
    calibration: Calibration = None,
    to: ExportFormats = None,
    limit: Limit = None,
    seed: Seed = 42,
    timeout: Timeout = 600,
    memory_limit: ModelMemoryLimit = None,
    overwrite: Overwrite = False,
) -> None:
    """Convert a Keras model, SavedModel, resnet50 or mobilenetv2 to a bundle.

    The bundle has the float32, float16, dynamic and, with --calibration, int8 variants. --to ncnn adds one for ncnn.
    """
    from edge_bench.app.cli import console
    from edge_bench.app.conversion.export_model import export_model
    from edge_bench.app.conversion.export_settings import ExportSettings
    from edge_bench.app.tables.models.training import export_summary
    from edge_bench.bench.measure.options.values import names

    options = parsing.data_options(context)
    settings = ExportSettings(
        weights=weights, calibration=calibration, limit=limit, seed=seed, timeout=timeout,
        memory_limit=parsing.memory(memory_limit), signature=options.signature, task=options.task,
        output_name=options.output, ranges=options.ranges, shapes=options.shapes, formats=names(to),
    )  # fmt: skip
    exported = export_model(model, bundle, options, settings, console.progress(), overwrite=overwrite)
    console.print_text(export_summary(exported))
