"""Export of a Keras model, SavedModel or keras.applications model as a bundle with all variants.

Classifiers are exported here, other models by ``graph_export.py``.
"""

import datetime
import importlib.util
import shutil
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np

from edge_bench.app.conversion.bundle_files import versions, write_array, write_tflite
from edge_bench.app.conversion.convertible import ConvertibleModel, open_convertible, refuse_converted
from edge_bench.app.conversion.export_settings import CALIBRATION_EXAMPLES, ExportSettings
from edge_bench.app.conversion.graph_files import why_no_classifier
from edge_bench.app.conversion.graphs.graph_export import NO_SAVED_MODEL, write_graph_bundle
from edge_bench.app.conversion.graphs.true_values import EXPORTED_TASKS, TENSOR
from edge_bench.app.conversion.keras_applications import KERAS_APPLICATIONS
from edge_bench.app.conversion.ncnn.variant import NCNN, NcnnConversion
from edge_bench.app.conversion.precisions import PRECISIONS, Calibration
from edge_bench.bench.dataset.options import DataOptions
from edge_bench.bench.dataset.workload import Workload
from edge_bench.bench.errors import BadInput, EdgeBenchError
from edge_bench.bench.interpretation.files_workload import files_workload
from edge_bench.bench.io.disk_space import require_bundle_space, unwritable
from edge_bench.bench.io.files import write_atomically
from edge_bench.bench.io.locks import only_writer
from edge_bench.bench.io.npy import open_npy
from edge_bench.bench.io.record_codec import encode_record
from edge_bench.bench.models.model_files import ModelFiles
from edge_bench.bench.preprocessing.model_inputs import model_inputs
from edge_bench.bench.progress import Progress, Silent
from edge_bench.bench.records.bundle import MANIFEST, Bundle, refuse_links
from edge_bench.bench.records.manifest import DatasetInfo, Manifest, ModelInfo, Split, Variant
from edge_bench.bench.records.run import CLASSIFY, Settings
from edge_bench.bench.runtimes import RUNTIMES, why_not_installed
from edge_bench.bench.wording import counted

__all__ = ["export_model"]


def export_model(
    name: str,
    folder: Path,
    options: DataOptions,
    settings: ExportSettings,
    progress: Progress,
    *,
    overwrite: bool,
) -> Bundle:
    """Write all variants and the test set, then the manifest. Return the bundle as read back from disk.

    The int8 variant needs ``settings.calibration``. If the test set is random, random inputs are used instead.
    Variants that TensorFlow cannot convert are omitted with a note.
    """
    refuse_converted(name)
    if importlib.util.find_spec("tensorflow") is None:  # before a folder is created
        raise why_not_installed(RUNTIMES["tensorflow"])
    _create_folder(folder)
    with only_writer(folder):
        ncnn = NcnnConversion.prepared(settings.formats, progress, settings.timeout, settings.memory_limit)
        _remove_old_bundle(folder, overwrite=overwrite)
        progress.start("loading and converting", 2)
        progress.expect(None)  # the steps take different times
        with open_convertible(
            name, settings.weights, settings.timeout, signature=settings.signature, memory_limit=settings.memory_limit
        ) as source:
            require_bundle_space(folder, source.parameters or 0, 0)  # unknown for a SavedModel
            progress.advance(1, "loaded")
            task = _graph_task(source, settings)
            if ncnn and (task is not None or source.parameters is None):
                raise BadInput(
                    f"{source.name}: --to ncnn converts Keras models of image classifiers only", "omit --to ncnn"
                )
            if task is not None:
                return write_graph_bundle(source, task, folder, options, settings, progress)
            if settings.graph_options:
                raise BadInput(
                    f"{settings.graph_options[0]}: not for image classifiers",
                    f"use --task {TENSOR} to export the model without classes",
                )
            return _write_bundle(source, folder, options, settings, progress, ncnn)


def _graph_task(source: ConvertibleModel, settings: ExportSettings) -> str | None:
    """Return the task of a model to export as a graph; None for a classifier."""
    if settings.task and settings.task not in (CLASSIFY, *EXPORTED_TASKS):
        raise BadInput(
            f"--task {settings.task[:40]}: bundles cannot be exported for this task",
            f"use {', '.join([CLASSIFY, *EXPORTED_TASKS])}, or measure the model file with `edge-bench run`",
        )
    if settings.task not in (None, CLASSIFY):
        return settings.task
    reason = source.no_classifier
    if source.parameters is None:
        reason = why_no_classifier(source.convert("float32"))
    if reason and settings.task == CLASSIFY:
        raise BadInput(f"{source.name}: {reason}", f"choose another task: --task {' or '.join(EXPORTED_TASKS)}")
    return TENSOR if reason else None


