"""A model before it has examples: its inputs with the stated sizes, and whether it takes images."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edge_bench.bench.dataset.options import DataOptions
from edge_bench.bench.errors import BadInput
from edge_bench.bench.inputs.random_values import parse_range
from edge_bench.bench.inputs.shape_settings import parse_shape, with_shapes
from edge_bench.bench.inputs.specs import InputSpec, names_shown
from edge_bench.bench.interpretation.sizes import example_shape
from edge_bench.bench.model_formats.tflite_metadata import ModelMetadata
from edge_bench.bench.models.model_files import ModelFiles
from edge_bench.bench.preprocessing.shapes import image_shape
from edge_bench.bench.records.manifest import TensorSpec, Variant
from edge_bench.bench.tasks.detection.heads.postprocess import has_postprocess_shapes

__all__ = ["GraphModel", "graph_models", "one_image", "stated_shapes"]

_POSTPROCESS = "CUSTOM TFLite_Detection_PostProcess"


@dataclass(frozen=True)
class GraphModel:
    """One model of a run.

    inputs: in the model's order, with the stated sizes; shapes: of whole inputs whose sizes were stated
    about: the model's name if there are several, for records
    """

    variant: Variant
    inputs: tuple[InputSpec, ...]
    shapes: Mapping[str, tuple[int, ...]]
    metadata: ModelMetadata | None
    about: str

    @property
    def image(self) -> tuple[int, int, int] | None:
        """Height, width and channels of the only input, if it takes images; None otherwise. Open sizes are -1."""
        if len(self.inputs) != 1:
            return None
        (only,), (spec,) = self.inputs, self.variant.all_inputs
        shape = image_shape(tuple(only.example_shape))
        takes_pixels = spec.dtype.startswith("float") or spec.dtype == "uint8" or (spec.dtype == "int8" and spec.scale)
        return shape if takes_pixels and len(only.shape) == 4 else None

    @property
    def known_image(self) -> tuple[int, int, int]:
        """Height, width and channels of images; raise BadInput if the model takes no images, or images of any size."""
        if self.image is None:
            shown = "; ".join(f"{spec.name[:80]} {spec.dtype} {spec.shape}" for spec in self.variant.all_inputs[:4])
            raise BadInput(
                f"{self.variant.name} takes no images: {shown}", "use --data with an .npz with one array per input"
            )
        if -1 in self.image:
            raise BadInput(f"{self.variant.name} takes images of any size", "set one, for example --image-size 224x224")
        return self.image

    @property
    def input_spec(self) -> TensorSpec:
        """The only input."""
        return self.variant.all_inputs[0]

    @property
    def says_postprocess(self) -> bool:
        """Whether operators or metadata show that the outputs are those of TFLite_Detection_PostProcess."""
        operators = any(each.name == _POSTPROCESS for each in self.variant.operators)
        return len(self.variant.all_outputs) == 4 and (
            operators or (self.metadata is not None and self.metadata.has_boxes)
        )

    @property
    def has_postprocess(self) -> bool:
        """Whether a detector's outputs are those of TFLite_Detection_PostProcess, judging also by their shapes."""
        shapes = [one_image(spec) for spec in self.variant.all_outputs]
        return self.says_postprocess or has_postprocess_shapes(shapes)


def one_image(spec: TensorSpec) -> list[int]:
    """Return the shape of an output for one image, with 1 for an open first axis."""
    return [1, *spec.shape[1:]] if spec.shape[:1] == [-1] else list(spec.shape)


def stated_shapes(settings: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """Return the shapes of ``--shape`` settings by name; raise BadInput for an invalid or repeated one."""
    found = dict[str, tuple[int, ...]]()
    for text in settings:
        name, shape = parse_shape(text)
        if name in found:
            raise BadInput(f"--shape {text[:80]}: this input has two shapes", "set it once")
        found[name] = shape
    return found


def graph_models(models: ModelFiles, options: DataOptions) -> list[GraphModel]:
    """Return all models; raise BadInput if a stated shape or range names no model's input, or does not fit."""
    names = {spec.name for variant in models.variants for spec in variant.all_inputs}
    shapes = stated_shapes(options.shapes)
    for flag, given in (("--shape", shapes), ("--range", [parse_range(text)[0] for text in options.ranges])):
        for name in given:
            if name not in names:
                raise BadInput(
                    f"{flag} {name[:80]}: no input has this name", f"the inputs are {names_shown(sorted(names))}"
                )
    several = len(models.variants) > 1
    return [_model(models, variant, options, several=several) for variant in models.variants]


def _model(models: ModelFiles, variant: Variant, options: DataOptions, *, several: bool) -> GraphModel:
    axes = models.graphs[variant.name].has_batch_axis
    specs = [
        InputSpec(spec.name, spec.dtype, tuple(spec.shape), has)
        for spec, has in zip(variant.all_inputs, axes, strict=True)
    ]
    own = {spec.name for spec in specs}
    settings = [text for text in options.shapes if parse_shape(text)[0] in own]
    shapes = dict(map(parse_shape, settings))
    specs = [
        # the size of the only axis of an input is the size of an example
        dataclasses.replace(spec, has_batch_axis=False) if spec.name in shapes and len(spec.shape) == 1 else spec
        for spec in with_shapes(specs, settings)
    ]
    if options.image_size is not None and len(specs) == 1 and len(specs[0].shape) == 4 and not shapes:
        whole = (1, *example_shape(variant, options.image_size))
        if -1 in specs[0].shape[1:]:
            shapes[specs[0].name] = whole
        specs = [dataclasses.replace(specs[0], shape=whole)]
    about = variant.name if several else ""
    return GraphModel(variant, tuple(specs), shapes, models.metadata.get(variant.name), about)
