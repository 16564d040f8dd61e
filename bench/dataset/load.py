"""The workload of model files: images and labels of ``--data``, matched to the model's outputs and preprocessed."""

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
    apply_overrides,
    channels_last_shape,
    choose_by_accuracy,
    select_preset,
)
from edge_bench.bench.dataset.image_list import ImageList, list_images
from edge_bench.bench.dataset.sampling import draw_evenly
from edge_bench.bench.dataset.workload import Workload
from edge_bench.bench.errors import BadInput, DatasetError
from edge_bench.bench.models.model_files import ModelFiles
from edge_bench.bench.preprocessing.presets import Geometry, Preset
from edge_bench.bench.progress import Progress
from edge_bench.bench.records.manifest import Preprocessing, TensorSpec
from edge_bench.bench.records.run import BundleIdentity
from edge_bench.bench.runtimes.scores import label_count

__all__ = ["DataOptions", "files_workload"]

RANDOM_NOTE = "RANDOM INPUTS: speed only; predictions mean nothing, and there is no accuracy"
_IMAGENET_OUTPUTS = (1000, 1001)


@dataclass
class _LoadedData:
    """Inputs on disk and their labels; fields as in `Workload`, if not described here."""

    pixels: Path
    rows: npt.NDArray[np.int64]
    indices: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int64] | None  # of the whole set, without the label offset
    total_images: int
    classes: list[str]
    name: str
    sha256: str
    geometry: str = ""  # how the images were resized, as text
    notes: list[str] = field(default_factory=list)


def files_workload(
    models: ModelFiles, options: DataOptions, limit: int | None, seed: int, timeout: float, progress: Progress
) -> Workload:
    """Load the images that the models classify; the workload's notes list what was inferred rather than stated.

    Raise DatasetError or BadInput if data, labels and models do not match each other.
    """
    spec, outputs = models.variants[0].input, label_count(models.variants[0].output)
    shape = _image_shape(models, spec, options.image_size)
    preset, reason = select_preset(models, options)
    loaded = _load(options, shape, outputs, preset, limit, seed, progress)
    offset = _label_offset(options, loaded, outputs)
    labels = None if loaded.labels is None else loaded.labels[loaded.indices] + offset
    if preset is None:
        preset, reason = choose_by_accuracy(models, loaded.pixels, loaded.rows, labels, shape, timeout, progress)
    preprocessing = apply_overrides(preset, options, loaded.geometry, spec, shape)
    if reason:
        text = f"preprocessing: {preset.name} ({preset.description}): {reason}; --preprocess says otherwise"
        loaded.notes.append(text)
    for note in loaded.notes:
        progress.say(note)
    return Workload(
        identity=_identity(models, loaded, preprocessing, outputs, offset, options.threshold),
        pixels=loaded.pixels.absolute(),
        rows=loaded.rows,
        indices=loaded.indices,
        labels=labels,
        total_images=loaded.total_images,
        preprocessing=preprocessing,
        notes=tuple(loaded.notes),
        input_shape=shape if -1 in spec.shape[1:] else None,
        threshold=options.threshold,
    )


def _image_shape(models: ModelFiles, spec: TensorSpec, stated: tuple[int, int] | None) -> tuple[int, ...]:
    """Return the shape of one example as the model takes it, with open axes set by --image-size."""
    sizes = list(spec.shape[1:])
    if -1 in sizes and len(sizes) == 3:
        if stated is None:
            raise BadInput(f"{models.name} takes images of any size", "say which: --image-size 224x224")
        channels_first = sizes[0] in CHANNELS and sizes[-1] not in CHANNELS
        channels = next((size for size in (sizes[0], sizes[-1]) if size in CHANNELS), 3)
        return (channels, *stated) if channels_first else (*stated, channels)
    if -1 in sizes:
        raise BadInput(f"{models.name} takes inputs of shape {spec.shape}, open in more than the batch")
    if stated is not None and tuple(stated) not in (tuple(sizes[:2]), tuple(sizes[1:])):
        raise BadInput(f"{models.name} takes inputs of {sizes}, and no other size", "leave --image-size out")
    return tuple(sizes)


