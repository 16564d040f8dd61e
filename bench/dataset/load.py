"""From ``--data`` to what a run measures: images found, labelled, matched to the model's outputs, and preprocessed."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.bench.dataset.arrays import Arrays, load_arrays, random_inputs
from edge_bench.bench.dataset.cache import decoded_images
from edge_bench.bench.dataset.choose_preprocessing import (
    CHANNELS,
    DataOptions,
    as_stored,
    choose_by_accuracy,
    stated_or_inferred,
    with_stated,
)
from edge_bench.bench.dataset.listing import ImageList, list_images
from edge_bench.bench.dataset.sampling import draw_evenly
from edge_bench.bench.dataset.workload import Workload
from edge_bench.bench.errors import BadInput, DatasetError
from edge_bench.bench.models.model_files import ModelFiles
from edge_bench.bench.preprocessing.presets import Geometry, Preset
from edge_bench.bench.progress import Progress
from edge_bench.bench.records.manifest import Preprocessing, TensorSpec
from edge_bench.bench.records.run import BundleIdentity

__all__ = ["DataOptions", "files_workload"]

RANDOM_NOTE = "RANDOM INPUTS: speed only; predictions mean nothing, and there is no accuracy"
_IMAGENET_OUTPUTS = (1000, 1001)


@dataclass
class _Found:
    """Inputs on disk as they come together."""

    pixels: Path
    rows: npt.NDArray[np.int64]
    indices: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int64] | None  # of the whole set, before any offset
    total_images: int
    classes: list[str]
    name: str
    sha256: str
    geometry: str = ""
    notes: list[str] = field(default_factory=list)


def files_workload(
    models: ModelFiles, options: DataOptions, limit: int | None, seed: int, timeout: float, progress: Progress
) -> Workload:
    """The images that the models are to classify.

    Raises DatasetError or BadInput where data, labels and models do not fit each other; what was inferred rather than
    stated is in the subject's notes.
    """
    spec, outputs = models.variants[0].input, models.variants[0].output.shape[-1]
    shape = _image_shape(models, spec, options.image_size)
    preset, why = stated_or_inferred(models, options)
    found = _find(options, shape, outputs, preset, limit, seed, progress)
    offset = _label_offset(options, found, outputs)
    labels = None if found.labels is None else found.labels[found.indices] + offset
    if preset is None:
        preset, why = choose_by_accuracy(models, found.pixels, found.rows, labels, shape, timeout, progress)
    preprocessing = with_stated(preset, options, found.geometry, spec, shape)
    if why:
        found.notes.append(f"preprocessing: {preset.name} ({preset.words}): {why}; --preprocess says otherwise")
    for note in found.notes:
        progress.say(note)
    return Workload(
        identity=_identity(models, found, preprocessing, outputs, offset),
        pixels=found.pixels.absolute(),
        rows=found.rows,
        indices=found.indices,
        labels=labels,
        total_images=found.total_images,
        preprocessing=preprocessing,
        notes=tuple(found.notes),
        input_shape=shape if -1 in spec.shape[1:] else None,
    )


def _image_shape(models: ModelFiles, spec: TensorSpec, stated: tuple[int, int] | None) -> tuple[int, ...]:
    """The shape of one example as the model takes it, open axes filled in by --image-size."""
    sizes = list(spec.shape[1:])
    if -1 in sizes and len(sizes) == 3:
        if stated is None:
            raise BadInput(f"{models.name} takes images of any size", "say which: --image-size 224x224")
        first = sizes[0] in CHANNELS and sizes[-1] not in CHANNELS
        channels = next((size for size in (sizes[0], sizes[-1]) if size in CHANNELS), 3)
        return (channels, *stated) if first else (*stated, channels)
    if -1 in sizes:
        raise BadInput(f"{models.name} takes inputs of shape {spec.shape}, open in more than the batch")
    if stated is not None and tuple(stated) not in (tuple(sizes[:2]), tuple(sizes[1:])):
        raise BadInput(f"{models.name} takes inputs of {sizes}, and no other size", "leave --image-size out")
    return tuple(sizes)


def _find(
    options: DataOptions,
    shape: tuple[int, ...],
    outputs: int,
    preset: Preset | None,
    limit: int | None,
    seed: int,
    progress: Progress,
) -> _Found:
    stored, data = as_stored(shape), options.data
    if data is None:
        arrays = random_inputs(stored or shape, limit, seed, images=stored is not None)
        return _from_arrays(arrays, "random inputs", None, seed)
    if not data.exists():
        raise DatasetError(f"{data}: there is no such file or folder", "name images, a .npy or an .npz with --data")
    if data.is_file():
        if data.suffix not in (".npy", ".npz"):
            raise DatasetError(f"{data}: no data that edge-bench knows", "name a folder of images, a .npy or an .npz")
        arrays = load_arrays(data, options.labels)
        if arrays.inputs.shape[1:] != (stored or shape) and arrays.inputs.shape[1:] != shape:
            if stored and arrays.inputs.shape[1:] == stored[:2] and stored[2] == 1:
                raise DatasetError(f"{data}: images without an axis for channels", "add it: images[..., numpy.newaxis]")
            raise DatasetError(
                f"{data}: inputs of shape {list(arrays.inputs.shape[1:])}, the model takes {list(stored or shape)}",
                "resize them before they are saved, or give a folder of images",
            )
        return _from_arrays(arrays, data.stem, limit, seed)
    if stored is None:
        raise DatasetError(f"the model takes inputs of shape {list(shape)}, no images", "give a .npy or an .npz")
    listed = list_images(data, options.labels, options.classes, options.label_names)
    crop = options.crop or (preset.crop if options.preprocess and preset else 0)
    crop = crop or (0.875 if outputs in _IMAGENET_OUTPUTS else 1.0)
    geometry = Geometry(*stored, crop=crop, interpolation=options.interpolation, squash=options.squash)
    return _from_folder(listed, geometry, limit, seed, progress, skip_broken=options.skip_broken)


def _from_arrays(arrays: Arrays, name: str, limit: int | None, seed: int) -> _Found:
    count = len(arrays.inputs)
    indices = draw_evenly(np.zeros(count, np.int64) if arrays.labels is None else arrays.labels, limit, seed)
    classes = [] if arrays.labels is None else [str(number) for number in range(int(arrays.labels.max()) + 1)]
    return _Found(arrays.pixels, indices, indices, arrays.labels, count, classes, name, arrays.sha256)


def _from_folder(
    listed: ImageList, geometry: Geometry, limit: int | None, seed: int, progress: Progress, *, skip_broken: bool
) -> _Found:
    count = len(listed.files)
    labels = np.zeros(count, np.int64) if listed.labels is None else listed.labels
    drawn = draw_evenly(labels, limit, seed)  # only these are decoded
    decoded = decoded_images(
        listed.folder, [listed.files[number] for number in drawn], geometry, progress, skip_broken=skip_broken
    )
    kept = np.array(decoded.kept, np.int64)
    notes = list(listed.notes)
    if decoded.broken:
        notes.append(
            f"{len(decoded.broken)} files are no whole images and were left out, the first: {decoded.broken[0]}"
        )
    name = "/".join(listed.folder.resolve().parts[-2:])
    return _Found(
        pixels=decoded.pixels,
        rows=kept,
        indices=drawn[kept],
        labels=listed.labels,
        total_images=count,
        classes=listed.classes,
        name=name,
        sha256=_listing_sha256(listed),
        geometry=str(geometry),
        notes=notes,
    )


def _listing_sha256(listed: ImageList) -> str:
    """Of names, sizes and labels: the same on every machine, and known without reading what is not drawn."""
    sizes = [(name, (listed.folder / name).stat().st_size) for name in listed.files]
    labels = None if listed.labels is None else listed.labels.tolist()
    return hashlib.sha256(msgspec.json.encode([sizes, labels])).hexdigest()


def _label_offset(options: DataOptions, found: _Found, outputs: int) -> int:
    """What is added to a label to get the number of the model's output."""
    if found.labels is None:
        return 0
    classes, offset = max(len(found.classes), int(found.labels.max()) + 1), options.label_offset
    if offset is None:
        offset = 1 if outputs == classes + 1 else 0
        if offset:
            found.notes.append(
                f"{outputs} outputs for {classes} classes: output 0 is taken for the background; else --label-offset 0"
            )
    if int(found.labels.min()) + offset < 0 or classes + offset > outputs:
        raise BadInput(
            f"{found.name} has {classes} classes{f', moved by {offset}' if offset else ''}; the model has {outputs} "
            "outputs",
            "give the data that the model was made for, or another --label-offset",
        )
    if classes + offset < outputs:
        found.notes.append(
            f"{classes} classes for {outputs} outputs: taken for outputs {offset} to {offset + classes - 1}, in order"
        )
    return offset


def _identity(
    models: ModelFiles, found: _Found, preprocessing: Preprocessing, outputs: int, offset: int
) -> BundleIdentity:
    """The same wherever the same files meet the same data in the same way: there is no bundle to be the same."""
    files = sorted((variant.name, variant.sha256) for variant in models.variants)
    content = [files, found.sha256, msgspec.to_builtins(preprocessing), found.classes, offset]
    named = ["background"] * offset + found.classes if offset > 0 else found.classes
    return BundleIdentity(
        sha256=hashlib.sha256(msgspec.json.encode(content)).hexdigest(),
        created="",
        model=models.name,
        parameters=models.parameters,
        dataset=found.name,
        dataset_sha256=found.sha256,
        classes=[*named, *(f"output {number}" for number in range(len(named), outputs))],
        note=RANDOM_NOTE if found.name == "random inputs" and found.labels is None else "",
    )
