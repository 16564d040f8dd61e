"""Folders of .wav files by class as examples of classifiers."""

import dataclasses

import numpy as np

from edge_bench.bench.dataset.arrays import Arrays
from edge_bench.bench.dataset.listing.walk import find_images
from edge_bench.bench.dataset.load import Examples
from edge_bench.bench.dataset.options import DataOptions
from edge_bench.bench.dataset.sampling import draw_evenly
from edge_bench.bench.errors import BadInput
from edge_bench.bench.inputs.sounds import SUFFIXES, list_sounds, load_sounds
from edge_bench.bench.inputs.specs import InputSpec
from edge_bench.bench.io.names import recordable
from edge_bench.bench.io.npy import open_npy
from edge_bench.bench.models.model_files import ModelFiles

__all__ = ["sound_classes"]


def sound_classes(models: ModelFiles, options: DataOptions, limit: int | None, seed: int) -> Examples | None:
    """Return the sounds of ``options.data``, whose subfolders are the classes; None if it is not a folder of sounds.

    Sounds are float32, -1 to 1. A quantized model's inputs are converted from these. Raise DatasetError for files that
    do not fit, BadInput if the models take no sounds, or if the sampling rate is unknown.
    """
    folder = options.data
    if folder is None or not folder.is_dir() or find_images(folder).files or not find_images(folder, SUFFIXES).files:
        return None
    if options.labels is not None:
        raise BadInput("--labels is not supported for classes of sounds", "put the sounds in one folder per class")
    listed = list_sounds(folder)
    labels = None if listed.labels is None else np.array(listed.labels, np.int64)
    chosen = draw_evenly(np.zeros(len(listed.files), np.int64) if labels is None else labels, limit, seed)
    part = dataclasses.replace(listed, files=tuple(listed.files[each] for each in chosen.tolist()), labels=None)
    shapes = {tuple(variant.input.shape[1:]) for variant in models.variants}
    if len(shapes) > 1:
        raise BadInput("the models take sounds of different lengths", "measure them in separate runs")
    spec = InputSpec("sound", "float32", (1, *shapes.pop()), has_batch_axis=True)
    found = load_sounds(part, spec, _rate(models, options))
    path = found.arrays[spec.name]
    return Examples(
        name=recordable("/".join(folder.resolve().parts[-2:])),
        sha256=found.sha256,
        total=len(listed.files),
        indices=chosen,
        labels=labels,
        classes=list(listed.classes),
        order="alphabetical",
        notes=list(found.notes),
        arrays=Arrays(path, open_npy(path), None, found.sha256),
        rows=np.arange(len(chosen)),
    )


def _rate(models: ModelFiles, options: DataOptions) -> int:
    """Return the stated rate, or the one in the metadata of all models; raise BadInput if there is none, or several."""
    known = [models.metadata.get(variant.name) for variant in models.variants]
    rates = {each.sample_rate for each in known if each is not None and each.sample_rate}
    if options.sample_rate is not None:
        return options.sample_rate
    if len(rates) != 1:
        problem = "take sounds of different sampling rates" if rates else "do not state their sampling rate"
        raise BadInput(f"the models {problem}", "set it, for example --sample-rate 16000")
    return rates.pop()
