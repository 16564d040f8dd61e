"""How the outputs of a segmentation model are read, and what the values of true masks mean."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from edge_bench.bench.dataset.options import DataOptions
from edge_bench.bench.errors import BadInput, DatasetError
from edge_bench.bench.interpretation.graphs.feeding.examples import TaskExamples
from edge_bench.bench.interpretation.graphs.graph_model import GraphModel, one_image
from edge_bench.bench.interpretation.graphs.reading.class_names import class_names
from edge_bench.bench.interpretation.graphs.reading.outputs import chosen_output
from edge_bench.bench.progress import Progress
from edge_bench.bench.records.interpretation import Interpretation, Source
from edge_bench.bench.records.manifest import TensorSpec
from edge_bench.bench.records.outputs.decoding import MaskDecoding
from edge_bench.bench.tasks.segmentation.class_maps import ClassAxis, MaskLayout, mask_layout
from edge_bench.bench.tasks.segmentation.mask_values import MaskValues, parse_ignored, read_mask_values
from edge_bench.bench.tasks.segmentation.true_masks import TrueMasks, find_true_masks
from edge_bench.bench.wording import counted

__all__ = ["MaskReading", "mask_reading", "true_masks_of"]


class MaskReading(NamedTuple):
    """How masks are read, and the reasons; the name of each class."""

    decoding: MaskDecoding
    interpretations: list[Interpretation]
    names: Sequence[str]


def mask_reading(model: GraphModel, options: DataOptions) -> MaskReading:
    """Return how the masks of a model are read; raise BadInput if no output is a mask, or if several readings fit."""
    names = class_names(model, options)
    listed = None if names is None else names.names
    classes = None if listed is None else len(listed)
    axis = None if options.class_axis is None else ClassAxis[options.class_axis.upper()]

    def layout_of(spec: TensorSpec) -> MaskLayout:
        whole = TensorSpec(dtype=spec.dtype, shape=one_image(spec), scale=spec.scale, zero_point=spec.zero_point)
        return mask_layout(whole, classes, axis)

    def fits(spec: TensorSpec) -> bool:
        try:
            return bool(layout_of(spec))
        except BadInput:
            return False

    number, why = chosen_output(model, options.output, fits)
    spec = model.variant.all_outputs[number]
    try:
        layout = layout_of(spec)
    except BadInput as cause:
        raise BadInput(f"{model.variant.name}: {cause.problem}", cause.remedy) from None
    stated = axis is not None
    record = Interpretation(
        subject="masks",
        value=f"{layout.axis.value}, {counted(layout.classes, 'class')}",
        source=Source.STATED if stated else Source.MODEL,
        reason=why or f"shape and type of output {spec.name[:80]}",
        option="--class-axis",
        variant=model.about,
    )
    decoding = MaskDecoding(output=number, classes=layout.classes, axis=_AXES[layout.axis])
    return MaskReading(decoding, [record], listed or [f"class {each}" for each in range(layout.classes)])


_AXES: dict[ClassAxis, Literal["last", "first", "none"]] = {
    ClassAxis.LAST: "last",
    ClassAxis.FIRST: "first",
    ClassAxis.NONE: "none",
}


def true_masks_of(
    examples: TaskExamples, options: DataOptions, reading: MaskReading, progress: Progress
) -> tuple[TrueMasks, Interpretation, list[str]]:
    """Return the true mask of each example, how its values are read, and notes.

    Every mask is read once, so that masks with another size or an invalid value are found before the measurement.
    Raise DatasetError for such a mask, or if no image has one.
    """
    folder = options.labels
    if folder is None or examples.sizes is None:
        raise ValueError("masks belong to images")
    if not folder.is_dir():
        raise DatasetError(f"{folder}: not a folder of masks", "use a folder with a .png for each image with --labels")
    values, record = _values(options, reading)
    images = [examples.files[number] for number in examples.indices.tolist()]
    masks = find_true_masks(folder, images, values)
    progress.start("checking masks", len(images))
    try:
        for image, (width, height) in enumerate(examples.sizes.tolist()):
            masks.read(image, (height, width))
            progress.advance(1)
    finally:
        progress.finish()
    without = sum(file is None for file in masks.files)
    notes = (
        [f"masks: {without:,} of {counted(len(images), 'image')} have no mask and are not scored"] if without else []
    )
    return masks, record, notes


def _values(options: DataOptions, reading: MaskReading) -> tuple[MaskValues, Interpretation]:
    ignored = () if options.ignore_mask_values is None else parse_ignored(options.ignore_mask_values)
    skipped = f", {', '.join(map(str, ignored))} not scored" if ignored else ""
    if options.mask_values is not None:
        values = read_mask_values(options.mask_values, reading.names, ignored)
        value, source = f"as {options.mask_values.name} lists them", Source.STATED
    else:
        values, value, source = MaskValues(reading.decoding.classes, ignored), "the number of the class", Source.DEFAULT
    return values, Interpretation(
        subject="mask values", value=value + skipped, source=source, option="--mask-values, --ignore-mask-values"
    )