def _write_bundle(
    source: ConvertibleModel,
    folder: Path,
    options: DataOptions,
    settings: ExportSettings,
    progress: Progress,
    ncnn: NcnnConversion | None,
) -> Bundle:
    if source.preprocess and not options.preprocess and options.scale is None and options.offset is None:
        options = replace(options, preprocess=source.preprocess)
    variants = [] if source.parameters is None else [source.write_keras(folder)]
    if source.parameters is None:
        progress.say(NO_SAVED_MODEL)
    variants.append(write_tflite(folder, "float32", source.convert("float32")))
    progress.advance(1, "float32")
    progress.finish()
    models = ModelFiles.open(
        [folder / variants[-1].file], settings.timeout, memory_limit=settings.memory_limit, task=CLASSIFY
    )
    workload = files_workload(models, options, _run_settings(settings), progress)
    pixels = open_npy(workload.shared.pixels)
    require_bundle_space(folder, models.parameters, len(workload.indices) * pixels[0].nbytes)
    calibration = _calibration_inputs(models, workload, options, settings, progress)
    smaller = [each for each in PRECISIONS if each != "float32"]
    progress.start("converting to smaller types", len(smaller) + (1 if ncnn else 0))
    progress.expect(None)  # the steps take different times
    for precision in smaller:
        if precision == "int8" and calibration is None:
            progress.say("no int8 variant: it needs --calibration with images")
            progress.advance(1)
            continue
        try:
            variants.append(write_tflite(folder, precision, source.convert(precision, calibration)))
        except EdgeBenchError as cause:
            progress.say(f"no {precision} variant: {cause.problem}")
        progress.advance(1, precision)
    if ncnn:
        images, step = pixels[workload.shared.rows], workload.shared.preprocessing
        variants.append(ncnn.write(source, variants[0], folder, images, step, progress))
        progress.advance(1, NCNN)
    manifest = _manifest(folder, source, settings, workload, variants, models.parameters)
    if ncnn:
        manifest = msgspec.structs.replace(manifest, versions=manifest.versions | ncnn.versions())
    write_atomically(folder / MANIFEST, encode_record(manifest))
    progress.finish(counted(len(variants), "variant"))
    return Bundle.open(folder)


def _create_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as cause:
        raise unwritable(folder, cause, "choose another --bundle", BadInput, what="cannot be created") from None


def _remove_old_bundle(folder: Path, *, overwrite: bool) -> None:
    if (folder / MANIFEST).exists() and not overwrite:
        raise BadInput(f"{folder}: contains a bundle already", "choose another --bundle, or use --overwrite")
    refuse_links(folder)
    try:
        (folder / MANIFEST).unlink(missing_ok=True)  # removed first: a folder without a manifest is no bundle
        for part in ("variants", "test", "training", "plots"):
            shutil.rmtree(folder / part, ignore_errors=True)
    except OSError as cause:
        raise unwritable(folder, cause, "choose another --bundle", BadInput) from None


def _calibration_inputs(
    models: ModelFiles,
    workload: Workload,
    options: DataOptions,
    settings: ExportSettings,
    progress: Progress,
) -> Calibration | None:
    """Return the calibration inputs of the int8 variant, float32 [n, …]; None if there are no images for it."""
    if settings.calibration is None:
        if options.data is not None:
            return None
        progress.say("the test set and the int8 calibration are random inputs: use this bundle for speed only")
        images = workload
    else:
        sample_options = replace(
            options, data=settings.calibration, labels=None, label_column=None, classes=None, label_names=None,
            class_order=None, label_offset=None, preprocess="raw", scale=None, offset=None, assume=True,
        )  # fmt: skip
        images = files_workload(models, sample_options, _run_settings(settings, CALIBRATION_EXAMPLES), Silent())
    pixels = open_npy(images.shared.pixels)[images.shared.rows]
    spec = models.variants[0].input
    if images.shared.input_shape:
        spec = msgspec.structs.replace(spec, shape=[1, *images.shared.input_shape])
    return model_inputs(pixels, workload.shared.preprocessing, spec).astype(np.float32)


def _run_settings(settings: ExportSettings, limit: int | None = None) -> Settings:
    return Settings(
        limit=limit or settings.limit,
        seed=settings.seed,
        timeout_s=settings.timeout,
        memory_limit=settings.memory_limit,
    )


def _manifest(
    folder: Path,
    source: ConvertibleModel,
    settings: ExportSettings,
    workload: Workload,
    variants: list[Variant],
    parameters: int,
) -> Manifest:
    pixels = open_npy(workload.shared.pixels)[workload.shared.rows]
    labels = workload.labels
    return Manifest(
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        dataset=DatasetInfo(
            name=workload.identity.dataset,
            sha256=workload.identity.dataset_sha256,
            classes=workload.identity.classes,
            note=workload.identity.note,
        ),
        split=Split(train=0, validation=0, test=len(pixels)),
        seed=settings.seed,
        model=ModelInfo(name=source.name, parameters=parameters if source.parameters is None else source.parameters),
        hyper_parameters={
            "exported from": source.name,
            **({"weights": settings.weights} if source.name in KERAS_APPLICATIONS else {}),
        },
        preprocessing=workload.shared.preprocessing,
        interpretations=list(workload.interpretations),
        versions=versions(),
        test_images=write_array(folder, "test/images.npy", pixels),
        test_labels=None if labels is None else write_array(folder, "test/labels.npy", labels.astype(np.uint16)),
        variants=variants,
        threshold=workload.shared.threshold,
    )