def _load(
    options: DataOptions,
    shape: tuple[int, ...],
    outputs: int,
    preset: Preset | None,
    limit: int | None,
    seed: int,
    progress: Progress,
) -> _LoadedData:
    image_shape, path = channels_last_shape(shape), options.data
    if path is None:
        arrays = random_inputs(image_shape or shape, limit, seed, images=image_shape is not None)
        return _from_arrays(arrays, "random inputs", None, seed)
    if not path.exists():
        raise DatasetError(f"{path}: there is no such file or folder", "name images, a .npy or an .npz with --data")
    if path.is_file():
        if path.suffix not in (".npy", ".npz"):
            raise DatasetError(f"{path}: no data that edge-bench knows", "name a folder of images, a .npy or an .npz")
        arrays = load_arrays(path, options.labels)
        data_shape = arrays.inputs.shape[1:]
        if data_shape not in (image_shape or shape, shape):
            if image_shape and data_shape == image_shape[:2] and image_shape[2] == 1:
                raise DatasetError(f"{path}: images without an axis for channels", "add it: images[..., numpy.newaxis]")
            raise DatasetError(
                f"{path}: inputs of shape {list(data_shape)}, the model takes {list(image_shape or shape)}",
                "resize them before they are saved, or give a folder of images",
            )
        return _from_arrays(arrays, path.stem, limit, seed)
    if image_shape is None:
        raise DatasetError(f"the model takes inputs of shape {list(shape)}, no images", "give a .npy or an .npz")
    listed = list_images(path, options.labels, options.classes, options.label_names)
    crop = options.crop or (preset.crop if options.preprocess and preset else 0)
    crop = crop or (0.875 if outputs in _IMAGENET_OUTPUTS else 1.0)
    geometry = Geometry(*image_shape, crop=crop, interpolation=options.interpolation, squash=options.squash)
    return _from_folder(listed, geometry, limit, seed, progress, skip_broken=options.skip_broken)


def _from_arrays(arrays: Arrays, name: str, limit: int | None, seed: int) -> _LoadedData:
    count = len(arrays.inputs)
    indices = draw_evenly(np.zeros(count, np.int64) if arrays.labels is None else arrays.labels, limit, seed)
    classes = [] if arrays.labels is None else [str(number) for number in range(int(arrays.labels.max()) + 1)]
    return _LoadedData(arrays.pixels, indices, indices, arrays.labels, count, classes, name, arrays.sha256)


def _from_folder(
    listed: ImageList, geometry: Geometry, limit: int | None, seed: int, progress: Progress, *, skip_broken: bool
) -> _LoadedData:
    count = len(listed.files)
    labels = np.zeros(count, np.int64) if listed.labels is None else listed.labels
    indices = draw_evenly(labels, limit, seed)  # only these are decoded
    decoded = decoded_images(
        listed.folder, [listed.files[number] for number in indices], geometry, progress, skip_broken=skip_broken
    )
    rows = np.array(decoded.readable, np.int64)
    notes, problems = list(listed.notes), decoded.problems
    if problems:
        notes.append(f"{len(problems)} files are no whole images and were left out, the first: {problems[0]}")
    name = "/".join(listed.folder.resolve().parts[-2:])
    return _LoadedData(
        pixels=decoded.pixels,
        rows=rows,
        indices=indices[rows],
        labels=listed.labels,
        total_images=count,
        classes=listed.classes,
        name=name,
        sha256=_listing_sha256(listed),
        geometry=str(geometry),
        notes=notes,
    )


def _listing_sha256(listed: ImageList) -> str:
    """Return a checksum of names, sizes and labels: equal on all machines and available without reading the images."""
    sizes = [(name, (listed.folder / name).stat().st_size) for name in listed.files]
    labels = None if listed.labels is None else listed.labels.tolist()
    return hashlib.sha256(msgspec.json.encode([sizes, labels])).hexdigest()


def _label_offset(options: DataOptions, loaded: _LoadedData, outputs: int) -> int:
    """Return the number that is added to a label to get the index of the model's output."""
    if loaded.labels is None:
        return 0
    classes, offset = max(len(loaded.classes), int(loaded.labels.max()) + 1), options.label_offset
    if offset is None:
        offset = 1 if outputs == classes + 1 else 0
        if offset:
            loaded.notes.append(
                f"{outputs} outputs for {classes} classes: output 0 is taken for the background; else --label-offset 0"
            )
    if int(loaded.labels.min()) + offset < 0 or classes + offset > outputs:
        raise BadInput(
            f"{loaded.name} has {classes} classes{f', moved by {offset}' if offset else ''}; the model has {outputs} "
            "outputs",
            "give the data that the model was made for, or another --label-offset",
        )
    if classes + offset < outputs:
        loaded.notes.append(
            f"{classes} classes for {outputs} outputs: taken for outputs {offset} to {offset + classes - 1}, in order"
        )
    return offset


def _identity(
    models: ModelFiles,
    loaded: _LoadedData,
    preprocessing: Preprocessing,
    outputs: int,
    offset: int,
    threshold: float | None,
) -> BundleIdentity:
    """Return an identity in place of a bundle's: equal for the same files, data, preprocessing, classes and offset."""
    files = sorted((variant.name, variant.sha256) for variant in models.variants)
    content: list[object] = [files, loaded.sha256, msgspec.to_builtins(preprocessing), loaded.classes, offset]
    content += [] if threshold is None else [threshold]
    names = ["background"] * offset + loaded.classes if offset > 0 else loaded.classes
    return BundleIdentity(
        sha256=hashlib.sha256(msgspec.json.encode(content)).hexdigest(),
        created="",
        model=models.name,
        parameters=models.parameters,
        dataset=loaded.name,
        dataset_sha256=loaded.sha256,
        classes=[*names, *(f"output {number}" for number in range(len(names), outputs))],
        note=RANDOM_NOTE if loaded.name == "random inputs" and loaded.labels is None else "",
    )
