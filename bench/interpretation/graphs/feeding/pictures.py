"""Image files as examples: decoded to the size of each model, with their own sizes recorded."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge_bench.bench.dataset.cache import Decoded, decoded_images
from edge_bench.bench.dataset.load import Inputs
from edge_bench.bench.dataset.options import DataOptions
from edge_bench.bench.dataset.sampling import draw_evenly
from edge_bench.bench.dataset.task_images import TaskImages
from edge_bench.bench.errors import BadInput
from edge_bench.bench.interpretation.graphs.feeding.examples import ModelExamples, TaskExamples
from edge_bench.bench.interpretation.graphs.feeding.pixels import pixel_preprocessing
from edge_bench.bench.interpretation.graphs.graph_model import GraphModel
from edge_bench.bench.io.names import folder_name
from edge_bench.bench.preprocessing.presets import Geometry
from edge_bench.bench.progress import Progress
from edge_bench.bench.records.interpretation import Interpretation, Source
from edge_bench.bench.records.run import Settings
from edge_bench.bench.wording import counted
from edge_bench.bench.worker.graphs.messages import GraphInput

__all__ = ["picture_examples"]


@dataclass(frozen=True)
class _Picture:
    """The images as one model takes them."""

    model: GraphModel
    geometry: Geometry
    decoded: Decoded


def picture_examples(
    models: Sequence[GraphModel],
    images: TaskImages,
    options: DataOptions,
    settings: Settings,
    progress: Progress,
    task: str,
) -> TaskExamples:
    """Return the images in the size of each model, those that can be read for all of them.

    Raise BadInput if a model takes no images, or if it is unclear how it takes them; DatasetError for damaged files.
    """
    selected = draw_evenly(np.zeros(len(images.files), np.int64), settings.limit, settings.seed)
    files = [images.files[number] for number in selected]
    pictures = []
    for model in models:
        geometry = _geometry(model, options, task)
        decoded = decoded_images(images.folder, files, geometry, progress, skip_broken=options.skip_broken)
        pictures.append(_Picture(model, geometry, decoded))
    _refuse_unclear_orientation(pictures[0].decoded, options, task)
    readable = np.array(sorted(set.intersection(*(set(each.decoded.readable) for each in pictures))), np.int64)
    found = {each.model.variant.name: _model_examples(each, readable, options) for each in pictures}
    return TaskExamples(
        name=folder_name(images.folder),
        sha256=images.sha256,
        total=len(images.files),
        indices=selected[readable],
        models={name: examples for name, (examples, _) in found.items()},
        notes=(*images.notes, *_notes(pictures)),
        interpretations=tuple(record for _, records in found.values() for record in records),
        folder=images.folder,
        files=images.files,
        sizes=np.array(pictures[0].decoded.sizes, np.int64).reshape(-1, 2)[readable],
        label_files=images.label_files,
    )


def _refuse_unclear_orientation(decoded: Decoded, options: DataOptions, task: str) -> None:
    """Raise BadInput if it is unclear whether true boxes or masks are for rotated images.

    Most label tools show images upright, and many loaders ignore the orientation. The sizes in a file of labels cannot
    distinguish the two if an image is square or upside down.
    """
    of_places = options.labels is not None and task in ("detect", "segment")
    if of_places and decoded.turned and options.exif_orientation is None and not options.assume:
        raise BadInput(
            f"{counted(decoded.turned, 'image')} with an EXIF orientation, and it is unclear whether the true "
            f"{'boxes' if task == 'detect' else 'masks'} are for the upright images",
            "use --exif-orientation, or --no-exif-orientation if they are for the stored pixels",
        )


def _geometry(model: GraphModel, options: DataOptions, task: str) -> Geometry:
    """Return how images are resized to the model's size: whole, unless a crop is stated."""
    if options.letterbox and (options.squash or options.crop):
        raise BadInput("--letterbox cannot be combined with --squash or --crop", "use only one of them")
    if options.letterbox and task == "segment":
        raise BadInput(
            "--letterbox is not supported for segmentation: masks would be of the image with its borders",
            "omit it: whole images are resized to the input",
        )
    crops = options.crop is not None
    letterbox = options.letterbox or (task == "detect" and not model.has_postprocess and not options.squash)
    return Geometry(
        *model.known_image,
        crop=options.crop or 1.0,
        interpolation=options.interpolation,
        squash=not crops and not letterbox,
        exif_orientation=bool(options.exif_orientation),
        letterbox=letterbox,
    )


def _model_examples(
    picture: _Picture, readable: npt.NDArray[np.int64], options: DataOptions
) -> tuple[ModelExamples, list[Interpretation]]:
    model, geometry, pixels = picture.model, picture.geometry, picture.decoded.pixels.absolute()
    stored = Inputs(pixels, readable, readable, geometry)
    scored = options.labels is not None
    preprocessing, how = pixel_preprocessing(model, options, str(geometry), stored.are_grey, scored=scored)
    stated = options.letterbox or options.squash or options.crop is not None
    resizing = Interpretation(
        subject="images",
        value=str(geometry),
        source=Source.STATED if stated else Source.DEFAULT,
        option="--squash, --letterbox, --interpolation",
        variant=model.about,
    )
    only = GraphInput(name=model.inputs[0].name, file=pixels, preprocessing=preprocessing)
    return ModelExamples((only,), readable, dict(model.shapes), geometry.letterbox), [how, resizing]


def _notes(pictures: Sequence[_Picture]) -> list[str]:
    notes: list[str] = []
    for each in pictures:
        problems = each.decoded.problems
        files = counted(len(problems), "invalid or truncated image file", "invalid or truncated image files")
        own = [f"left out {files}, the first: {problems[0]}"] if problems else []
        notes += [note for note in (*own, *each.decoded.notes) if note not in notes]
    return notes
