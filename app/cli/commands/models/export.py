"""The command ``export``."""

import typer

from edge_bench.app.cli import parsing
from edge_bench.app.cli.options.models import (
    Calibration,
    ExportedModel,
    ExportedTask,
    ModelMemoryLimit,
    OutputName,
    Ranges,
    Shapes,
    SignatureName,
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
    task: ExportedTask = None,
    output_name: OutputName = None,
    signature: SignatureName = None,
    ranges: Ranges = None,
    shapes: Shapes = None,
    limit: Limit = None,
    seed: Seed = 42,
    timeout: Timeout = 600,
    memory_limit: ModelMemoryLimit = None,
    overwrite: Overwrite = False,
) -> None:
    """Export a Keras model, a SavedModel, resnet50 or mobilenetv2 as a bundle with every variant."""
    from edge_bench.app.cli import console
    from edge_bench.app.conversion.export_model import export_model
    from edge_bench.app.conversion.export_settings import ExportSettings
    from edge_bench.app.tables.models.training import export_summary

    settings = ExportSettings(
        weights=weights, calibration=calibration, limit=limit, seed=seed, timeout=timeout,
        memory_limit=parsing.memory(memory_limit), signature=signature or "", task=task, output_name=output_name,
        ranges=ranges or (), shapes=shapes or (),
    )  # fmt: skip
    exported = export_model(
        model, bundle, parsing.data_options(context), settings, console.progress(), overwrite=overwrite
    )
    console.print_text(export_summary(exported))
